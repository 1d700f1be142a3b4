#include "cli/transfer/object_time.hpp"

#include "net/wire/grammar/http_date.hpp"

#include <charconv>
#include <cstdio>
#include <limits>

namespace cairn::cli {

namespace {

constexpr time_ns second_ns = 1'000'000'000;

time_ns floor_seconds(time_ns at) {
  return at >= 0 ? at / second_ns : -((-at + second_ns - 1) / second_ns);
}

// All of `text` as a number without a sign.
std::optional<std::int64_t> whole_number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

std::optional<time_ns> fraction_of(std::string_view digits) {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  auto text = std::string(digits.substr(0, 9));
  text.resize(9, '0');
  return whole_number_of(text);
}

} // namespace

bool object_time::same_as(time_ns file) const {
  return whole_seconds ? floor_seconds(at) == floor_seconds(file) : at == file;
}

std::string mtime_text(time_ns at) {
  const auto seconds = floor_seconds(at);
  char text[64];
  // Before 1970 the fraction counts from the sign on: -0.5 is half a second before.
  if (at < 0)
    std::snprintf(text, sizeof text, "-%lld.%09lld", static_cast<long long>(-at / second_ns),
                  static_cast<long long>(-at % second_ns));
  else
    std::snprintf(text, sizeof text, "%lld.%09lld", static_cast<long long>(seconds),
                  static_cast<long long>(at % second_ns));
  return text;
}

std::optional<object_time> parse_mtime(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto dot = text.find('.');
  const auto whole = text.substr(0, dot);
  if (whole.empty()) return std::nullopt;
  const auto seconds = whole_number_of(whole);
  if (!seconds || *seconds > 9'000'000'000) return std::nullopt; // beyond 64 bits of nanoseconds
  object_time time{*seconds * second_ns, dot == std::string_view::npos};
  if (!time.whole_seconds) {
    const auto fraction = fraction_of(text.substr(dot + 1));
    if (!fraction) return std::nullopt;
    time.at += *fraction;
  }
  if (negative) time.at = -time.at;
  return time;
}

std::optional<time_ns> parse_listed_time(std::string_view text) {
  constexpr time_ns ms = 1'000'000;
  const auto at = net::parse_iso_time(text);
  if (!at || *at < 0 || *at > std::numeric_limits<time_ns>::max() / ms) return std::nullopt;
  return *at * ms;
}

std::optional<object_time> time_of(const http_response& response) {
  if (const auto kept = parse_mtime(response.header(mtime_header))) return kept;
  const auto seconds = net::parse_http_date(response.header("last-modified"));
  if (!seconds) return std::nullopt;
  return object_time{*seconds * second_ns, true};
}

} // namespace cairn::cli
