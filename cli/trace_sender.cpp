#include "cli/trace_sender.hpp"

#include "cli/client/http_client.hpp"
#include "cli/client/text_body.hpp"

namespace cairn::cli {

namespace {

constexpr http_timeouts timeouts{std::chrono::seconds{2}, std::chrono::seconds{2}, std::chrono::seconds{2}};

} // namespace

result<net::span_exporter::sender> make_trace_sender(const std::string& endpoint) {
  const auto scheme = endpoint.find("://");
  const auto path = endpoint.find('/', scheme == endpoint.npos ? 0 : scheme + 3);
  auto server = parse_server_address(std::string_view{endpoint}.substr(0, path));
  if (!server) return server.error();
  const auto given = path == endpoint.npos ? std::string{} : endpoint.substr(path);
  const auto target = given.size() <= 1 ? std::string{"/v1/traces"} : given;
  return net::span_exporter::sender{[server = std::move(*server), target](std::string body) -> result<void> {
    http_client client{server, timeouts};
    text_body source{std::move(body)};
    const auto answer = client.exchange({"POST", target, {{"Content-Type", "application/json"}}}, &source);
    if (!answer) return answer.error();
    if (!answer->ok())
      return error{errc::io_error, "the collector answered with status " + std::to_string(answer->status)};
    return {};
  }};
}

} // namespace cairn::cli
