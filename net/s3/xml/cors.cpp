#include "net/s3/xml/cors.hpp"

#include "net/s3/xml/s3_errors.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/xml_reader.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/field_text.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

using storage::metadata::cors_rule;

constexpr xml_bounds cors_bounds{cors_body_bytes_max, 8000, 100, 8};
constexpr std::array<std::string_view, 5> methods{"GET", "PUT", "POST", "DELETE", "HEAD"};
constexpr std::size_t cors_id_bytes_max = 255;
constexpr std::size_t compared_bytes_max = 4096; // of an origin or a header's name
constexpr std::string_view vary = "Vary: Origin, Access-Control-Request-Headers, Access-Control-Request-Method\r\n";

// `pattern` has at most one '*', which matches any characters.
bool fits(std::string_view pattern, std::string_view text, bool any_case) {
  const auto same = [any_case](std::string_view a, std::string_view b) { return any_case ? iequals(a, b) : a == b; };
  const auto star = pattern.find('*');
  if (star == pattern.npos) return same(pattern, text);
  const auto front = pattern.substr(0, star), back = pattern.substr(star + 1);
  return text.size() >= front.size() + back.size() && same(text.substr(0, front.size()), front) &&
         same(text.substr(text.size() - back.size()), back);
}

bool any_fits(const std::vector<std::string>& patterns, std::string_view text, bool any_case) {
  if (text.size() > compared_bytes_max) return false;
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& p) { return fits(p, text, any_case); });
}

// The distinct names; nullopt: too many. The number is bounded because each name is compared with each stored pattern.
std::optional<std::vector<std::string_view>> names_of(std::string_view list) {
  std::vector<std::string_view> names;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    const auto name = trimmed(list.substr(0, end));
    const auto same = [name](std::string_view other) { return iequals(name, other); };
    if (!name.empty() && std::none_of(names.begin(), names.end(), same)) {
      if (names.size() == preflight_headers_max) return std::nullopt;
      names.push_back(name);
    }
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return names;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string out;
  for (const auto& text : texts) out.append(out.empty() ? "" : ", ").append(text);
  return out;
}

const cors_rule* rule_for(const cors_rules& rules, std::string_view origin, std::string_view method,
                          const std::vector<std::string_view>& headers) {
  for (const auto& rule : rules) {
    if (!any_fits(rule.origins, origin, false)) continue;
    if (std::find(rule.methods.begin(), rule.methods.end(), method) == rule.methods.end()) continue;
    const auto allowed = [&rule](std::string_view name) { return any_fits(rule.headers, name, true); };
    if (std::all_of(headers.begin(), headers.end(), allowed)) return &rule;
  }
  return nullptr;
}

void add(std::string& lines, std::string_view name, std::string_view value) {
  lines.append(name).append(": ").append(value).append("\r\n");
}

std::string lines_of(const cors_rule& rule, std::string_view origin) {
  std::string lines;
  const bool everyone = std::find(rule.origins.begin(), rule.origins.end(), "*") != rule.origins.end();
  add(lines, "Access-Control-Allow-Origin", everyone ? std::string_view{"*"} : origin);
  if (!everyone) add(lines, "Access-Control-Allow-Credentials", "true");
  add(lines, "Access-Control-Allow-Methods", joined(rule.methods));
  if (!rule.exposed.empty()) add(lines, "Access-Control-Expose-Headers", joined(rule.exposed));
  if (rule.max_age_seconds) add(lines, "Access-Control-Max-Age", std::to_string(*rule.max_age_seconds));
  return lines.append(vary);
}

s3_error malformed_cors() {
  return malformed_xml("The body is not a CORSConfiguration.");
}

