#include "cli/issuer_fetcher.hpp"

#include "cli/client/http_client.hpp"

#include <algorithm>
#include <charconv>

namespace cairn::cli {

namespace {

// A name server that does not answer makes the system ask the next one after five seconds.
constexpr http_timeouts fetch_timeouts{std::chrono::seconds{7}, std::chrono::seconds{2}, std::chrono::seconds{2},
                                       std::chrono::seconds{2}, std::chrono::seconds{2}};

class bounded_text : public body_sink {
public:
  result<void> head(const http_response&) override { return {}; }
  result<void> write(bytes_view bytes) override {
    if (text_.size() + bytes.size() > net::json_web_keys::bytes_max)
      return error{errc::too_large, "the document is too large"};
    text_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return {};
  }
  std::string take() { return std::move(text_); }

private:
  std::string text_;
};

} // namespace

std::optional<std::chrono::seconds> max_age_of(std::string_view cache_control) {
  constexpr std::string_view age = "max-age=";
  while (!cache_control.empty()) {
    const auto comma = std::min(cache_control.find(','), cache_control.size());
    auto one = cache_control.substr(0, comma);
    cache_control.remove_prefix(std::min(comma + 1, cache_control.size()));
    one.remove_prefix(std::min(one.find_first_not_of(' '), one.size()));
    if (one == "no-store" || one == "no-cache") return std::chrono::seconds{0};
    if (!one.starts_with(age)) continue;
    std::uint32_t seconds = 0;
    const auto* const end = one.data() + one.size();
    const auto [at, problem] = std::from_chars(one.data() + age.size(), end, seconds);
    if (problem == std::errc{} && at == end) return std::chrono::seconds{seconds};
  }
  return std::nullopt;
}

net::document_fetcher make_issuer_fetcher() {
  return [](const std::string& text, const net::issuer_trust& trust) -> result<net::fetched_document> {
    auto url = parse_server_url(text);
    if (!url) return url.error();
    url->server.ca = trust.ca_file;
    url->server.thumbprints = trust.thumbprints;
    http_client client{std::move(url->server), fetch_timeouts};
    bounded_text body;
    const auto target = url->target.empty() ? std::string{"/"} : url->target;
    const auto answer = client.exchange({"GET", target, {{"Accept", "application/json"}}}, nullptr, &body);
    if (!answer) return answer.error();
    if (answer->status != 200)
      return error{errc::io_error, text + " answered with status " + std::to_string(answer->status)};
    return net::fetched_document{body.take(), max_age_of(answer->header("Cache-Control"))};
  };
}

} // namespace cairn::cli
