#include "net/s3/operations/conditions.hpp"

#include "net/wire/grammar/http_date.hpp"

#include <charconv>

namespace cairn::net {

namespace {

struct entity_tag {
  std::string_view opaque;
  bool weak = false;
};

// Takes the next member of a list of entity tags. Tags without quotes are accepted, because some users omit the quotes.
std::optional<entity_tag> next_tag(std::string_view& list) {
  while (!list.empty() && (list.front() == ' ' || list.front() == '\t' || list.front() == ',')) list.remove_prefix(1);
  if (list.empty()) return std::nullopt;
  entity_tag tag;
  if (list.substr(0, 3) == "W/\"") {
    tag.weak = true;
    list.remove_prefix(2);
  }
  const bool quoted = list.front() == '"';
  if (quoted) list.remove_prefix(1);
  const auto end = quoted ? list.find('"') : list.find_first_of(", \t");
  tag.opaque = list.substr(0, end);
  list = end == list.npos ? std::string_view{} : list.substr(end + (quoted ? 1 : 0));
  return tag;
}

bool is_star(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text == "*";
}

bool any_match(std::string_view list, std::string_view etag, bool strong) {
  while (const auto tag = next_tag(list)) {
    if (tag->opaque == etag && !(strong && tag->weak)) return true;
  }
  return false;
}

// The one tag of If-Match on a write, or "*".
result<std::string> matching_tag(const std::string& text) {
  if (is_star(text)) return std::string{"*"};
  std::string_view list = text;
  const auto tag = next_tag(list);
  if (next_tag(list)) return error{errc::unsupported, "If-Match with several entity tags on a write"};
  // A weak tag never matches strongly, and a quoted star is not a wildcard: both become a text that no stored ETag has.
  const bool comparable = tag && !tag->weak && tag->opaque != "*";
  return comparable ? std::string{tag->opaque} : "never: " + text;
}

} // namespace

verdict evaluate(const condition_headers& headers, const validators& current) {
  if (headers.if_match) {
    if (!is_star(*headers.if_match) && !any_match(*headers.if_match, current.etag, true)) {
      return verdict::precondition_failed;
    }
  } else if (headers.if_unmodified_since) {
    const auto limit = parse_http_date(*headers.if_unmodified_since);
    if (limit && current.modified > *limit) return verdict::precondition_failed;
  }
  if (headers.if_none_match) {
    if (is_star(*headers.if_none_match) || any_match(*headers.if_none_match, current.etag, false)) {
      return verdict::not_modified;
    }
  } else if (headers.if_modified_since) {
    const auto limit = parse_http_date(*headers.if_modified_since);
    if (limit && current.modified <= *limit) return verdict::not_modified;
  }
  return verdict::proceed;
}

bool range_applies(const condition_headers& headers, const validators& current) {
  if (!headers.if_range) return true;
  if (const auto date = parse_http_date(*headers.if_range)) return *date == current.modified;
  std::string_view list = *headers.if_range;
  const auto tag = next_tag(list);
  return tag && !tag->weak && tag->opaque == current.etag;
}

result<storage::metadata::write_condition> write_condition_of(const condition_headers& headers) {
  storage::metadata::write_condition condition;
  if (headers.if_none_match) {
    condition.if_absent = is_star(*headers.if_none_match);
    std::string_view list = *headers.if_none_match;
    const auto tag = condition.if_absent ? std::nullopt : next_tag(list);
    if (tag && next_tag(list)) return error{errc::unsupported, "If-None-Match with several entity tags on a write"};
    if (!condition.if_absent && !tag) return error{errc::unsupported, "If-None-Match without an entity tag on a write"};
    if (tag) condition.if_other = std::string{tag->opaque}; // compared weakly: W/ is ignored
  }
  if (headers.if_match) {
    auto tag = matching_tag(*headers.if_match);
    if (!tag) return tag.error();
    condition.if_match = std::move(*tag);
  } else if (headers.if_unmodified_since) {
    return error{errc::unsupported, "If-Unmodified-Since on a write"};
  }
  return condition;
}

result<std::optional<storage::metadata::removal_condition>> removal_condition_of(const removal_texts& texts) {
  if (!texts.etag && !texts.modified && !texts.size) return std::optional<storage::metadata::removal_condition>{};
  storage::metadata::removal_condition condition;
  if (texts.etag) {
    auto tag = matching_tag(*texts.etag);
    if (!tag) return tag.error();
    condition.etag = std::move(*tag);
  }
  if (texts.modified) {
    condition.modified_seconds = parse_http_date(*texts.modified);
    if (!condition.modified_seconds)
      return error{errc::invalid_argument, "The last-modified time of a condition is an HTTP date."};
  }
  if (texts.size) {
    const auto* end = texts.size->data() + texts.size->size();
    const auto [at, problem] = std::from_chars(texts.size->data(), end, condition.size.emplace());
    if (problem != std::errc{} || at != end)
      return error{errc::invalid_argument, "The size of a condition is a number of bytes."};
  }
  return std::optional{std::move(condition)};
}

} // namespace cairn::net
