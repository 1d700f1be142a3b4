#include "storage/policy/condition.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace cairn::storage::policy {

namespace {

struct operator_row {
  std::string_view name;
  comparison how;
  bool negated = false;
};
constexpr operator_row operators[] = {
    {"StringEquals", comparison::string_equals},
    {"StringNotEquals", comparison::string_equals, true},
    {"StringEqualsIgnoreCase", comparison::string_equals_ignore_case},
    {"StringNotEqualsIgnoreCase", comparison::string_equals_ignore_case, true},
    {"StringLike", comparison::string_like},
    {"StringNotLike", comparison::string_like, true},
    {"NumericEquals", comparison::numeric_equals},
    {"NumericNotEquals", comparison::numeric_equals, true},
    {"NumericLessThan", comparison::numeric_less},
    {"NumericLessThanEquals", comparison::numeric_less_equals},
    {"NumericGreaterThan", comparison::numeric_greater},
    {"NumericGreaterThanEquals", comparison::numeric_greater_equals},
    {"DateEquals", comparison::date_equals},
    {"DateNotEquals", comparison::date_equals, true},
    {"DateLessThan", comparison::date_less},
    {"DateLessThanEquals", comparison::date_less_equals},
    {"DateGreaterThan", comparison::date_greater},
    {"DateGreaterThanEquals", comparison::date_greater_equals},
    {"Bool", comparison::boolean},
    {"BinaryEquals", comparison::binary},
    {"IpAddress", comparison::ip_address},
    {"NotIpAddress", comparison::ip_address, true},
    {"ArnEquals", comparison::arn},
    {"ArnLike", comparison::arn},
    {"ArnNotEquals", comparison::arn, true},
    {"ArnNotLike", comparison::arn, true},
    {"Null", comparison::null},
};

constexpr std::size_t arn_parts = 6;

bool drop_suffix(std::string_view& text, std::string_view suffix) {
  if (!text.ends_with(suffix)) return false;
  text.remove_suffix(suffix.size());
  return true;
}

bool drop_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

// A decimal number without surrounding spaces; no hexadecimal, infinity or NaN.
std::optional<double> read_number(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const bool plain = !text.empty() && text.find_first_not_of("0123456789.-eE+") == text.npos;
  double number = 0;
  const auto* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (!plain || read.ec != std::errc{} || read.ptr != end || !std::isfinite(number)) return std::nullopt;
  return number;
}

std::optional<bool> read_bool(std::string_view text) {
  if (same_word(text, "true")) return true;
  return same_word(text, "false") ? std::optional{false} : std::nullopt;
}

std::optional<std::string> read_base64(std::string_view text) {
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  if (text.size() % 4 != 0) return std::nullopt;
  std::string bytes;
  const auto padding = text.ends_with("==") ? 2u : text.ends_with('=') ? 1u : 0u;
  const auto symbols = text.substr(0, text.size() - padding);
  std::uint32_t held = 0;
  unsigned bits = 0;
  for (const char c : symbols) {
    const auto value = alphabet.find(c);
    if (value == alphabet.npos) return std::nullopt;
    held = held << 6 | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits >= 8) bytes.push_back(static_cast<char>(held >> (bits -= 8) & 0xff));
  }
  return (held & ((1u << bits) - 1)) == 0 ? std::optional{std::move(bytes)} : std::nullopt;
}

// The parts of an ARN; the last one may hold colons. Nothing: it has fewer than six.
std::vector<std::string_view> parts_of_arn(std::string_view text) {
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < arn_parts) {
    const auto colon = text.find(':');
    if (colon == text.npos) return {};
    parts.push_back(text.substr(0, colon));
    text.remove_prefix(colon + 1);
  }
  parts.push_back(text);
  return parts;
}

