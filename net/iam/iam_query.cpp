#include "net/iam/iam_query.hpp"

#include "net/s3/xml/s3_xml.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "storage/policy/request.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace cairn::net {

namespace {

constexpr std::uint32_t items_default = 100, items_most = 1000;
constexpr std::size_t parameters_max = 400;

std::string list_member(std::string_view name, std::size_t number, std::string_view part) {
  auto text = std::string{name} + ".member." + std::to_string(number);
  if (!part.empty()) text.append(".").append(part);
  return text;
}

struct list_parameter {
  std::string_view name;
  std::array<std::string_view, 3> parts{}; // of an entry, which has the first; none: an entry is a text
};
constexpr list_parameter list_parameters[] = {
    {"Tags", {"Key", "Value"}},
    {"TagKeys"},
    {"TransitiveTagKeys"},
    {"ClientIDList"},
    {"ThumbprintList"},
    {"ActionNames"},
    {"ResourceArns"},
    {"PolicyInputList"},
    {"ContextEntries", {"ContextKeyName", "ContextKeyType", "ContextKeyValues"}},
    {"ContextKeyValues"}};

const list_parameter* find_list(std::string_view name) {
  const auto found = std::find_if(std::begin(list_parameters), std::end(list_parameters),
                                  [name](const auto& l) { return l.name == name; });
  return found == std::end(list_parameters) ? nullptr : &*found;
}

bool has_entry(const iam_query& query, const std::string& entry) {
  return std::any_of(query.all().begin(), query.all().end(), [&entry](const query_parameter& p) {
    return p.name.starts_with(entry) && (p.name.size() == entry.size() || p.name[entry.size()] == '.');
  });
}

// The list begins at `from` of the parameter's name.
bool is_entry_from(const iam_query& query, std::string_view parameter, std::size_t from) {
  constexpr std::string_view member = ".member.";
  const auto dot = parameter.find(member, from);
  const auto* const list = dot == parameter.npos ? nullptr : find_list(parameter.substr(from, dot - from));
  if (list == nullptr) return false;
  const auto before = parameter.substr(0, dot);
  std::uint32_t number = 0;
  const auto* const end = parameter.data() + parameter.size();
  const auto [at, problem] = std::from_chars(parameter.data() + dot + member.size(), end, number);
  if (problem != std::errc{} || number == 0 || (number > 1 && !has_entry(query, list_member(before, number - 1, {}))))
    return false;
  if (list->parts.front().empty()) return at == end;
  if (at == end || *at != '.' || query.find(list_member(before, number, list->parts.front())) == nullptr) return false;
  const auto begin = static_cast<std::size_t>(at + 1 - parameter.data());
  const auto part = parameter.substr(begin);
  const bool whole = !part.empty() && std::find(list->parts.begin(), list->parts.end(), part) != list->parts.end();
  if (!whole) return is_entry_from(query, parameter, begin);
  return find_list(part) == nullptr || query.find(parameter)->empty();
}

struct other_name {
  std::string_view code, iam_code;
  unsigned status;
};
constexpr std::array other_names{other_name{"InvalidArgument", "ValidationError", 400},
                                 other_name{"MalformedXML", "ValidationError", 400},
                                 other_name{"MissingContentLength", "ValidationError", 411},
                                 other_name{"EntityTooLarge", "LimitExceeded", 409},
                                 other_name{"InvalidAccessKeyId", "InvalidClientTokenId", 403},
                                 other_name{"InvalidToken", "InvalidClientTokenId", 403},
                                 other_name{"ExpiredToken", "ExpiredToken", 403},
                                 other_name{"AuthorizationHeaderMalformed", "IncompleteSignature", 400},
                                 other_name{"XAmzContentSHA256Mismatch", "SignatureDoesNotMatch", 403},
                                 other_name{"RequestTimeTooSkewed", "SignatureDoesNotMatch", 403},
                                 other_name{"SlowDown", "Throttling", 503},
                                 other_name{"InternalError", "InternalFailure", 500}};

} // namespace

std::variant<iam_query, s3_error> iam_query::read(std::string_view body) {
  auto parsed = parse_target("/?" + std::string{body});
  if (!parsed) return validation_error("The body is not a form: " + parsed.error().text + ".");
  iam_query query;
  query.parameters_ = std::move(parsed->query);
  auto& all = query.parameters_;
  if (all.size() > parameters_max) return validation_error("The request has too many parameters.");
  std::vector<std::string_view> names;
  names.reserve(all.size());
  for (const auto& p : all) names.push_back(p.name);
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) return validation_error("The parameter " + std::string{*twice} + " comes twice.");
  return query;
}

