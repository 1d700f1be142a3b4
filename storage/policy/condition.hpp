// A line of a policy's Condition: an operator, a condition key and the values that the policy gives. Source: AWS, IAM
// User Guide, "IAM JSON policy elements: Condition operators". Pure.
#pragma once

#include "base/units.hpp"
#include "storage/policy/pattern.hpp"
#include "storage/policy/request.hpp"

#include <array>

namespace cairn::storage::policy {

enum class comparison : std::uint8_t {
  string_equals,
  string_equals_ignore_case,
  string_like,
  numeric_equals,
  numeric_less,
  numeric_less_equals,
  numeric_greater,
  numeric_greater_equals,
  date_equals,
  date_less,
  date_less_equals,
  date_greater,
  date_greater_equals,
  boolean,
  binary,
  ip_address,
  arn,
  null,
};

enum class quantifier : std::uint8_t { none, for_all, for_any };

// "ForAllValues:StringNotLikeIfExists".
struct condition_operator {
  comparison how{};
  bool negated = false, if_exists = false;
  quantifier over = quantifier::none;
};
std::optional<condition_operator> operator_of(std::string_view text);

struct address_range {
  config::address_bytes address{};
  unsigned bits = 128;
  bool is_4() const { return bits >= 96 && config::is_ipv4(address); }
  bool contains(const config::address_bytes& other) const; // a range of IPv6 holds no address of IPv4
};
std::optional<address_range> read_range(std::string_view text); // "10.0.0.0/8", "2001:db8::/32", an address alone

class condition {
public:
  // `value`: one of the policy's, as text. False: `problem` says why it is not one that the operator takes.
  condition(condition_operator how, named_key key) : how_(how), key_(key.key), name_(key.name) {}
  bool add(std::string_view value, bool variables, std::string& problem);

  answer holds(const request& r) const;

  const condition_operator& how() const { return how_; }
  context_key key() const { return key_; }
  const std::vector<pattern>& patterns() const { return patterns_; }
  const std::vector<address_range>& ranges() const { return ranges_; }

private:
  answer is_among(const std::string& value, const request& r) const;
  bool add_parsed(std::string_view value, std::string& problem);

  condition_operator how_;
  context_key key_;
  std::string name_; // of a tag
  // One of these lists has the policy's values, by the kind of the operator.
  std::vector<pattern> patterns_;
  std::vector<std::vector<pattern>> arns_; // the parts of each
  std::vector<double> numbers_;
  std::vector<wall_ms> dates_;
  std::vector<address_range> ranges_;
  std::vector<std::string> texts_; // of Bool, Null and BinaryEquals, decoded
};

} // namespace cairn::storage::policy
