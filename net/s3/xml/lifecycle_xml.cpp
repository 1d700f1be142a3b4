#include "net/s3/xml/lifecycle_xml.hpp"

#include "net/s3/xml/s3_errors.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/xml_reader.hpp"
#include "net/wire/grammar/http_date.hpp"

#include <algorithm>
#include <charconv>

namespace cairn::net {

namespace {

using storage::metadata::lifecycle_rule;

constexpr xml_bounds lifecycle_bounds{lifecycle_body_bytes_max, 30'000, 100, 8};
constexpr std::size_t rule_id_bytes_max = 255;
constexpr std::uint32_t noncurrent_kept_max = 100; // as in S3
constexpr std::int64_t day_ms = 24 * 3600 * 1000;
constexpr std::uint64_t object_bytes_max = 1ull << 62, days_max = 0x7fffffff;
constexpr std::string_view transition_size = "all_storage_classes_128K";

using refusal = std::optional<s3_error>;

s3_error malformed_lifecycle() {
  return malformed_xml("The body is not a LifecycleConfiguration.");
}

refusal read_days(const xml_element& from, std::uint32_t& days) {
  const auto number = xml_number(from);
  if (!number || *number == 0 || *number > days_max)
    return invalid_argument("'" + from.name + "' must be a positive integer.");
  days = static_cast<std::uint32_t>(*number);
  return std::nullopt;
}

// "2030-01-01T00:00:00.000Z" or "2030-01-01": a midnight.
refusal read_midnight(std::string_view text, wall_ms& into) {
  const auto number = [text](std::size_t at, std::size_t digits) {
    int value = -1;
    const auto part = text.size() >= at + digits ? text.substr(at, digits) : std::string_view{};
    const auto [end, problem] = std::from_chars(part.data(), part.data() + part.size(), value);
    return problem == std::errc{} && end == part.data() + part.size() ? value : -1;
  };
  const std::string_view rest = text.size() > 10 ? text.substr(10) : std::string_view{};
  const bool midnight = rest.empty() || rest == "T00:00:00Z" || rest == "T00:00:00.000Z" || rest == "T00:00:00+00:00";
  const std::chrono::year_month_day date{std::chrono::year{number(0, 4)},
                                         std::chrono::month{static_cast<unsigned>(std::max(number(5, 2), 0))},
                                         std::chrono::day{static_cast<unsigned>(std::max(number(8, 2), 0))}};
  if (number(0, 4) < 1970 || !date.ok() || text[4] != '-' || text[7] != '-')
    return invalid_argument("'Date' is not a date.");
  if (!midnight) return invalid_argument("'Date' must be at midnight GMT");
  into = std::chrono::sys_days{date}.time_since_epoch().count() * day_ms;
  return std::nullopt;
}

refusal read_expiration(const xml_element& from, lifecycle_rule& rule) {
  if (from.children.size() != 1) return malformed_lifecycle();
  const auto& what = from.children.front();
  if (what.name == "Days") return read_days(what, rule.expire_days);
  if (what.name == "Date") return read_midnight(what.token(), rule.expire_at);
  if (what.name != "ExpiredObjectDeleteMarker") return malformed_lifecycle();
  const auto expires = xml_boolean(what);
  if (!expires) return malformed_lifecycle();
  rule.expire_markers = *expires;
  return std::nullopt;
}

refusal read_displaced(const xml_element& from, lifecycle_rule& rule) {
  for (const auto& field : from.children) {
    const bool days = field.name == "NoncurrentDays";
    if (from.child(field.name) != &field) return malformed_lifecycle(); // said twice
    if (!days && field.name != "NewerNoncurrentVersions") return malformed_lifecycle();
    if (auto refused = read_days(field, days ? rule.noncurrent_days : rule.noncurrent_kept)) return refused;
  }
  if (rule.noncurrent_kept > noncurrent_kept_max)
    return invalid_argument("'NewerNoncurrentVersions' must be at most " + std::to_string(noncurrent_kept_max) + ".");
  return rule.noncurrent_days > 0 ? refusal{} : malformed_lifecycle();
}

refusal read_size(const xml_element& from, std::optional<std::uint64_t>& size) {
  size = xml_number(from);
  if (size && *size <= object_bytes_max) return std::nullopt;
  return invalid_argument("'" + from.name + "' must be a number of bytes.");
}

refusal read_tag(const xml_element& from, lifecycle_rule& rule) {
  const auto* key = from.child("Key");
  const auto* value = from.child("Value");
  if (key == nullptr || key->text.empty() || !has_only(from, {"Key", "Value"})) return malformed_lifecycle();
  const auto same = [key](const auto& tag) { return tag.first == key->text; };
  if (std::any_of(rule.tags.begin(), rule.tags.end(), same))
    return s3_error{400, "InvalidRequest", "Duplicate Tag Keys are not allowed."};
  rule.tags.emplace_back(key->text, value != nullptr ? value->text : std::string{});
  return std::nullopt;
}

// A Filter has one condition, or an And of several; an empty one is that of all objects. A condition that is lost on
// the way would expire what its owner keeps. Recursion is bounded: the document's depth is, and an And contains no
// other And.
refusal read_filter(const xml_element& from, lifecycle_rule& rule) {
  if (from.name == "Filter" ? from.children.size() > 1 : from.children.empty()) return malformed_lifecycle();
  for (const auto& field : from.children) {
    refusal refused;
    if (from.child(field.name) != &field && field.name != "Tag") return malformed_lifecycle(); // said twice
    if (field.name == "Prefix")
      rule.prefix = field.text;
    else if (field.name == "Tag")
      refused = read_tag(field, rule);
    else if (field.name == "ObjectSizeGreaterThan")
      refused = read_size(field, rule.size_above);
    else if (field.name == "ObjectSizeLessThan")
      refused = read_size(field, rule.size_below);
    else if (field.name == "And" && from.name == "Filter")
      refused = read_filter(field, rule);
    else
      return malformed_lifecycle();
    if (refused) return refused;
  }
  return std::nullopt;
}

// Combinations that S3 does not allow.
refusal refused_rule(const lifecycle_rule& rule) {
  const bool aborts = rule.abort_days > 0, picks = !rule.tags.empty() || rule.size_above || rule.size_below;
  if (rule.expire_days == 0 && rule.expire_at == 0 && !rule.expire_markers && rule.noncurrent_days == 0 && !aborts)
    return s3_error{400, "InvalidRequest", "At least one action needs to be specified in a rule."};
  if (aborts && picks)
    return s3_error{400, "InvalidRequest", "AbortIncompleteMultipartUpload cannot be specified with tags or sizes."};
  if (rule.expire_markers && !rule.tags.empty())
    return s3_error{400, "InvalidRequest", "ExpiredObjectDeleteMarker cannot be specified with tags."};
  if (rule.size_above && rule.size_below && *rule.size_above >= *rule.size_below)
    return s3_error{400, "InvalidRequest", "'ObjectSizeLessThan' has to be greater than 'ObjectSizeGreaterThan'."};
  return std::nullopt;
}

bool is_named(const lifecycle_rule_list& rules, std::string_view id) {
  return std::any_of(rules.begin(), rules.end(), [id](const lifecycle_rule& rule) { return rule.id == id; });
}

// Names the rules that have no id; no other rule of the document has these names.
void name_rules(lifecycle_rule_list& rules) {
  std::size_t number = 0;
  for (auto& rule : rules) {
    if (!rule.id.empty()) continue;
    std::string id;
    do id = "rule-" + std::to_string(++number);
    while (is_named(rules, id));
    rule.id = std::move(id);
  }
}

refusal read_field(const xml_element& field, lifecycle_rule& rule, bool& has_status) {
  if (field.name == "ID") {
    rule.id = field.text;
    return rule.id.size() > rule_id_bytes_max ? invalid_argument("ID length should not exceed allowed limit of 255")
                                              : refusal{};
  }
  if (field.name == "Status") {
    has_status = field.token() == "Enabled" || field.token() == "Disabled";
    rule.enabled = field.token() == "Enabled";
    return has_status ? refusal{} : malformed_lifecycle();
  }
  if (field.name == "Prefix") {
    rule.prefix = field.text;
    rule.without_filter = true;
    return std::nullopt;
  }
  if (field.name == "Filter") return read_filter(field, rule);
  if (field.name == "Expiration") return read_expiration(field, rule);
  if (field.name == "NoncurrentVersionExpiration") return read_displaced(field, rule);
  if (field.name == "AbortIncompleteMultipartUpload") {
    const auto* days = field.child("DaysAfterInitiation");
    return days && has_only(field, {"DaysAfterInitiation"}) ? read_days(*days, rule.abort_days) : malformed_lifecycle();
  }
  if (!field.name.ends_with("Transition")) return malformed_lifecycle();
  lifecycle_rule ignored;
  if (const auto* date = field.child("Date"))
    if (auto refused = read_midnight(date->token(), ignored.expire_at)) return refused;
  return not_implemented("Lifecycle transitions");
}

void add_text(xml_writer& xml, std::string_view outer, std::string_view inner, std::string_view value) {
  xml.open(outer);
  xml.text(inner, value);
  xml.close(outer);
}

void add_filter(xml_writer& xml, const lifecycle_rule& rule) {
  if (rule.without_filter) return xml.text("Prefix", rule.prefix);
  const std::size_t others = rule.tags.size() + (rule.size_above ? 1 : 0) + (rule.size_below ? 1 : 0);
  const bool many = others + (rule.prefix.empty() ? 0 : 1) > 1;
  xml.open("Filter");
  if (many) xml.open("And");
  if (!rule.prefix.empty() || others == 0) xml.text("Prefix", rule.prefix);
  for (const auto& [key, value] : rule.tags) {
    xml.open("Tag");
    xml.text("Key", key);
    xml.text("Value", value);
    xml.close("Tag");
  }
  if (rule.size_above) xml.number("ObjectSizeGreaterThan", *rule.size_above);
  if (rule.size_below) xml.number("ObjectSizeLessThan", *rule.size_below);
  if (many) xml.close("And");
  xml.close("Filter");
}

void add_rule(xml_writer& xml, const lifecycle_rule& rule) {
  xml.open("Rule");
  if (!rule.id.empty()) xml.text("ID", rule.id);
  add_filter(xml, rule);
  xml.text("Status", rule.enabled ? "Enabled" : "Disabled");
  if (rule.expire_days > 0) add_text(xml, "Expiration", "Days", std::to_string(rule.expire_days));
  if (rule.expire_at != 0) {
    std::string date;
    append_iso_time(date, rule.expire_at);
    add_text(xml, "Expiration", "Date", date);
  }
  if (rule.expire_markers) add_text(xml, "Expiration", "ExpiredObjectDeleteMarker", "true");
  if (rule.noncurrent_days > 0) {
    xml.open("NoncurrentVersionExpiration");
    xml.number("NoncurrentDays", rule.noncurrent_days);
    if (rule.noncurrent_kept > 0) xml.number("NewerNoncurrentVersions", rule.noncurrent_kept);
    xml.close("NoncurrentVersionExpiration");
  }
  if (rule.abort_days > 0)
    add_text(xml, "AbortIncompleteMultipartUpload", "DaysAfterInitiation", std::to_string(rule.abort_days));
  xml.close("Rule");
}

} // namespace

std::variant<lifecycle_rule_list, s3_error> read_lifecycle_document(std::string_view body) {
  const auto root = read_xml(body, lifecycle_bounds);
  if (!root || root->name != "LifecycleConfiguration" || root->children.empty()) return malformed_lifecycle();
  lifecycle_rule_list rules;
  for (const auto& child : root->children) {
    if (child.name != "Rule" || rules.size() == lifecycle_rules_max) return malformed_lifecycle();
    auto& rule = rules.emplace_back();
    bool has_status = false;
    for (const auto& field : child.children) {
      if (child.child(field.name) != &field && !field.name.ends_with("Transition"))
        return malformed_lifecycle(); // said twice
      if (auto refused = read_field(field, rule, has_status)) return std::move(*refused);
    }
    const bool old_form = child.child("Prefix") != nullptr, filtered = child.child("Filter") != nullptr;
    if (!has_status || old_form == filtered) return malformed_lifecycle();
    if (auto refused = refused_rule(rule)) return std::move(*refused);
    const auto same = [&rule](const lifecycle_rule& r) { return r.id == rule.id; };
    if (!rule.id.empty() && std::any_of(rules.begin(), rules.end() - 1, same))
      return invalid_argument("Rule ID must be unique. Found same ID for more than one rule");
  }
  name_rules(rules);
  return rules;
}

std::string lifecycle_document(const lifecycle_rule_list& rules) {
  xml_writer xml;
  xml.open("LifecycleConfiguration", s3_name_space);
  for (const auto& rule : rules) add_rule(xml, rule);
  xml.close("LifecycleConfiguration");
  return xml.take();
}

std::optional<s3_error> refused_transition_size(std::string_view value) {
  if (value == transition_size) return std::nullopt;
  if (value == "varies_by_storage_class")
    return not_implemented("Another x-amz-transition-default-minimum-object-size than " + std::string{transition_size});
  return invalid_argument("x-amz-transition-default-minimum-object-size is " + std::string{transition_size} + ".");
}

std::string transition_size_line() {
  return std::string{transition_size_header}.append(": ").append(transition_size).append("\r\n");
}

} // namespace cairn::net
