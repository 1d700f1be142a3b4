#include "cli/admin/admin_client.hpp"

#include "cli/admin/admin_token.hpp"
#include "cli/client/command_support.hpp"
#include "net/admin/api_table.hpp"
#include "net/wire/grammar/uri.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cstdlib>

namespace cairn::cli {

void add_admin_options(CLI::App& command, admin_address& to) {
  command.add_option("--admin", to.endpoint, "The admin address of any node; https with admin.tls")
      ->envname("CAIRN_ADMIN")
      ->capture_default_str()
      ->type_name("URL");
  command.add_option("--ca", to.ca, "PEM file of the authority to trust with https; else the system's")
      ->envname("CAIRN_ADMIN_CA")
      ->type_name("FILE");
  command.add_option("--token-file", to.token_file, "File with the node's admin token; else CAIRN_ADMIN_TOKEN")
      ->type_name("FILE");
  command.add_option("--data-dir", to.data_dir, "Else the data directory whose admin.token is used")
      ->envname("CAIRN_DATA_DIR")
      ->capture_default_str()
      ->type_name("DIR");
}

admin_address admin_address_of(const config::settings& settings, const std::string& ca) {
  auto where = settings.admin.listen;
  if (where.host == "0.0.0.0") where.host = "127.0.0.1";
  if (where.host == "::") where.host = "::1";
  return {(settings.admin.tls.cert.empty() ? "http://" : "https://") + config::format(where),
          ca,
          {},
          settings.node.data_dir};
}

result<std::string> find_admin_token(const admin_address& a) {
  if (!a.token_file.empty()) return read_token_file(a.token_file);
  if (const char* token = std::getenv("CAIRN_ADMIN_TOKEN"); token != nullptr && *token != 0) return std::string{token};
  auto found = read_token_file(admin_token_path(a.data_dir));
  return found ? found : result<std::string>{std::string{}};
}

namespace {

http_request request_of(const net::api_row& row, std::string_view subject,
                        const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string target{row.path};
  if (const auto open = target.find('{'); open != target.npos) {
    std::string encoded;
    net::append_percent_encoded(encoded, subject, false);
    target.replace(open, target.find('}') - open + 1, encoded);
  }
  char before = '?';
  for (const auto& [name, value] : parameters) {
    if (value.empty()) continue;
    net::append_percent_encoded((target += before).append(name).append("="), value, false);
    before = '&';
  }
  const auto method = boost::beast::http::to_string(row.method);
  return {std::string{method.data(), method.size()}, std::move(target), {}};
}

} // namespace

http_request api_request(std::string_view command, std::string_view subject,
                         const std::vector<std::pair<std::string, std::string>>& parameters) {
  const auto rows = net::api_rows();
  const auto row = std::ranges::find(rows, command, &net::api_row::command);
  CAIRN_ASSERT(row != rows.end());
  return request_of(*row, subject, parameters);
}

http_request api_request_named(std::string_view name, std::string_view subject,
                               const std::vector<std::pair<std::string, std::string>>& parameters) {
  const auto rows = net::api_rows();
  const auto row = std::ranges::find(rows, name, &net::api_row::name);
  CAIRN_ASSERT(row != rows.end());
  return request_of(*row, subject, parameters);
}

result<std::string> ask_admin(const admin_address& a, http_request request) {
  auto server = parse_server_address(a.endpoint);
  if (!server) return server.error();
  server->ca = a.ca;
  const auto token = find_admin_token(a);
  if (!token) return token.error();
  if (!token->empty()) request.headers.emplace_back("Cairn-Token", *token);
  http_client client{std::move(*server)};
  auto response = client.exchange(request);
  if (!response) return response.error();
  if (response->ok()) return std::move(response->body);
  auto text = std::move(response->body);
  while (text.ends_with('\n')) text.pop_back();
  if (text.empty()) text = "the node answered " + std::to_string(response->status);
  if (response->status == 401 || response->status == 403)
    text += " (the token is that of --token-file, CAIRN_ADMIN_TOKEN, or " + admin_token_path(a.data_dir) + ")";
  return error{response->status == 400 ? errc::invalid_argument : errc::io_error, terminal_text(text)};
}

} // namespace cairn::cli
