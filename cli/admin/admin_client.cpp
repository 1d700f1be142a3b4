#include "cli/admin/admin_client.hpp"

#include "cli/admin/admin_token.hpp"
#include "cli/client/command_support.hpp"

#include <CLI/CLI.hpp>

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

result<std::string> find_admin_token(const admin_address& a) {
  if (!a.token_file.empty()) return read_token_file(a.token_file);
  if (const char* token = std::getenv("CAIRN_ADMIN_TOKEN"); token != nullptr && *token != 0) return std::string{token};
  auto found = read_token_file(admin_token_path(a.data_dir));
  return found ? found : result<std::string>{std::string{}};
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
  if (response->status == 403)
    text += " (the token is that of --token-file, CAIRN_ADMIN_TOKEN, or " + admin_token_path(a.data_dir) + ")";
  return error{response->status == 400 ? errc::invalid_argument : errc::io_error, terminal_text(text)};
}

} // namespace cairn::cli
