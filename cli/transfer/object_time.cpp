#include "cli/transfer/object_time.hpp"

#include "net/wire/grammar/http_date.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>

namespace cairn::cli {

namespace {

constexpr time_ns second_ns = 1'000'000'000;

time_ns floor_seconds(time_ns at) {
  return at >= 0 ? at / second_ns : -((-at + second_ns - 1) / second_ns);
}

// All of `text` as a number without a sign.
std::optional<std::int64_t> number_of(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size() || text.front() == '-') return std::nullopt;
  return value;
}

std::optional<time_ns> fraction_of(std::string_view digits) {
  if (digits.empty() || digits.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  auto text = std::string(digits.substr(0, 9));
  text.resize(9, '0');
  return number_of(text);
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
  const auto seconds = number_of(whole);
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
  if (text.size() < 20 || text.back() != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':')
    return std::nullopt;
  const auto field = [&](std::size_t at, std::size_t length) { return number_of(text.substr(at, length)); };
  const auto year = field(0, 4), month = field(5, 2), day = field(8, 2);
  const auto hour = field(11, 2), minute = field(14, 2), second = field(17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok() || *year < 1970 || *year > 2250 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  time_ns fraction = 0;
  if (text[19] == '.') {
    const auto read = fraction_of(text.substr(20, text.size() - 21));
    if (!read) return std::nullopt;
    fraction = *read;
  } else if (text.size() != 20) {
    return std::nullopt;
  }
  const auto days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute) * 60 * second_ns + *second * second_ns + fraction;
}

std::optional<object_time> time_of(const http_response& response) {
  if (const auto kept = parse_mtime(response.header(mtime_header))) return kept;
  const auto seconds = net::parse_http_date(response.header("last-modified"));
  if (!seconds) return std::nullopt;
  return object_time{*seconds * second_ns, true};
}

} // namespace cairn::cli
