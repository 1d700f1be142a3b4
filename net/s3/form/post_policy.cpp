#include "net/s3/form/post_policy.hpp"

#include "base/json.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/base64.hpp"
#include "net/wire/grammar/field_text.hpp"
#include "net/wire/grammar/http_date.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

constexpr std::size_t policy_depth_max = 4;

constexpr std::string_view ignored_prefix = "x-ignore-";
// "signature" and "awsaccesskeyid" are those of Signature Version 2.
constexpr std::array<std::string_view, 6> exempt{"file",      "policy",         "x-amz-signature",
                                                 "signature", "awsaccesskeyid", "bucket"};

s3_error invalid_policy(std::string_view what) {
  return {400, "InvalidPolicyDocument", "Invalid Policy: " + std::string{what}};
}

s3_error denied(std::string_view why) {
  return {403, "AccessDenied", "Invalid according to Policy: " + std::string{why}};
}

// A number of bytes, or one in a string.
std::optional<std::uint64_t> size_of(const json_value& value) {
  if (const auto* number = value.if_int64()) return *number < 0 ? std::nullopt : std::optional<std::uint64_t>{*number};
  if (const auto* number = value.if_uint64()) return *number;
  const auto text = text_of(value);
  if (text.empty() || text.size() > 19) return std::nullopt;
  std::uint64_t size = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    size = size * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return size;
}

std::optional<s3_error> read_range(const json_array& items, post_policy& policy) {
  const auto least = items.size() == 3 ? size_of(items[1]) : std::nullopt;
  const auto most = items.size() == 3 ? size_of(items[2]) : std::nullopt;
  if (!least || !most) return invalid_policy("Invalid content-length-range: two numbers of bytes are expected.");
  policy.size_min = std::max(policy.size_min, *least);
  policy.size_max = std::min(policy.size_max, *most);
  return std::nullopt;
}

std::optional<s3_error> read_condition(const json_array& items, post_policy& policy) {
  const auto kind = items.empty() ? std::string{} : ascii_lower(text_of(items[0]));
  if (kind == "content-length-range") return read_range(items, policy);
  if (kind != "eq" && kind != "starts-with") return invalid_policy("Invalid Condition: an unknown operator.");
  if (items.size() != 3 || !items[1].is_string() || !items[2].is_string())
    return invalid_policy("Invalid Condition: an operator takes the name of a field and a string.");
  const auto field = text_of(items[1]);
  if (field.size() < 2 || field.front() != '$')
    return invalid_policy("Invalid Condition: the name of a field begins with '$'.");
  policy.conditions.push_back({kind == "eq", ascii_lower(field.substr(1)), std::string{text_of(items[2])}});
  return std::nullopt;
}

std::optional<s3_error> read_condition(const json_value& condition, post_policy& policy) {
  if (const auto* items = condition.if_array()) return read_condition(*items, policy);
  const auto* members = condition.if_object();
  if (!members || members->size() != 1)
    return invalid_policy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.");
  const auto& [name, value] = *members->begin();
  if (!value.is_string()) return invalid_policy("Invalid Simple-Condition: value must be a string.");
  policy.conditions.push_back({true, ascii_lower({name.data(), name.size()}), std::string{text_of(value)}});
  return std::nullopt;
}

// As the policy has it.
std::string shown(const policy_condition& condition) {
  std::string text = condition.exact ? "[\"eq\", \"$" : "[\"starts-with\", \"$";
  return text.append(condition.field).append("\", \"").append(condition.value).append("\"]");
}

// S3 takes a Content-Type with commas for a list, each of which has to begin so.
bool each_starts_with(std::string_view list, std::string_view prefix) {
  while (true) {
    const auto comma = list.find(',');
    if (!trimmed(list.substr(0, comma)).starts_with(prefix)) return false;
    if (comma == list.npos) return true;
    list.remove_prefix(comma + 1);
  }
}

bool holds(const policy_condition& condition, std::string_view value) {
  if (condition.exact) return value == condition.value;
  return condition.field == "content-type" ? each_starts_with(value, condition.value)
                                           : value.starts_with(condition.value);
}

} // namespace

std::variant<post_policy, s3_error> read_policy(std::string_view base64) {
  const auto text = base64_decode(base64);
  if (!text) return invalid_policy("It is not base64.");
  const auto document = read_json(*text, form_text_bytes_max, policy_depth_max);
  const auto* members = document ? document->if_object() : nullptr;
  if (!members) return invalid_policy("Invalid JSON.");
  post_policy policy;
  const json_value* conditions = nullptr;
  bool has_expiration = false;
  for (const auto& [name, value] : *members) {
    if (name == "conditions") {
      conditions = &value;
      continue;
    }
    if (name != "expiration") return invalid_policy("Unexpected: '" + std::string{name.data(), name.size()} + "'.");
    const auto time = parse_iso_time(text_of(value));
    if (!time) return invalid_policy("Invalid 'expiration' value: '" + std::string{text_of(value)} + "'.");
    policy.expires = *time;
    has_expiration = true;
  }
  if (!has_expiration) return invalid_policy("Policy missing expiration.");
  if (!conditions) return invalid_policy("Policy missing conditions.");
  const auto* list = conditions->if_array();
  if (!list) return invalid_policy("Invalid 'conditions' value: must be a list.");
  for (const auto& condition : *list) {
    if (auto refused = read_condition(condition, policy)) return std::move(*refused);
  }
  return policy;
}

std::optional<s3_error> check_policy(const post_policy& policy, const std::vector<form_field>& fields,
                                     std::string_view bucket, wall_ms now) {
  if (now >= policy.expires) return denied("Policy expired.");
  for (const auto& condition : policy.conditions) {
    const auto same = [&condition](const form_field& field) { return field.name == condition.field; };
    const auto field = std::find_if(fields.begin(), fields.end(), same);
    const bool of_bucket = condition.field == "bucket";
    const bool given = of_bucket || field != fields.end();
    if (!given || !holds(condition, of_bucket ? bucket : std::string_view{field->value}))
      return denied("Policy Condition failed: " + shown(condition));
  }
  const auto covered = [&policy](std::string_view name) {
    return std::any_of(policy.conditions.begin(), policy.conditions.end(),
                       [name](const policy_condition& condition) { return condition.field == name; });
  };
  if (!covered("bucket")) return denied("Extra input fields: bucket");
  for (const auto& field : fields) {
    const bool free =
        std::find(exempt.begin(), exempt.end(), field.name) != exempt.end() || field.name.starts_with(ignored_prefix);
    if (!free && !covered(field.name)) return denied("Extra input fields: " + field.name);
  }
  return std::nullopt;
}

} // namespace cairn::net
