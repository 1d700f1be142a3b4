#include "net/s3/request.hpp"

#include "net/s3/access.hpp"
#include "net/s3/body/aws_chunked.hpp"
#include "net/s3/operations/copy_source.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/s3/xml/object_lock_xml.hpp"
#include "net/s3/xml/settings.hpp"
#include "net/s3/xml/tags.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/base64.hpp"
#include "net/wire/grammar/fields.hpp"
#include "net/wire/grammar/http_date.hpp"
#include "storage/metadata/read/lifecycle_rules.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

namespace http = boost::beast::http;
namespace rights = storage::metadata::rights;

void join(std::optional<std::string>& list, std::string_view value) {
  if (list)
    *list += ", ";
  else
    list.emplace();
  *list += value;
}

void first(std::optional<std::string>& slot, std::string_view value) {
  if (!slot) slot = value;
}

// S3's storage classes whose objects can be read without a restore. Cairn stores all of them in the same way.
constexpr std::array<std::string_view, 6> storage_classes{"STANDARD",   "REDUCED_REDUNDANCY",  "STANDARD_IA",
                                                          "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER_IR"};

std::optional<s3_error> refused_feature(std::string_view name, std::string_view value) {
  if (iequals(name, "content-range")) return not_implemented("Partial PUT (Content-Range)");
  if (iequals(name, "x-amz-storage-class") &&
      std::find(storage_classes.begin(), storage_classes.end(), value) == storage_classes.end()) {
    return s3_error{400, "InvalidStorageClass",
                    "The storage class is unknown, or one whose objects are restored first."};
  }
  return std::nullopt;
}

constexpr std::string_view user_prefix = "x-amz-meta-";
constexpr std::array<std::string_view, 5> kept_headers{"content-disposition", "cache-control", "content-encoding",
                                                       "content-language", "expires"};