// Where a `:` inside of `${…}` does not end a part.
std::vector<std::string> parts_of_arn_pattern(std::string_view text) {
  std::vector<std::string> parts(1);
  bool inside = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text.substr(at).starts_with("${")) inside = true;
    if (inside && text[at] == '}') inside = false;
    if (text[at] == ':' && !inside && parts.size() < arn_parts)
      parts.emplace_back();
    else
      parts.back() += text[at];
  }
  return parts.size() == arn_parts ? parts : std::vector<std::string>{};
}

template <class Value>
bool compares(comparison how, const Value& given, const Value& wanted) {
  switch (how) {
    case comparison::numeric_equals:
    case comparison::date_equals: return given == wanted;
    case comparison::numeric_less:
    case comparison::date_less: return given < wanted;
    case comparison::numeric_less_equals:
    case comparison::date_less_equals: return given <= wanted;
    case comparison::numeric_greater:
    case comparison::date_greater: return given > wanted;
    default: return given >= wanted;
  }
}

template <class Value>
bool any_compares(comparison how, const std::optional<Value>& given, const std::vector<Value>& wanted) {
  return given &&
         std::any_of(wanted.begin(), wanted.end(), [&](const Value& value) { return compares(how, *given, value); });
}

} // namespace

std::optional<condition_operator> operator_of(std::string_view text) {
  condition_operator found;
  if (drop_prefix(text, "ForAllValues:"))
    found.over = quantifier::for_all;
  else if (drop_prefix(text, "ForAnyValue:"))
    found.over = quantifier::for_any;
  found.if_exists = drop_suffix(text, "IfExists");
  for (const auto& row : operators) {
    if (row.name != text) continue;
    found.how = row.how;
    found.negated = row.negated;
    const bool plain = !found.if_exists && found.over == quantifier::none;
    return row.how == comparison::null && !plain ? std::nullopt : std::optional{found};
  }
  return std::nullopt;
}

bool address_range::contains(const config::address_bytes& other) const {
  if (is_4() != config::is_ipv4(other)) return false;
  const unsigned whole = bits / 8, rest = bits % 8;
  if (!std::equal(address.begin(), address.begin() + whole, other.begin())) return false;
  return rest == 0 || (address[whole] ^ other[whole]) >> (8 - rest) == 0;
}

std::optional<address_range> read_range(std::string_view text) {
  const auto slash = text.find('/');
  const auto address = config::parse_address_bytes(text.substr(0, slash));
  if (!address) return std::nullopt;
  const bool is_4 = text.find(':') == text.npos; // as it is written
  address_range range{*address, 128};
  if (slash == text.npos) return range;
  const auto digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, bits);
  if (digits.empty() || digits.front() == '+' || read.ec != std::errc{} || read.ptr != end ||
      bits > (is_4 ? 32u : 128u))
    return std::nullopt;
  range.bits = is_4 ? bits + 96 : bits;
  return range;
}

bool condition::add_parsed(std::string_view value, std::string& problem) {
  const auto keep = [&problem](auto& list, auto read, const char* what) {
    if (read) list.push_back(std::move(*read));
    if (!read) problem = std::string{"it is not "} + what;
    return read.has_value();
  };
  switch (how_.how) {
    case comparison::numeric_equals:
    case comparison::numeric_less:
    case comparison::numeric_less_equals:
    case comparison::numeric_greater:
    case comparison::numeric_greater_equals: return keep(numbers_, read_number(value), "a number");
    case comparison::date_equals:
    case comparison::date_less:
    case comparison::date_less_equals:
    case comparison::date_greater:
    case comparison::date_greater_equals: return keep(dates_, read_date(value), "a date of ISO 8601 or a number");
    case comparison::ip_address: return keep(ranges_, read_range(value), "an IP address or a range of them");
    case comparison::binary: return keep(texts_, read_base64(value), "base64");
    default: break;
  }
  const auto read = read_bool(value);
  if (read) texts_.emplace_back(*read ? "true" : "false");
  if (!read) problem = "it is neither true nor false";
  return read.has_value();
}