const std::string* iam_query::find(std::string_view name) const {
  const auto same = [name](const query_parameter& p) { return p.name == name; };
  const auto found = std::find_if(parameters_.begin(), parameters_.end(), same);
  return found == parameters_.end() ? nullptr : &found->value;
}

std::string iam_query::text(std::string_view name) const {
  const auto* const value = find(name);
  return value == nullptr ? std::string{} : *value;
}

bool iam_query::flag(std::string_view name) const {
  const auto* const value = find(name);
  return value != nullptr && iequals(*value, "true");
}

void iam_query::set(std::string_view name, std::string value) {
  std::erase_if(parameters_, [name](const query_parameter& p) { return p.name == name; });
  parameters_.push_back({std::string{name}, std::move(value)});
}

std::vector<std::string> iam_query::list(std::string_view name) const {
  std::vector<std::string> values;
  while (const auto* const value = find(list_member(name, values.size() + 1, {}))) values.push_back(*value);
  return values;
}

std::vector<std::pair<std::string, std::string>> iam_query::pairs(std::string_view name, std::string_view first,
                                                                  std::string_view second) const {
  std::vector<std::pair<std::string, std::string>> values;
  while (const auto* const value = find(list_member(name, values.size() + 1, first)))
    values.emplace_back(*value, text(list_member(name, values.size() + 1, second)));
  return values;
}

std::optional<std::uint32_t> iam_query::number(std::string_view name, std::uint32_t least, std::uint32_t most,
                                               std::uint32_t otherwise) const {
  const auto* const value = find(name);
  if (value == nullptr) return otherwise;
  std::uint32_t number = 0;
  const auto* const end = value->data() + value->size();
  const auto [at, problem] = std::from_chars(value->data(), end, number);
  if (problem != std::errc{} || at != end || number < least || number > most) return std::nullopt;
  return number;
}

std::variant<std::uint32_t, s3_error> iam_query::items_max() const {
  const auto items = number("MaxItems", 1, items_most, items_default);
  if (!items) return validation_error("MaxItems is a number from 1 to 1000.");
  return *items;
}

std::string_view list_name_of(std::string_view parameter) {
  return parameter.substr(0, parameter.find(".member."));
}

std::optional<s3_error> unread_entry(const iam_query& query, const query_parameter& parameter) {
  const auto name = list_name_of(parameter.name);
  const bool is_read = name.size() == parameter.name.size() ? find_list(name) == nullptr || parameter.value.empty()
                                                            : is_entry_from(query, parameter.name, 0);
  if (is_read) return std::nullopt;
  return validation_error("The parameter " + parameter.name + " is no entry of a list, or leaves a gap in one.");
}

s3_error validation_error(std::string message) {
  return {400, "ValidationError", std::move(message)};
}

s3_error no_such_entity(std::string message) {
  return {404, "NoSuchEntity", std::move(message)};
}

std::optional<std::string_view> own_resource(std::string_view arn) {
  constexpr std::string_view of_iam = "arn:aws:iam::";
  if (!arn.starts_with(of_iam)) return std::nullopt;
  arn.remove_prefix(of_iam.size());
  if (arn.starts_with(storage::policy::account_id))
    arn.remove_prefix(storage::policy::account_id.size()); // may be left out
  if (!arn.starts_with(':')) return std::nullopt;
  return arn.substr(1);
}

s3_error as_iam_error(s3_error problem) {
  const auto known = std::find_if(other_names.begin(), other_names.end(),
                                  [&problem](const other_name& n) { return n.code == problem.code; });
  if (known == other_names.end()) return problem;
  problem.code = known->iam_code;
  problem.status = known->status;
  return problem;
}

std::string iam_error_xml(const s3_error& problem, std::string_view request_id, std::string_view name_space) {
  xml_writer xml;
  xml.open("ErrorResponse", name_space);
  xml.open("Error");
  xml.text("Type", problem.status < 500 ? "Sender" : "Receiver");
  xml.text("Code", problem.code);
  xml.text("Message", readable_xml(problem.message));
  xml.close("Error");
  xml.text("RequestId", request_id);
  xml.close("ErrorResponse");
  return xml.take();
}

} // namespace cairn::net
