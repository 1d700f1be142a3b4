// Shared by the commands that use an admin port: its address, the trusted CA, and the token, which changes need.
#pragma once

#include "cli/client/http_client.hpp"
#include "config/config.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace CLI {
class App;
}

namespace cairn::cli {

struct admin_address {
  std::string endpoint = "http://127.0.0.1:9001", ca, token_file, data_dir = "./cairn-data";
};

// Adds --admin, --ca, --token-file and --data-dir (also from CAIRN_ADMIN, CAIRN_ADMIN_CA, CAIRN_DATA_DIR). `to` must
// outlive the parsing of the command line.
void add_admin_options(CLI::App& command, admin_address& to);

// The admin port of a node with these settings on this machine. `ca`: with admin.tls; empty: the system's.
admin_address admin_address_of(const config::settings& settings, const std::string& ca);

// Of --token-file, else CAIRN_ADMIN_TOKEN, else the admin.token of the data directory; empty: none of them is there.
result<std::string> find_admin_token(const admin_address& a);

// The request of the admin API's row with this command (net/admin/api_table.cpp). `subject`: what its path names;
// parameters without a value are left out.
http_request api_request(std::string_view command, std::string_view subject,
                         const std::vector<std::pair<std::string, std::string>>& parameters);

// The same of the row with this name, which may read.
http_request api_request_named(std::string_view name, std::string_view subject,
                               const std::vector<std::pair<std::string, std::string>>& parameters);

// Sends the request with the token and takes the answer's body; a refusal is an error with the node's text.
result<std::string> ask_admin(const admin_address& a, http_request request);

} // namespace cairn::cli
