#include "net/s3/operations/copy_source.hpp"

#include "net/s3/xml/s3_errors.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/fields.hpp"
#include "net/wire/grammar/http_date.hpp"
#include "net/wire/grammar/uri.hpp"
#include "storage/metadata/rows/names.hpp"

#include <charconv>

namespace cairn::net {

namespace {

// "/bucket/key", with or without the first slash.
std::optional<s3_error> read_name(std::string_view text, copy_source& into) {
  if (const auto query = text.find('?'); query != text.npos) {
    constexpr std::string_view parameter = "?versionId=";
    if (text.substr(query).starts_with(parameter))
      into.version = storage::metadata::parse_version_id(text.substr(query + parameter.size()));
    if (!into.version) return invalid_argument("Invalid version id specified");
    text = text.substr(0, query);
  }
  const auto decoded = percent_decode(text, false);
  if (!decoded) return invalid_argument("x-amz-copy-source is not percent-encoded.");
  std::string_view name = *decoded;
  if (name.starts_with('/')) name.remove_prefix(1);
  const auto slash = name.find('/');
  if (slash == name.npos || slash == 0) return invalid_argument("x-amz-copy-source names a bucket and a key.");
  into.bucket = name.substr(0, slash);
  into.key = name.substr(slash + 1);
  if (!storage::metadata::valid_bucket_name(into.bucket))
    return s3_error{400, "InvalidBucketName", "The source's bucket does not have a valid name."};
  if (!storage::metadata::valid_key(into.key)) return invalid_argument("The source's key is not a valid key.");
  return std::nullopt;
}

constexpr std::string_view copied_from = "x-amz-copy-source", renamed_from = "x-amz-rename-source";

// Reads the header "<source header>-if-…"; what it is not is refused.
std::optional<s3_error> read_condition(std::string_view name, std::string_view source_header, std::string_view value,
                                       condition_headers& into) {
  const auto condition = name.substr(source_header.size());
  const bool since = iequals(condition, "-if-modified-since"), until = iequals(condition, "-if-unmodified-since");
  // A GET ignores a malformed date (RFC 9110); a copy would be made without the condition that its sender set.
  if ((since || until) && !parse_http_date(value)) return invalid_argument(ascii_lower(name) + " is not an HTTP date.");
  if (since)
    into.if_modified_since = value;
  else if (until)
    into.if_unmodified_since = value;
  else if (iequals(condition, "-if-match"))
    into.if_match = value;
  else if (iequals(condition, "-if-none-match"))
    into.if_none_match = value;
  else
    return not_implemented("The header " + std::string{name});
  return std::nullopt;
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
  std::uint64_t n = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (problem != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return n;
}

} // namespace

bool replaces_tags(const boost::beast::http::fields& fields) {
  return field_of(fields, "x-amz-tagging-directive") == "REPLACE";
}

bool asks_to_copy(const boost::beast::http::fields& fields) {
  return find_field(fields, copied_from).has_value();
}

std::variant<copy_source, s3_error> read_copy_source(const boost::beast::http::fields& fields) {
  copy_source source;
  for (const auto& field : fields) {
    const auto name = view_of(field.name_string()), value = view_of(field.value());
    if (!istarts_with(name, copied_from)) continue;
    if (iequals(name, copied_from)) {
      if (auto refused = read_name(value, source)) return std::move(*refused);
    } else if (iequals(name, "x-amz-copy-source-range")) {
      source.range = value;
    } else if (auto refused = read_condition(name, copied_from, value, source.conditions)) {
      return std::move(*refused);
    }
  }
  return source;
}

std::variant<copy_source, s3_error> read_rename_source(const boost::beast::http::fields& fields,
                                                       std::string_view bucket) {
  copy_source source{.bucket = std::string{bucket}};
  for (const auto& field : fields) {
    const auto name = view_of(field.name_string()), value = view_of(field.value());
    if (!istarts_with(name, renamed_from)) continue;
    if (!iequals(name, renamed_from)) {
      if (auto refused = read_condition(name, renamed_from, value, source.conditions)) return std::move(*refused);
      continue;
    }
    auto decoded = percent_decode(value, false);
    if (!decoded) return invalid_argument("x-amz-rename-source is not percent-encoded.");
    source.key = std::move(*decoded);
    if (const auto whole = "/" + source.bucket + "/"; source.key.starts_with(whole)) source.key.erase(0, whole.size());
  }
  if (!storage::metadata::valid_key(source.key))
    return invalid_argument("x-amz-rename-source names no key in this bucket.");
  return source;
}

std::variant<copy_source, s3_error> read_source(const boost::beast::http::fields& fields, bool renames,
                                                std::string_view bucket) {
  return renames ? read_rename_source(fields, bucket) : read_copy_source(fields);
}

std::optional<s3_error> refused_source(const copy_source& source, const storage::metadata::object_row& row) {
  const validators current{to_string(row.etag), whole_seconds(row.modified)};
  if (evaluate(source.conditions, current) == verdict::proceed) return std::nullopt;
  return s3_error_of(error{errc::precondition_failed});
}

std::variant<actors::byte_range, s3_error> copied_range(const copy_source& source, std::uint64_t size) {
  if (!source.range) return actors::byte_range{0, size};
  std::string_view text = *source.range;
  constexpr std::string_view unit = "bytes=";
  if (!text.starts_with(unit)) return invalid_argument("x-amz-copy-source-range is bytes=first-last.");
  text.remove_prefix(unit.size());
  const auto first = take_number(text);
  const bool dash = text.starts_with('-');
  if (dash) text.remove_prefix(1);
  const auto last = take_number(text);
  if (!first || !dash || !last || !text.empty() || *first > *last)
    return invalid_argument("x-amz-copy-source-range is bytes=first-last.");
  if (*last >= size) return s3_error{416, "InvalidRange", "x-amz-copy-source-range lies outside of the source."};
  return actors::byte_range{*first, *last - *first + 1};
}

} // namespace cairn::net
