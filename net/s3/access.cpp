#include "net/s3/access.hpp"

#include "net/s3/xml/s3_xml.hpp"
#include "net/wire/grammar/fields.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

s3_error no_such_bucket() {
  return s3_error_of(error{errc::no_such_bucket});
}

std::uint8_t right_for(need n) {
  switch (n) {
    case need::read: return metadata::rights::read;
    case need::write: return metadata::rights::write;
    default: return metadata::rights::owner;
  }
}

} // namespace

void let_in_by_configuration(request& request) {
  request.by = {.by = metadata::allowed_by::configuration};
  request.rights = metadata::rights::all;
  request.may_list = true;
}

void let_in(request& request, const actors::found_access& found, metadata::allowed_by by) {
  const auto wanted = need_of(request);
  const bool creates = wanted == need::create_bucket;
  const bool of_bucket = found.bucket && !creates && wanted != need::nothing;
  request.by = {.by = by, .key = found.key ? found.key->id : std::string{}};
  if (of_bucket) request.by.bucket = found.bucket->id;
  if (of_bucket && by == metadata::allowed_by::key) request.by.rights = right_for(wanted);
  if (found.bucket_2) request.by.source = found.bucket_2->id;
  request.rights = found.key && found.bucket ? found.key->rights_on(found.bucket->id) : std::uint8_t{0};
  const bool listed = found.bucket && found.bucket->public_read;
  const bool copies = found.bucket_2 != nullptr; // what it lacks is its source, which its sender reads
  request.may_list = listed || copies || (request.rights & metadata::rights::read) != 0;
}

error seen_by(const request& request, const error& reason) {
  const bool tells = reason == errc::no_such_key || reason == errc::no_such_version || reason == errc::delete_marker;
  return tells && !request.may_list ? error{errc::access_denied} : reason;
}

s3_error access_denied(std::string_view why) {
  return {403, "AccessDenied", std::string{why}};
}

s3_error version_removal_denied() {
  return access_denied("Removing a version for good needs the rights `write` and `owner` on its bucket.");
}

std::optional<s3_error> refused_owner(const boost::beast::http::fields& fields) {
  for (const auto* name : {"x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"}) {
    if (find_field(fields, name).value_or(owner_id) == owner_id) continue;
    return access_denied("The bucket belongs to another owner.");
  }
  return std::nullopt;
}

need need_of(const request& request) {
  switch (request.operation) {
    case http_operation::list_buckets: // answers those that the key may use
    case http_operation::options:
    case http_operation::unknown:
    case http_operation::count_: return need::nothing;
    case http_operation::create_bucket: return need::create_bucket;
    case http_operation::head_bucket:
    case http_operation::list_objects:
    case http_operation::list_versions:
    case http_operation::get_object:
    case http_operation::head_object:
    case http_operation::object_attributes:
    case http_operation::read_setting:
    case http_operation::read_tags: return need::read;
    case http_operation::put_object:
    case http_operation::delete_object:
    case http_operation::delete_objects:
    case http_operation::copy_object:
    case http_operation::begin_upload:
    case http_operation::put_part:
    case http_operation::copy_part:
    case http_operation::list_parts:
    case http_operation::list_uploads:
    case http_operation::complete_upload:
    case http_operation::abort_upload:
    case http_operation::write_tags: return need::write;
    case http_operation::delete_bucket:
    case http_operation::write_setting: return need::owner;
  }
  return need::owner;
}

// READ for everybody is what S3's ACL of that name grants: s3:ListBucket, s3:ListBucketVersions and
// s3:ListBucketMultipartUploads, and the objects when they are public too.
bool reads_publicly(http_operation operation) {
  switch (operation) {
    case http_operation::get_object:
    case http_operation::head_object:
    case http_operation::head_bucket:
    case http_operation::list_objects:
    case http_operation::list_versions:
    case http_operation::list_uploads: return true;
    default: return false;
  }
}

bool writes_publicly(http_operation operation) {
  switch (operation) {
    case http_operation::put_object:
    case http_operation::delete_object:
    case http_operation::delete_objects:
    case http_operation::begin_upload:
    case http_operation::put_part:
    case http_operation::list_parts:
    case http_operation::complete_upload:
    case http_operation::abort_upload: return true;
    default: return false;
  }
}

bool anybody_may(request& request, const actors::found_access& found) {
  if (!found.bucket) return false;
  const auto operation = request.operation;
  const bool of_object = operation == http_operation::get_object || operation == http_operation::head_object;
  const bool may_read = of_object ? found.bucket->public_objects : found.bucket->public_read;
  if (may_read && reads_publicly(operation)) return true;
  if (found.bucket->public_write && writes_publicly(operation)) return true;
  request.public_only = of_object && request.target.find("partNumber") == nullptr;
  return request.public_only;
}

std::optional<s3_error> key_refused(const request& request, const actors::found_access& found,
                                    std::string_view source_bucket) {
  const auto& key = *found.key;
  const auto wanted = need_of(request);
  if (wanted == need::nothing) return std::nullopt;
  if (wanted == need::create_bucket) {
    if (key.creates_buckets) return std::nullopt;
    return access_denied("This access key may not create buckets.");
  }
  if (!found.bucket) return no_such_bucket();
  if ((key.rights_on(found.bucket->id) & right_for(wanted)) == 0)
    return access_denied("This access key may not do this with the bucket.");
  if (source_bucket.empty()) return std::nullopt;
  if (!found.bucket_2) return no_such_bucket();
  if (!found.bucket_2->public_objects && (key.rights_on(found.bucket_2->id) & metadata::rights::read) == 0)
    return access_denied("This access key may not read the source's bucket.");
  return std::nullopt;
}

} // namespace cairn::net
