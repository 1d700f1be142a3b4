#include "net/s3/xml/s3_errors.hpp"

#include "net/s3/xml/s3_xml.hpp"

namespace cairn::net {

namespace {

constexpr std::string_view retry_soon = "Retry-After: 1\r\n";

s3_error with_text(unsigned status, std::string_view code, std::string_view standard, const error& reason) {
  return {status, code, reason.text.empty() ? std::string{standard} : reason.text};
}

s3_error retryable(std::string_view code, std::string_view message) {
  return {503, code, std::string{message}, std::string{retry_soon}};
}

} // namespace

s3_error s3_error_of(const error& reason) {
  switch (reason.code) {
    case errc::invalid_argument: return with_text(400, "InvalidArgument", "Invalid argument.", reason);
    case errc::no_such_bucket: return {404, "NoSuchBucket", "The specified bucket does not exist."};
    case errc::no_such_key: // the text has the delete marker that hides the key
      return {404, "NoSuchKey", "The specified key does not exist.",
              reason.text.empty() ? "" : "x-amz-delete-marker: true\r\nx-amz-version-id: " + reason.text + "\r\n"};
    case errc::bucket_exists: return {409, "BucketAlreadyOwnedByYou", "The bucket exists already and is yours."};
    case errc::bucket_not_empty: return {409, "BucketNotEmpty", "The bucket still holds objects."};
    case errc::precondition_failed:
      // If-Match of a missing object (the text of storage/metadata/apply/apply.cpp) is answered as a GET would be.
      if (reason.text == "the object does not exist") return s3_error_of(error{errc::no_such_key});
      return {412, "PreconditionFailed", "At least one of the preconditions did not hold."};
    case errc::too_large:
      return with_text(413, "EntityTooLarge", "The object is larger than this node stores.", reason);
    case errc::digest_mismatch:
      return with_text(400, "BadDigest", "The body does not have the MD5 that Content-MD5 announced.", reason);
    case errc::payload_mismatch:
      return {400, "XAmzContentSHA256Mismatch",
              "The provided 'x-amz-content-sha256' header does not match what was computed."};
    case errc::signature_mismatch:
      return {403, "SignatureDoesNotMatch", "A part of the body does not have the signature that was sent with it."};
    case errc::unsupported: return not_implemented(reason.text.empty() ? "This request" : reason.text);
    case errc::no_space: return {507, "InsufficientStorage", "The node has no space left for this object."};
    case errc::busy:
    case errc::slow_down:
    case errc::would_block: return retryable("SlowDown", "The node is busy. Try again a little later.");
    case errc::timeout:
    case errc::session_ended:
    case errc::blob_dead: return retryable("ServiceUnavailable", "The request took too long. Try again.");
    case errc::no_leader:
      return retryable("ServiceUnavailable", "The cluster's metadata can't be reached by a majority now. Try again.");
    case errc::no_such_upload:
      return {404, "NoSuchUpload", "The multipart upload does not exist: it was completed, aborted, or never begun."};
    case errc::invalid_part: return with_text(400, "InvalidPart", "A part is not there, or has another ETag.", reason);
    case errc::invalid_part_order: return {400, "InvalidPartOrder", "The parts are not in the order of their numbers."};
    case errc::part_too_small:
      return with_text(400, "EntityTooSmall", "A part that is not the last has less than 5 MiB.", reason);
    case errc::stale_source: return retryable("ServiceUnavailable", "The source keeps changing. Try again.");
    case errc::stale_layout: return retryable("ServiceUnavailable", "The cluster's layout is changing. Try again.");
    case errc::no_quorum:
      return retryable("ServiceUnavailable", "Too few of the nodes that should store this are reachable. Try again.");
    case errc::no_such_access_key:
      return {403, "InvalidAccessKeyId", "The AWS access key ID you provided does not exist in our records."};
    case errc::access_denied: return with_text(403, "AccessDenied", "Access denied.", reason);
    case errc::no_such_version: return {404, "NoSuchVersion", "The specified version does not exist."};
    case errc::delete_marker:
      return {405, "MethodNotAllowed", "This version is a delete marker.", "x-amz-delete-marker: true\r\n"};
    case errc::stopping: return retryable("ServiceUnavailable", "The node is shutting down.");
    case errc::read_only:
      return retryable("ServiceUnavailable", "The storage is read-only until an operator has repaired it.");
    case errc::quarantined:
      return retryable("ServiceUnavailable", "The storage is out of service until an operator has repaired it.");
    case errc::connection_lost:
      return retryable("ServiceUnavailable", "A node that has bytes of this object is unreachable. Try again.");
    case errc::chunk_lost: return with_text(500, "InternalError", "Bytes of this object are lost.", reason);
    case errc::acl_not_supported:
      return {400, "AccessControlListNotSupported", "The bucket does not allow access control lists."};
    case errc::no_object_lock: return {400, "InvalidRequest", "Bucket is missing Object Lock Configuration"};
    case errc::invalid_bucket_state:
      return with_text(409, "InvalidBucketState", "The bucket's state does not allow this.", reason);
    case errc::quota_exceeded: return with_text(403, "QuotaExceeded", "Bucket quota exceeded.", reason);
    case errc::no_such_identity:
      return with_text(404, "NoSuchEntity", "There is no such user, group or policy.", reason);
    case errc::identity_exists: return with_text(409, "EntityAlreadyExists", "The name is taken.", reason);
    case errc::identity_in_use: return with_text(409, "DeleteConflict", "It is still in use.", reason);
    case errc::secret_sealed:
      return retryable("ServiceUnavailable", "This node can't verify signatures by this access key now: its secret is "
                                             "sealed with a key that the node does not have.");
    case errc::not_found:
    case errc::corrupt:
    case errc::io_error:
    case errc::cancelled:
    case errc::content_mismatch:
    case errc::locked: break;
  }
  return {500, "InternalError",
          "The request failed inside the node. The node's log has the reason, under this request id."};
}

s3_error key_too_long() {
  return {400, "KeyTooLongError", "The key is longer than 1024 bytes."};
}

s3_error invalid_argument(std::string message) {
  return {400, "InvalidArgument", std::move(message)};
}

s3_error malformed_xml(std::string message) {
  return {400, "MalformedXML", std::move(message)};
}

s3_error not_implemented(std::string_view feature) {
  return {501, "NotImplemented", std::string{feature} + " is not implemented."};
}

std::string error_xml(const s3_error& problem, std::string_view resource, std::string_view request_id) {
  xml_writer xml;
  xml.open("Error");
  xml.text("Code", problem.code);
  xml.text("Message", readable_xml(problem.message));
  for (const auto& [name, value] : problem.details) xml.text(name, readable_xml(value));
  xml.text("Resource", readable_xml(resource));
  xml.text("RequestId", request_id);
  xml.close("Error");
  return xml.take();
}

} // namespace cairn::net
