#include "base/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace cairn {

std::string_view to_string(errc code) noexcept {
  switch (code) {
    case errc::invalid_argument: return "invalid_argument";
    case errc::not_found: return "not_found";
    case errc::no_such_bucket: return "no_such_bucket";
    case errc::no_such_key: return "no_such_key";
    case errc::bucket_exists: return "bucket_exists";
    case errc::bucket_not_empty: return "bucket_not_empty";
    case errc::precondition_failed: return "precondition_failed";
    case errc::corrupt: return "corrupt";
    case errc::io_error: return "io_error";
    case errc::read_only: return "read_only";
    case errc::no_space: return "no_space";
    case errc::busy: return "busy";
    case errc::timeout: return "timeout";
    case errc::cancelled: return "cancelled";
    case errc::stopping: return "stopping";
    case errc::session_ended: return "session_ended";
    case errc::blob_dead: return "blob_dead";
    case errc::content_mismatch: return "content_mismatch";
    case errc::unsupported: return "unsupported";
    case errc::locked: return "locked";
    case errc::quarantined: return "quarantined";
    case errc::too_large: return "too_large";
    case errc::digest_mismatch: return "digest_mismatch";
    case errc::slow_down: return "slow_down";
    case errc::would_block: return "would_block";
    case errc::connection_lost: return "connection_lost";
    case errc::payload_mismatch: return "payload_mismatch";
    case errc::signature_mismatch: return "signature_mismatch";
    case errc::no_leader: return "no_leader";
    case errc::stale_layout: return "stale_layout";
    case errc::no_quorum: return "no_quorum";
    case errc::no_such_upload: return "no_such_upload";
    case errc::invalid_part: return "invalid_part";
    case errc::invalid_part_order: return "invalid_part_order";
    case errc::part_too_small: return "part_too_small";
    case errc::stale_source: return "stale_source";
    case errc::no_such_access_key: return "no_such_access_key";
    case errc::access_denied: return "access_denied";
    case errc::no_such_version: return "no_such_version";
    case errc::delete_marker: return "delete_marker";
    case errc::chunk_lost: return "chunk_lost";
    case errc::acl_not_supported: return "acl_not_supported";
    case errc::no_object_lock: return "no_object_lock";
    case errc::invalid_bucket_state: return "invalid_bucket_state";
    case errc::quota_exceeded: return "quota_exceeded";
    case errc::no_such_identity: return "no_such_identity";
    case errc::identity_exists: return "identity_exists";
    case errc::identity_in_use: return "identity_in_use";
    case errc::secret_sealed: return "secret_sealed";
  }
  return "unknown";
}

std::string to_string(const error& e) {
  std::string out{to_string(e.code)};
  if (!e.text.empty()) out.append(": ").append(e.text);
  return out;
}

void throw_exception_from_error(const error& e, const boost::source_location& where) {
  std::fprintf(stderr, "cairn: %s:%u: value of a failed result: %s\n", where.file_name(), unsigned(where.line()),
               to_string(e).c_str());
  std::abort();
}

void assertion_failed(const char* what, const char* file, int line) noexcept {
  std::fprintf(stderr, "cairn: %s:%d: assertion failed: %s\n", file, line, what);
  std::abort();
}

} // namespace cairn