bool condition::add(std::string_view value, bool variables, std::string& problem) {
  if (value.size() > pattern_bytes_max) {
    problem = "it is longer than " + std::to_string(pattern_bytes_max) + " bytes";
    return false;
  }
  if (how_.how == comparison::arn) {
    std::vector<pattern> parts;
    for (const auto& part : parts_of_arn_pattern(value)) {
      auto read = pattern::read(part, true, variables, problem);
      if (!read) return false;
      parts.push_back(std::move(*read));
    }
    if (parts.empty()) {
      problem = "it is not an ARN, which has six parts between colons";
      return false;
    }
    arns_.push_back(std::move(parts));
  }
  const bool is_text = how_.how == comparison::string_equals || how_.how == comparison::string_equals_ignore_case ||
                       how_.how == comparison::string_like || how_.how == comparison::arn;
  if (!is_text) return add_parsed(value, problem);
  const bool wild = how_.how == comparison::string_like || how_.how == comparison::arn;
  auto read = pattern::read(value, wild, variables, problem);
  if (read) patterns_.push_back(std::move(*read));
  return read.has_value();
}

answer condition::is_among(const std::string& value, const request& r) const {
  const auto any = [](const auto& list, const auto& fits) {
    return std::any_of(list.begin(), list.end(), fits) ? answer::yes : answer::no;
  };
  switch (how_.how) {
    case comparison::string_equals:
    case comparison::string_like: return any_matches(patterns_, value, r, false);
    case comparison::string_equals_ignore_case: return any_matches(patterns_, value, r, true);
    case comparison::arn: {
      const auto parts = parts_of_arn(value);
      answer found = answer::no;
      for (const auto& wanted : arns_) {
        answer all = parts.empty() ? answer::no : answer::yes;
        for (std::size_t i = 0; i < parts.size(); ++i)
          all = std::min(all, any_matches({&wanted[i], 1}, parts[i], r, false), weaker);
        found = std::max(found, all, weaker);
      }
      return found;
    }
    case comparison::ip_address: {
      const auto address = config::parse_address_bytes(value);
      return address ? any(ranges_, [&](const auto& range) { return range.contains(*address); }) : answer::no;
    }
    case comparison::boolean: {
      const auto read = read_bool(value);
      return read ? any(texts_, [&](const auto& text) { return text == (*read ? "true" : "false"); }) : answer::no;
    }
    case comparison::binary: return any(texts_, [&](const auto& text) { return text == value; });
    case comparison::date_equals:
    case comparison::date_less:
    case comparison::date_less_equals:
    case comparison::date_greater:
    case comparison::date_greater_equals:
      return any_compares(how_.how, read_date(value), dates_) ? answer::yes : answer::no;
    default: return any_compares(how_.how, read_number(value), numbers_) ? answer::yes : answer::no;
  }
}

answer condition::holds(const request& r) const {
  if (!r.knows(key_)) return answer::unknown;
  const auto values = r.values({key_, name_});
  const auto is = [](bool yes) { return yes ? answer::yes : answer::no; };
  if (how_.how == comparison::null) {
    const std::string_view absent = values.empty() ? "true" : "false";
    return is(std::any_of(texts_.begin(), texts_.end(), [&](const auto& text) { return text == absent; }));
  }
  if (values.empty())
    return is(how_.if_exists || how_.over == quantifier::for_all || (how_.negated && how_.over == quantifier::none));
  // Without a quantifier one of several values may be among the policy's; negated, none.
  const bool every = how_.over == quantifier::for_all || (how_.over == quantifier::none && how_.negated);
  answer held = is(every);
  for (const auto& value : values) {
    auto fits = is_among(value, r);
    if (how_.negated && fits != answer::unknown) fits = is(fits == answer::no);
    held = every ? std::min(held, fits, weaker) : std::max(held, fits, weaker);
  }
  return held;
}

} // namespace cairn::storage::policy