// Whether the text is valid in a header line.
bool is_plain(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::optional<s3_error> read_rule(const xml_element& from, cors_rule& rule) {
  const std::array lists{std::pair{std::string_view{"AllowedOrigin"}, &rule.origins},
                         std::pair{std::string_view{"AllowedMethod"}, &rule.methods},
                         std::pair{std::string_view{"AllowedHeader"}, &rule.headers},
                         std::pair{std::string_view{"ExposeHeader"}, &rule.exposed}};
  for (const auto& field : from.children) {
    const auto list = std::find_if(lists.begin(), lists.end(), [&](const auto& l) { return l.first == field.name; });
    if (list != lists.end()) {
      const auto value = field.token();
      if (!is_plain(value)) return malformed_cors();
      if (std::count(value.begin(), value.end(), '*') > 1)
        return s3_error{400, "InvalidRequest", field.name + " can not have more than one wildcard."};
      list->second->emplace_back(value);
    } else if (from.child(field.name) != &field) { // repeated element
      return malformed_cors();
    } else if (field.name == "ID") {
      if (field.text.size() > cors_id_bytes_max) return malformed_cors();
      rule.id = field.text;
    } else if (field.name == "MaxAgeSeconds") {
      const auto seconds = xml_number(field);
      if (!seconds || *seconds > storage::metadata::max_age_seconds_max) return malformed_cors();
      rule.max_age_seconds = static_cast<std::uint32_t>(*seconds);
    } else {
      return malformed_cors();
    }
  }
  if (rule.origins.empty() || rule.methods.empty()) return malformed_cors();
  for (const auto& method : rule.methods) {
    if (std::find(methods.begin(), methods.end(), method) == methods.end())
      return s3_error{400, "InvalidRequest", "Found unsupported HTTP method in CORS config: " + method + "."};
  }
  return std::nullopt;
}

} // namespace

std::variant<cors_rules, s3_error> read_cors_document(std::string_view body) {
  const auto root = read_xml(body, cors_bounds);
  if (!root || root->name != "CORSConfiguration" || root->children.empty()) return malformed_cors();
  cors_rules rules;
  for (const auto& child : root->children) {
    if (child.name != "CORSRule" || rules.size() == cors_rules_max) return malformed_cors();
    if (auto refused = read_rule(child, rules.emplace_back())) return std::move(*refused);
  }
  return rules;
}

std::string cors_document(const cors_rules& rules) {
  xml_writer xml;
  xml.open("CORSConfiguration", s3_name_space);
  for (const auto& rule : rules) {
    xml.open("CORSRule");
    if (!rule.id.empty()) xml.text("ID", rule.id);
    for (const auto& text : rule.origins) xml.text("AllowedOrigin", text);
    for (const auto& text : rule.methods) xml.text("AllowedMethod", text);
    for (const auto& text : rule.headers) xml.text("AllowedHeader", text);
    for (const auto& text : rule.exposed) xml.text("ExposeHeader", text);
    if (rule.max_age_seconds) xml.number("MaxAgeSeconds", *rule.max_age_seconds);
    xml.close("CORSRule");
  }
  xml.close("CORSConfiguration");
  return xml.take();
}

std::string cors_lines(const cors_rules& rules, std::string_view origin, std::string_view method) {
  const auto* rule = rule_for(rules, origin, method, {});
  return rule ? lines_of(*rule, origin) : std::string{};
}

bool cors_allows(const cors_rules& rules, std::string_view origin, std::string_view method) {
  return rule_for(rules, origin, method, {}) != nullptr;
}

std::variant<std::string, s3_error> preflight_answer(const cors_rules& rules, const preflight_request& asked) {
  if (asked.origin.empty() || asked.method.empty())
    return s3_error{400, "BadRequest", "A preflight request needs Origin and Access-Control-Request-Method."};
  if (rules.empty()) return s3_error{403, "AccessForbidden", "CORS is not enabled for this bucket."};
  const auto names_asked = names_of(asked.headers);
  if (!names_asked)
    return s3_error{400, "BadRequest",
                    "Access-Control-Request-Headers names more than " + std::to_string(preflight_headers_max) +
                        " headers."};
  const auto& headers = *names_asked;
  const auto* rule = rule_for(rules, asked.origin, asked.method, headers);
  if (!rule)
    return s3_error{403, "AccessForbidden", "No CORS rule of the bucket allows this origin, method and headers."};
  auto lines = lines_of(*rule, asked.origin);
  std::string names;
  for (const auto name : headers) names.append(names.empty() ? "" : ", ").append(name);
  if (!names.empty()) add(lines, "Access-Control-Allow-Headers", names);
  return lines;
}

} // namespace cairn::net