std::optional<storage::metadata::md5_digest> parse_content_md5(std::string_view text) {
  const auto bytes = text.size() == 24 ? base64_decode(text) : std::nullopt;
  storage::metadata::md5_digest digest{};
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

std::optional<s3_error> keep_header(std::string name, std::string_view value, put_order& order) {
  auto& headers = order.put.headers;
  if (name == "content-type") {
    headers.content_type = value;
  } else if (name == "content-md5") {
    order.content_md5 = parse_content_md5(value);
    if (!order.content_md5) return s3_error{400, "InvalidDigest", "Content-MD5 is not a base64 MD5."};
  } else if (name == "x-amz-tagging") {
    auto tags = read_tagging_header(value);
    if (auto* refused = std::get_if<s3_error>(&tags)) return std::move(*refused);
    order.put.extras.tags = std::move(std::get<tag_list>(tags));
  } else if (name.starts_with(user_prefix)) {
    headers.user.emplace_back(name.substr(user_prefix.size()), value);
  } else if (name == "content-encoding" && names_aws_chunked(value)) {
    if (auto coding = without_aws_chunked(value); !coding.empty())
      headers.standard.emplace_back(std::move(name), std::move(coding));
  } else if (std::find(kept_headers.begin(), kept_headers.end(), name) != kept_headers.end()) {
    headers.standard.emplace_back(std::move(name), value);
  }
  return std::nullopt;
}

std::optional<s3_error> read_lock(const http::fields& fields, const request& request, put_order& order) {
  const lock_headers headers{find_field(fields, lock_mode_header), find_field(fields, lock_until_header),
                             find_field(fields, lock_hold_header)};
  if (!headers.any()) return std::nullopt;
  auto lock = read_lock_headers(headers, request.by.asked ? request.by.asked->with.time : 0);
  if (auto* refused = std::get_if<s3_error>(&lock)) return std::move(*refused);
  order.put.extras.lock = std::get<storage::metadata::object_lock>(lock);
  return std::nullopt;
}

// A part is a body without attributes of its own: its upload has them.
std::optional<s3_error> keep_list(const http::fields& fields, const request& request, put_order& order) {
  if (!request.operation->sets_attributes) return std::nullopt;
  auto read = read_list(fields, true);
  if (auto* refused = std::get_if<s3_error>(&read)) return std::move(*refused);
  auto& list = std::get<std::optional<access_list>>(read);
  if (!list) return std::nullopt;
  order.put.extras.public_read = list->public_read;
  order.put.extras.grants = std::move(list->grants);
  return std::nullopt;
}

// As in S3, an upload that also sets an ACL or tags needs the permissions of PutObjectAcl and PutObjectTagging.
std::optional<s3_error> refused_extras(const request& request, const storage::metadata::object_extras& extras) {
  using storage::policy::action;
  if (extras.gives_rights() && !request.may(action::put_object_acl))
    return access_denied("An access control list other than private needs the right `owner` on the bucket.");
  if (!extras.tags.empty() && !request.may(action::put_object_tagging))
    return access_denied("Tags need a right of the access key on the bucket; public write access is not enough.");
  return std::nullopt;
}

// If no checksum came with an object's body, it is computed, by the algorithm that x-amz-checksum-algorithm names or by
// the default.
std::optional<s3_error> make_checksum(const http::fields& fields, const request& request, put_order& order) {
  const auto named = find_field(fields, "x-amz-checksum-algorithm");
  const auto kind = named ? checksum_kind_of(*named) : std::optional{default_checksum};
  if (!kind || (named && order.checksum && order.checksum->kind() != *kind))
    return s3_error{400, "InvalidRequest",
                    "x-amz-checksum-algorithm names no algorithm, or another than the x-amz-checksum- value has."};
  if (request.operation->makes_checksum && !order.checksum) order.put.check = std::make_shared<checksum_maker>(*kind);
  return std::nullopt;
}

// Equal names are one header with a list of values (RFC 9110 §5.2).
void merge_repeated(std::vector<std::pair<std::string, std::string>>& headers) {
  std::vector<std::pair<std::string, std::string>> merged;
  for (auto& header : headers) {
    const auto same =
        std::find_if(merged.begin(), merged.end(), [&](const auto& h) { return h.first == header.first; });
    if (same == merged.end())
      merged.push_back(std::move(header));
    else
      same->second += ", " + header.second;
  }
  headers = std::move(merged);
}

} // namespace

std::string request::resource() const {
  std::string text = "/" + target.bucket;
  if (!target.key.empty()) text += "/" + target.key;
  return text;
}

bool request::may(storage::policy::action more) const {
  using namespace storage::metadata;
  if (by.by == allowed_by::configuration || !bucket || !by.asked) return by.by == allowed_by::configuration;
  return judge(by, more, key.get(), *bucket, {.key = target.key}).made != ruling::denied;
}

storage::metadata::authority request::authority(std::uint8_t more) const {
  auto needed = by;
  if (needed.by == storage::metadata::allowed_by::key) needed.rights |= more;
  return needed;
}

void read_conditions(const http::fields& fields, request& into) {
  bool repeated_range = false;
  for (const auto& field : fields) {
    const auto value = view_of(field.value());
    switch (field.name()) {
      case http::field::if_match: join(into.conditions.if_match, value); break;
      case http::field::if_none_match: join(into.conditions.if_none_match, value); break;
      case http::field::if_modified_since: first(into.conditions.if_modified_since, value); break;
      case http::field::if_unmodified_since: first(into.conditions.if_unmodified_since, value); break;
      case http::field::if_range: first(into.conditions.if_range, value); break;
      case http::field::range:
        repeated_range = into.range.has_value();
        into.range = value;
        break;
      default: break;
    }
    if (repeated_range) break;
  }
  if (repeated_range) into.range.reset();
  into.wants_checksum = iequals(field_of(fields, "x-amz-checksum-mode"), "ENABLED");
}

bool bypasses_governance(const http::fields& fields) {
  return iequals(field_of(fields, bypass_header), "true");
}

