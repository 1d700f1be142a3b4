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

void grant_by_configuration(request& request) {
  request.by = {.by = metadata::allowed_by::configuration};
  request.rights = metadata::rights::all;
  request.may_list = true;
}

void grant_access(request& request, const actors::found_access& found, metadata::allowed_by by) {
  const auto wanted = request.operation->needs;
  const bool creates = wanted == need::create_bucket;
  const bool of_bucket = found.bucket && !creates && wanted != need::nothing;
  request.by = {.by = by, .key = found.key ? found.key->id : std::string{}};
  if (of_bucket) request.by.bucket = found.bucket->id;
  if (of_bucket && by == metadata::allowed_by::key) request.by.rights = right_for(wanted);
  if (found.bucket_2) request.by.source = found.bucket_2->id;
  request.rights = found.key && found.bucket ? found.key->rights_on(found.bucket->id) : std::uint8_t{0};
  const bool listed = found.bucket && found.bucket->public_read;
  const bool copies = found.bucket_2 != nullptr; // a missing object is the source, which the sender may read
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

bool public_access_allows(request& request, const actors::found_access& found) {
  if (!found.bucket) return false;
  switch (request.operation->public_by) {
    case publicity::none: return false;
    case publicity::listing: return found.bucket->public_read;
    case publicity::writing: return found.bucket->public_write;
    case publicity::objects: break;
  }
  if (found.bucket->public_objects) return true;
  request.public_only = request.target.find("partNumber") == nullptr;
  return request.public_only;
}

std::optional<s3_error> key_refused(const request& request, const actors::found_access& found,
                                    std::string_view source_bucket) {
  const auto& key = *found.key;
  const auto wanted = request.operation->needs;
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
