// The commands of multipart uploads, copies, and settings of objects and buckets (part of the variant in commands.hpp;
// feature level 3). All carry a stamp, so that a retry is applied once. Any of them may be refused with no_such_bucket,
// session_ended and invalid_argument (names, sizes, numbers out of their bounds).
#pragma once

#include "storage/metadata/commands/command_parts.hpp"
#include "storage/metadata/rows/upload_rows.hpp"

namespace cairn::storage::metadata {

// Returns the upload's id in command_result::version. acl_not_supported.
struct begin_upload {
  commit_stamp stamp;
  std::string bucket, key;
  wall_ms now = 0;
  std::uint64_t nonce = 0;
  object_headers headers;
  object_extras extras;
  std::string checksum;
  checksum_type type = checksum_type::none;
  authority by{};
};

// An upload of an object. no_such_upload: it does not exist (any more), or belongs to another object.
struct upload_name {
  std::string bucket, key;
  upload_id id = 0;
  std::uint64_t nonce = 0;
};

// Adds a part; a part with the same number is replaced. The content is empty or a blob. no_such_upload, blob_dead,
// no_quorum; with a source also no_such_key, stale_source. The blob of a refused part is buried, as with put_object.
struct put_part {
  commit_stamp stamp;
  upload_name upload;
  std::uint32_t number = 1;
  wall_ms now = 0;
  std::uint64_t size = 0;
  md5_digest digest{};
  std::string checksum_name, checksum; // as in uploaded_part
  written_content content;
  authority by{};
  std::optional<object_version> source{}; // the object from which the bytes were copied; checked as in copy_part
};

// Adds bytes [offset, offset + length) of an object as a part; the blobs are shared. no_such_upload, no_such_key,
// stale_source, too_large (more than part_pieces_max pieces), unsupported (the source's bytes are inline).
struct copy_part {
  commit_stamp stamp;
  upload_name upload;
  std::uint32_t number = 1;
  wall_ms now = 0;
  object_version source;
  std::uint64_t offset = 0, length = 0;
  md5_digest digest{};
  std::string checksum_name, checksum; // as in uploaded_part
  authority by{};
};

struct chosen_part {
  std::uint32_t number = 1;
  md5_digest digest{};
};

// Makes the object of the listed parts, in ascending order of their numbers; other parts are deleted. A refusal leaves
// the upload unchanged: no_such_upload, invalid_part (it does not exist or has another digest), invalid_part_order,
// part_too_small, precondition_failed, quota_exceeded.
struct complete_upload {
  commit_stamp stamp;
  upload_name upload;
  wall_ms now = 0;
  std::vector<chosen_part> parts;                             // 1 to part_number_max
  metadata::etag etag;                                        // of the whole; its `parts` is their number
  std::vector<std::pair<std::string, std::string>> checksums; // headers in addition to those of begin_upload
  write_condition condition;
  bool part_checksums = false; // the object's parts keep the checksums of the upload's parts
  authority by{};
};

// no_such_upload.
struct abort_upload {
  commit_stamp stamp;
  upload_name upload;
  authority by{};
};

// Copies an object by sharing its bytes. Headers and extras replace those of the source if they are given; checksums of
// the bytes (headers named x-amz-checksum-…) are always kept. no_such_key, stale_source, precondition_failed,
// delete_marker, acl_not_supported, quota_exceeded.
struct copy_object {
  commit_stamp stamp;
  object_version source;
  std::string bucket, key;
  wall_ms now = 0;
  std::optional<object_headers> headers;
  std::optional<object_extras> extras;
  write_condition condition;
  authority by{};
};

// Gives an object of a bucket that never was versioned another name, and replaces what has that name (feature level
// 17). Its bytes, headers, extras and time stay. no_such_key, stale_source, precondition_failed, invalid_bucket_state.
// A repeated one with the same `token` succeeds as long as what it has renamed is there.
struct rename_object {
  commit_stamp stamp;
  object_version source;
  std::string key;           // the new name, in the same bucket
  write_condition condition; // of what has that name
  authority by{};            // to write the new name and to read the source; removing the source is judged with it
  std::optional<upload_origin> token{}; // names the request
};

// Replaces the given fields. no_such_key, acl_not_supported.
struct set_extras {
  commit_stamp stamp;
  std::string bucket, key;
  std::optional<std::vector<std::pair<std::string, std::string>>> tags;
  std::optional<bool> public_read;
  std::optional<version_id> version; // no_such_version, delete_marker; nullopt: the live version
  authority by{};
  std::optional<policy::acl_grants> grants{}; // the list, instead of public_read
};

// Replaces the given fields. no_such_bucket, acl_not_supported.
struct set_bucket {
  commit_stamp stamp;
  std::string name;
  std::optional<bool> public_read;
  std::optional<std::vector<cors_rule>> cors;
  std::optional<std::uint8_t> versioning; // enabled or suspended
  std::optional<std::vector<lifecycle_rule>> lifecycle;
  std::optional<bool> public_write;   // used only if public_read is given; default false
  std::optional<bool> public_objects; // used only if public_read is given; default true
  std::optional<std::vector<std::pair<std::string, std::string>>> tags;
  authority by{};
  std::optional<std::uint8_t> ownership;
  std::optional<policy::acl_grants> grants{}; // the list, instead of public_read and public_write
};

// Replaces the given fields (feature level 9). access_denied (a public policy where the public access block refuses
// it); invalid_argument: not a policy for this bucket; the text of the error says why.
struct set_bucket_access {
  commit_stamp stamp;
  std::string name;
  std::optional<std::string> policy;        // empty: removes it
  std::optional<std::uint8_t> public_block; // bits of namespace public_block, `given` included; 0: removes it
  authority by{};
};

// Replaces the given limits of a bucket (feature level 13); 0 removes the limit. Of the operators: it has no authority.
// no_such_bucket; busy: what the bucket holds is not counted yet.
struct set_bucket_quota {
  commit_stamp stamp;
  std::string name;
  std::optional<std::uint64_t> bytes_max, versions_max;
};

// Replaces the given limits of what all buckets that a user or an access key of nobody owns may hold together (feature
// level 16); 0 removes the limit. Of the operators. no_such_identity; busy: the buckets are not counted yet.
struct set_user_quota {
  commit_stamp stamp;
  std::string user; // its name, or the access key
  std::optional<std::uint64_t> bytes_max, versions_max;
};

// The bucket counts for another owner's quota (feature level 16). Of the operators. no_such_bucket, no_such_identity.
struct set_bucket_owner {
  commit_stamp stamp;
  std::string name;
  std::string user; // as in set_user_quota; empty: nobody
};

// Encodings of the fields, called by commands.cpp.
void write(byte_writer& w, const begin_upload& c);
void write(byte_writer& w, const put_part& c);
void write(byte_writer& w, const copy_part& c);
void write(byte_writer& w, const complete_upload& c);
void write(byte_writer& w, const abort_upload& c);
void write(byte_writer& w, const copy_object& c);
void write(byte_writer& w, const rename_object& c);
void write(byte_writer& w, const set_extras& c);
void write(byte_writer& w, const set_bucket& c);
void write(byte_writer& w, const set_bucket_access& c);
void write(byte_writer& w, const set_bucket_quota& c);
void write(byte_writer& w, const set_user_quota& c);
void write(byte_writer& w, const set_bucket_owner& c);
void read(byte_reader& r, begin_upload& c);
void read(byte_reader& r, put_part& c);
void read(byte_reader& r, copy_part& c);
void read(byte_reader& r, complete_upload& c);
void read(byte_reader& r, abort_upload& c);
void read(byte_reader& r, copy_object& c);
void read(byte_reader& r, rename_object& c);
void read(byte_reader& r, set_extras& c);
void read(byte_reader& r, set_bucket& c);
void read(byte_reader& r, set_bucket_access& c);
void read(byte_reader& r, set_bucket_quota& c);
void read(byte_reader& r, set_user_quota& c);
void read(byte_reader& r, set_bucket_owner& c);

} // namespace cairn::storage::metadata
