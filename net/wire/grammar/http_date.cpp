#include "net/wire/grammar/http_date.hpp"

#include <array>
#include <charconv>
#include <chrono>

namespace cairn::net {

namespace {

constexpr std::array<std::string_view, 7> day_names{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> long_day_names{"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                         "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> month_names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t day_seconds = 86400;

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

struct civil_time {
  int year;
  unsigned month, day, weekday, hour, minute, second;
};

civil_time civil(std::int64_t seconds) {
  const auto days = floor_divide(seconds, day_seconds);
  const auto rest = static_cast<unsigned>(seconds - days * day_seconds);
  const std::chrono::sys_days date{std::chrono::days{days}};
  const std::chrono::year_month_day ymd{date};
  return {int(ymd.year()),
          unsigned(ymd.month()),
          unsigned(ymd.day()),
          std::chrono::weekday{date}.c_encoding(),
          rest / 3600,
          rest / 60 % 60,
          rest % 60};
}

void append_two(std::string& out, unsigned value) {
  out.push_back(static_cast<char>('0' + value / 10 % 10));
  out.push_back(static_cast<char>('0' + value % 10));
}

void append_four(std::string& out, int value) {
  append_two(out, static_cast<unsigned>(value) / 100);
  append_two(out, static_cast<unsigned>(value) % 100);
}

// Reads a date from the front of a text. After a mismatch all further reads fail.
class date_reader {
public:
  explicit date_reader(std::string_view text) : text_(text) {}
  bool good() const { return good_; }
  bool at_end() const { return good_ && text_.empty(); }

  void literal(std::string_view expected) {
    if (good_ && text_.substr(0, expected.size()) == expected)
      text_.remove_prefix(expected.size());
    else
      good_ = false;
  }
  unsigned digits(std::size_t count) {
    unsigned value = 0;
    if (!good_ || text_.size() < count) return fail();
    const auto [end, problem] = std::from_chars(text_.data(), text_.data() + count, value);
    if (problem != std::errc{} || end != text_.data() + count || text_.front() == '-') return fail();
    text_.remove_prefix(count);
    return value;
  }
  template <std::size_t N>
  unsigned one_of(const std::array<std::string_view, N>& names) {
    for (unsigned i = 0; good_ && i < N; ++i) {
      if (text_.substr(0, names[i].size()) != names[i]) continue;
      text_.remove_prefix(names[i].size());
      return i;
    }
    return fail();
  }
  void refuse() { good_ = false; }
  bool next_is(char c) const { return good_ && !text_.empty() && text_.front() == c; }

private:
  unsigned fail() {
    good_ = false;
    return 0;
  }
  std::string_view text_;
  bool good_ = true;
};

struct calendar_date {
  unsigned year, month, day;
};

struct clock_time {
  unsigned hour, minute, second;
};

clock_time read_clock(date_reader& in) {
  clock_time t{};
  t.hour = in.digits(2);
  in.literal(":");
  t.minute = in.digits(2);
  in.literal(":");
  t.second = in.digits(2);
  return t;
}

std::optional<std::int64_t> seconds_of(const calendar_date& d, const clock_time& t) {
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(d.year)}, std::chrono::month{d.month},
                                         std::chrono::day{d.day}};
  if (!date.ok() || t.hour > 23 || t.minute > 59 || t.second > 60) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
  return days * day_seconds + t.hour * 3600 + t.minute * 60 + t.second;
}

// " GMT", or as in mail " -0000" and " +0130" (RFC 5322): seconds east of Greenwich.
std::int64_t read_zone(date_reader& in) {
  in.literal(" ");
  const bool west = in.next_is('-');
  if (!west && !in.next_is('+')) {
    in.literal("GMT");
    return 0;
  }
  in.literal(west ? "-" : "+");
  const std::int64_t hours = in.digits(2), minutes = in.digits(2);
  if (hours > 23 || minutes > 59) in.refuse();
  return (west ? -60 : 60) * (hours * 60 + minutes);
}

// "06-Nov-94": IMF-fixdate and RFC 850 differ in the separator and the year's digits.
calendar_date read_date(date_reader& in, std::string_view separator, std::size_t year_digits) {
  calendar_date d{};
  in.literal(", ");
  d.day = in.digits(2);
  in.literal(separator);
  d.month = in.one_of(month_names) + 1;
  in.literal(separator);
  d.year = in.digits(year_digits);
  in.literal(" ");
  return d;
}

std::optional<std::int64_t> parse_imf(std::string_view text) {
  date_reader in{text};
  in.one_of(day_names);
  const auto date = read_date(in, " ", 4);
  const auto time = read_clock(in);
  const auto east = read_zone(in);
  const auto seconds = in.at_end() ? seconds_of(date, time) : std::nullopt;
  return seconds ? std::optional{*seconds - east} : std::nullopt;
}

std::optional<std::int64_t> parse_rfc850(std::string_view text) {
  date_reader in{text};
  in.one_of(long_day_names);
  auto date = read_date(in, "-", 2);
  date.year += date.year < 70 ? 2000 : 1900;
  const auto time = read_clock(in);
  in.literal(" GMT");
  return in.at_end() ? seconds_of(date, time) : std::nullopt;
}

std::optional<std::int64_t> parse_asctime(std::string_view text) {
  date_reader in{text};
  in.one_of(day_names);
  in.literal(" ");
  calendar_date date{};
  date.month = in.one_of(month_names) + 1;
  in.literal(" ");
  const bool padded = in.next_is(' ');
  if (padded) in.literal(" ");
  date.day = in.digits(padded ? 1 : 2);
  in.literal(" ");
  const auto time = read_clock(in);
  in.literal(" ");
  date.year = in.digits(4);
  return in.at_end() ? seconds_of(date, time) : std::nullopt;
}

// "08:49:37"
void append_clock(std::string& out, const civil_time& t) {
  append_two(out, t.hour);
  out += ':';
  append_two(out, t.minute);
  out += ':';
  append_two(out, t.second);
}

} // namespace

std::int64_t whole_seconds(wall_ms time) {
  return floor_divide(time, 1000);
}

void append_http_date(std::string& out, std::int64_t seconds) {
  const auto t = civil(seconds);
  out += day_names[t.weekday];
  out += ", ";
  append_two(out, t.day);
  out += ' ';
  out += month_names[t.month - 1];
  out += ' ';
  append_four(out, t.year);
  out += ' ';
  append_clock(out, t);
  out += " GMT";
}

void append_iso_time(std::string& out, wall_ms time) {
  const auto seconds = whole_seconds(time);
  const auto t = civil(seconds);
  const auto ms = static_cast<unsigned>(time - seconds * 1000);
  append_four(out, t.year);
  out += '-';
  append_two(out, t.month);
  out += '-';
  append_two(out, t.day);
  out += 'T';
  append_clock(out, t);
  out += '.';
  out.push_back(static_cast<char>('0' + ms / 100));
  append_two(out, ms % 100);
  out += 'Z';
}

void append_log_time(std::string& out, std::int64_t seconds) {
  const auto t = civil(seconds);
  append_two(out, t.day);
  out += '/';
  out += month_names[t.month - 1];
  out += '/';
  append_four(out, t.year);
  out += ':';
  append_clock(out, t);
  out += " +0000";
}

std::optional<wall_ms> parse_iso_time(std::string_view text) {
  date_reader in{text};
  calendar_date date{};
  date.year = in.digits(4);
  in.literal("-");
  date.month = in.digits(2);
  in.literal("-");
  date.day = in.digits(2);
  in.literal("T");
  const auto time = read_clock(in);
  unsigned ms = 0;
  if (in.next_is('.')) {
    in.literal(".");
    unsigned weight = 100;
    do {
      ms += weight * in.digits(1);
      weight /= 10;
    } while (in.good() && !in.next_is('Z'));
  }
  in.literal("Z");
  const auto seconds = in.at_end() ? seconds_of(date, time) : std::nullopt;
  return seconds ? std::optional{*seconds * 1000 + ms} : std::nullopt;
}

std::optional<std::int64_t> parse_http_date(std::string_view text) {
  if (auto t = parse_imf(text)) return t;
  if (auto t = parse_rfc850(text)) return t;
  return parse_asctime(text);
}

} // namespace cairn::net
