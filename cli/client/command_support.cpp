#include "cli/client/command_support.hpp"

#include "base/codec.hpp"
#include "cli/client/object_path.hpp"
#include "cli/client/s3_answers.hpp"

#include <CLI/CLI.hpp>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

namespace cairn::cli {

std::shared_ptr<s3_endpoint> add_endpoint_option(CLI::App& command) {
  auto endpoint = std::make_shared<s3_endpoint>();
  command.add_option("--endpoint", endpoint->url, "The node's address")
      ->envname("CAIRN_ENDPOINT")
      ->capture_default_str();
  command.add_option("--access-key", endpoint->access_key, "Sign with this key; the secret is AWS_SECRET_ACCESS_KEY")
      ->envname("AWS_ACCESS_KEY_ID");
  command.add_option("--region", endpoint->region, "Of the signature")->envname("AWS_REGION")->capture_default_str();
  command.add_option("--ca", endpoint->ca, "PEM file of the authority to trust with https; else the system's")
      ->envname("CAIRN_CA")
      ->type_name("FILE");
  return endpoint;
}

result<std::unique_ptr<http_client>> client_for(const std::string& url) {
  auto address = parse_server_address(url);
  if (!address) return address.error();
  return std::make_unique<http_client>(std::move(*address));
}

result<std::unique_ptr<http_client>> client_for(const s3_endpoint& endpoint) {
  auto address = parse_server_address(endpoint.url);
  if (!address) return address.error();
  address->ca = endpoint.ca;
  auto client = std::make_unique<http_client>(std::move(*address));
  if (endpoint.access_key.empty()) return client;
  const char* secret = std::getenv(endpoint.secret_variable.c_str());
  if (secret == nullptr || *secret == 0)
    return error{errc::invalid_argument,
                 "there is an access key, but no " + endpoint.secret_variable + " (--access-key '' goes without)"};
  const char* token = endpoint.token_variable.empty() ? nullptr : std::getenv(endpoint.token_variable.c_str());
  client->sign_with({endpoint.access_key, secret, endpoint.region, endpoint.service, token != nullptr ? token : ""});
  return client;
}

void run_command(int& exit_code, const std::function<result<void>()>& work) {
  auto outcome = work();
  errno = 0;
  if (outcome && (std::fflush(stdout) != 0 || std::ferror(stdout) != 0)) {
    exit_code = 1;
    if (errno == EPIPE || errno == 0) return; // the reader had enough, or was told before
    outcome = system_failure("writing standard output");
  }
  if (outcome) {
    exit_code = 0;
    return;
  }
  std::fprintf(stderr, "cairn: %s\n", terminal_text(outcome.error().text).c_str());
  exit_code = outcome.error().code == errc::invalid_argument ? 2 : 1;
}

result<http_response> ask(http_client& client, const http_request& request, const std::string& what) {
  auto response = client.exchange(request);
  if (response && !response->ok()) return failure_of(*response, what);
  return response;
}

std::string etag_text(std::string_view header) {
  if (header.starts_with("W/")) header.remove_prefix(2);
  if (header.size() >= 2 && header.front() == '"' && header.back() == '"') header = header.substr(1, header.size() - 2);
  return std::string(header);
}

bool is_md5(std::string_view etag) {
  return etag.size() == 32 && is_hex(etag);
}

error system_failure(const std::string& what) {
  const int code = errno;
  const auto kind = code == ENOSPC || code == EDQUOT ? errc::no_space
                    : code == ENOENT                 ? errc::not_found
                                                     : errc::io_error;
  return {kind, what + ": " + std::generic_category().message(code)};
}

std::string terminal_text(std::string_view text) {
  std::string out;
  for (std::size_t begin = 0;; ++begin) {
    const auto end = std::min(text.find('\n', begin), text.size());
    out += printable(text.substr(begin, end - begin));
    if (end == text.size()) return out;
    out += '\n';
    begin = end;
  }
}

result<void> show_answer(const result<std::string>& answer, bool verbatim) {
  if (!answer) return answer.error();
  const auto shown = verbatim ? *answer : terminal_text(*answer);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  return {};
}

} // namespace cairn::cli
