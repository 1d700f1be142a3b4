// The one error type of Cairn. Operating errors are values: a function that can fail returns `result<T>`, which holds
// either a T or an `error`. Third-party codes and exceptions become an `errc` in the one file that talks to that
// library. Programmer errors are asserts that stay on (`CAIRN_ASSERT`).
#pragma once

#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace cairn {

enum class errc : std::uint8_t {
  invalid_argument = 1, // the caller's value is outside the documented bounds
  not_found,            // the requested chunk, file or row does not exist
  no_such_bucket,       // the bucket does not exist
  no_such_key,          // the bucket exists, the object does not
  bucket_exists,        // create of a bucket that exists
  bucket_not_empty,     // delete of a bucket that holds objects
  precondition_failed,  // If-Match or If-None-Match of a write did not hold
  corrupt,              // bytes on disk fail their checksum, identity or grammar: never served
  io_error,             // the operating system failed a read or write
  read_only,            // the disk or node accepts no writes (an earlier flush failed)
  no_space,             // the disk is full up to its reserve
  busy,                 // a bounded queue is full: try again later or on another node
  timeout,              // the deadline passed; the work may or may not have been done
  cancelled,            // the requester disconnected or withdrew the request
  stopping,             // the node is shutting down
  session_ended,        // the commit's writer session has ended: its blobs are dead
  blob_dead,            // the commit names a blob that was abandoned or buried
  content_mismatch,     // different bytes are already stored under this chunk id
  unsupported,          // a command or format of a newer feature level
  locked,               // another process uses this data directory
  quarantined,          // the disk failed and stays unused until an operator has checked it
  too_large,            // above limits.object_size or another documented bound
  digest_mismatch,      // the body does not have the MD5 that its sender declared
  slow_down,            // not even the smallest memory reservation could be granted in time
  would_block,          // a non-blocking call would have had to wait for the disk
  connection_lost,      // the peer or client closed its connection
  payload_mismatch,     // the body does not have the SHA-256 that its signature names
  signature_mismatch,   // a chunk of the body does not match the signature that was sent with it
  no_leader,            // the metadata group has no leader now, or the leader was not reached in time: try again later
  stale_layout,         // the request was made under an older layout than the one of the node that received it
  no_quorum,            // too few owners of a chunk stored it: nothing is acknowledged, try again later
  no_such_upload,       // the multipart upload was completed, aborted, or never created
  invalid_part,         // a listed part does not exist, or has another ETag or checksum
  invalid_part_order,   // the listed part numbers are not ascending
  part_too_small,       // a part other than the last has less than 5 MiB
  stale_source,         // the object to copy from has changed since it was looked up
  no_such_access_key,   // the access key was never created, or it was deleted
  access_denied,        // the requester is not authorized for this operation
  no_such_version,      // the object exists, this version of it does not
  delete_marker,        // this version is a delete marker: there is nothing to read
  chunk_lost,           // no owner has an intact copy of a chunk that an object needs
  acl_not_supported,    // the bucket's objects belong to the bucket owner (BucketOwnerEnforced): ACLs are refused
  no_object_lock,       // a lock of an object in a bucket without object lock
  invalid_bucket_state, // object lock needs versioning, and versioning can't be suspended with object lock
  quota_exceeded,       // the bucket would hold more than its quota allows
  no_such_identity,     // no such user, group, policy, or part of one
  identity_exists,      // a user, group or policy of this name exists
  identity_in_use,      // what refers to the user, group or policy must be removed first
  secret_sealed,        // the secret of an access key can't be opened: this node lacks the key that sealed it
};
constexpr errc errc_last = errc::secret_sealed; // nodes refuse frames with higher codes

// Stable lower-case name of the code (`no_space`), used in logs and metrics.
std::string_view to_string(errc code) noexcept;

// A code, and a text for people that says what happened to what ("read of segment 12 at 4096: Input/output error"). The
// text of an error that is logged is never empty.
struct error {
  errc code{};
  std::string text;

  error() = default;
  error(errc c, std::string t = {}) : code(c), text(std::move(t)) {}
  friend bool operator==(const error& a, errc b) noexcept { return a.code == b; }
};

// "no_space: disk 7f..: 12 MiB free, 1 GiB reserved"
std::string to_string(const error& e);

template <class T>
using result = boost::system::result<T, error>;

// Called by result<T>::value() when the result holds an error: a programmer error, which ends the process with its
// text.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

[[noreturn]] void assertion_failed(const char* what, const char* file, int line) noexcept;

} // namespace cairn

#define CAIRN_ASSERT(condition) ((condition) ? void(0) : ::cairn::assertion_failed(#condition, __FILE__, __LINE__))
