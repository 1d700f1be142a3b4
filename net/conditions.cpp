#include "net/conditions.hpp"

#include "net/http_date.hpp"

namespace cairn::net {

namespace {

struct entity_tag {
  std::string_view opaque;
  bool weak = false;
};

// Takes the next member of a list of entity tags. Tags without quotes are taken as written: people type them so.
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
    if (!is_star(*headers.if_none_match)) {
      return error{errc::unsupported, "If-None-Match with an entity tag on a write"};
    }
    condition.if_absent = true;
  }
  if (headers.if_match) {
    if (is_star(*headers.if_match)) {
      condition.if_match = "*";
    } else {
      std::string_view list = *headers.if_match;
      const auto tag = next_tag(list);
      if (next_tag(list)) return error{errc::unsupported, "If-Match with several entity tags on a write"};
      // A weak tag never matches strongly, and a quoted star is no star: keep a text that no stored ETag has.
      const bool comparable = tag && !tag->weak && tag->opaque != "*";
      condition.if_match = comparable ? std::string{tag->opaque} : "never: " + *headers.if_match;
    }
  } else if (headers.if_unmodified_since) {
    return error{errc::unsupported, "If-Unmodified-Since on a write"};
  }
  return condition;
}

} // namespace cairn::net
