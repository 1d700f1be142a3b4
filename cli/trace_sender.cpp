#include "cli/trace_sender.hpp"

#include "cli/client/http_client.hpp"
#include "cli/client/text_body.hpp"

namespace cairn::cli {

namespace {

constexpr http_timeouts timeouts{std::chrono::seconds{2}, std::chrono::seconds{2}, std::chrono::seconds{2},
                                 std::chrono::seconds{2}};

} // namespace

result<net::span_exporter::sender> make_trace_sender(const std::string& endpoint) {
  auto url = parse_server_url(endpoint);
  if (!url) return url.error();
  const auto target = url->target.size() <= 1 ? std::string{"/v1/traces"} : std::move(url->target);
  return net::span_exporter::sender{[server = std::move(url->server), target](std::string body) -> result<void> {
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