std::optional<s3_error> read_version(request& into) {
  const auto* text = into.target.find("versionId");
  if (text == nullptr) return std::nullopt;
  const bool of_object = !into.target.key.empty();
  if (of_object && into.operation->takes_version)
    into.version = storage::metadata::parse_version_id(*text);
  else if (of_object)
    return s3_error{400, "InvalidArgument", "This operation does not accept a version-id."};
  if (!of_object || into.version) return std::nullopt;
  return s3_error{400, "InvalidArgument",
                  text->empty() ? "Version id cannot be the empty string" : "Invalid version id specified"};
}

std::string version_lines(const storage::metadata::version_outcome& outcome) {
  // S3 does not answer the id of the null version after a write, only after a delete.
  if (!outcome.id || (!outcome.id->place && !outcome.delete_marker)) return {};
  std::string lines = "x-amz-version-id: " + to_string(*outcome.id) + "\r\n";
  if (outcome.delete_marker) lines += "x-amz-delete-marker: true\r\n";
  return lines;
}

std::string expiry_line(const std::optional<storage::metadata::expiry>& expires) {
  if (!expires) return {};
  std::string line = "x-amz-expiration: expiry-date=\"";
  append_http_date(line, whole_seconds(expires->at));
  line += "\", rule-id=\"";
  append_percent_encoded(line, expires->rule);
  line += "\"\r\n";
  return line;
}

std::string abort_lines(const storage::metadata::bucket_row& bucket, std::string_view key, wall_ms begun) {
  const auto aborted = storage::metadata::abort_of(bucket.lifecycle, key, begun);
  if (!aborted) return {};
  std::string lines = "x-amz-abort-date: ";
  append_http_date(lines, whole_seconds(aborted->at));
  lines += "\r\nx-amz-abort-rule-id: ";
  append_percent_encoded(lines, aborted->rule);
  return lines += "\r\n";
}

std::variant<put_order, s3_error> read_put(const http::fields& fields, const request& request,
                                           std::optional<std::uint64_t> content_length, std::uint64_t object_size_max) {
  put_order order;
  const bool copies = asks_to_copy(fields);
  order.put.bucket = request.target.bucket;
  order.put.key = request.target.key;
  order.put.length = content_length;
  for (const auto& field : fields) {
    const auto name = view_of(field.name_string()), value = view_of(field.value());
    if (auto refused = refused_feature(name, value)) return std::move(*refused);
    if (istarts_with(name, "x-amz-copy-source-") && !copies) return not_implemented("The header " + std::string{name});
    if (auto refused = keep_header(ascii_lower(name), value, order)) {
      return std::move(*refused);
    }
  }
  if (auto refused = keep_list(fields, request, order)) return std::move(*refused);
  merge_repeated(order.put.headers.standard);
  merge_repeated(order.put.headers.user);
  std::size_t user_bytes = 0;
  for (const auto& [name, value] : order.put.headers.user) user_bytes += name.size() + value.size();
  if (user_bytes > user_metadata_bytes_max) {
    return s3_error{400, "MetadataTooLarge", "The user metadata is larger than 2048 bytes."};
  }
  if (content_length && *content_length > object_size_max) {
    return s3_error_of(error{errc::too_large, "The object is larger than limits.object_size."});
  }
  if (copies && !replaces_tags(fields)) order.put.extras.tags.clear(); // the copy has those of its source
  if (auto refused = read_lock(fields, request, order)) return std::move(*refused);
  if (auto refused = refused_extras(request, order.put.extras)) return std::move(*refused);
  order.put.by = request.authority(order.put.extras.gives_rights() ? rights::owner : 0);
  auto checksum = read_checksum(fields);
  if (auto* refused = std::get_if<s3_error>(&checksum)) return std::move(*refused);
  if (auto& announced = std::get<0>(checksum))
    order.put.check = order.checksum = std::make_shared<checksum_check>(std::move(*announced));
  if (auto refused = make_checksum(fields, request, order)) return std::move(*refused);
  auto condition = write_condition_of(request.conditions);
  if (!condition) return s3_error_of(condition.error());
  order.put.condition = std::move(*condition);
  return order;
}

} // namespace cairn::net
