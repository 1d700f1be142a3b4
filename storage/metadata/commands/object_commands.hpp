// The commands of multipart uploads, copies, and of what is said about objects and buckets (part of the variant in
// commands.hpp; feature level 3). All carry a stamp: a retry applies once. no_such_bucket, session_ended and
// invalid_argument (names, sizes, numbers out of their bounds) may refuse any of them.
#pragma once

#include "storage/metadata/commands/command_parts.hpp"
#include "storage/metadata/rows/upload_rows.hpp"

namespace cairn::storage::metadata {

// command_result::version is the upload's id.
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

// Which upload of which object. no_such_upload: it is not there (any more), or is another object's.
struct upload_name {
  std::string bucket, key;
  upload_id id = 0;
  std::uint64_t nonce = 0;
};

// A part was written; one that had its number is replaced. no_such_upload, blob_dead, no_quorum; with a source
// no_such_key, stale_source. A refused part's blob is buried as that of a refused put_object. Content: no bytes, or a
// blob.
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
  std::optional<object_version> source{}; // what the bytes were copied from, which is judged as that of copy_part
};

// Bytes [offset, offset + length) of an object become a part; the blobs are shared. no_such_upload, no_such_key,
// stale_source, too_large (of more pieces than part_pieces_max), unsupported (the source's bytes lie in its row).
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

// The parts, in rising order of their numbers, become the object; parts that are not chosen go. Refused, with the
// upload as it was: no_such_upload, invalid_part (not there, or of another digest), invalid_part_order, part_too_small,
// precondition_failed.
struct complete_upload {
  commit_stamp stamp;
  upload_name upload;
  wall_ms now = 0;
  std::vector<chosen_part> parts;                             // 1 to part_number_max
  metadata::etag etag;                                        // of the whole; its `parts` is their number
  std::vector<std::pair<std::string, std::string>> checksums; // headers to keep beside those of begin_upload
  write_condition condition;
  bool part_checksums = false; // the object's parts keep those of the upload's
  authority by{};
};

// no_such_upload.
struct abort_upload {
  commit_stamp stamp;
  upload_name upload;
  authority by{};
};

// The bytes are shared, none is moved. Headers and extras replace the source's where they are given; checksums of the
// bytes (headers named x-amz-checksum-…) stay in any case. no_such_key, stale_source, precondition_failed.
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

// no_such_key. What is not given stays.
struct set_extras {
  commit_stamp stamp;
  std::string bucket, key;
  std::optional<std::vector<std::pair<std::string, std::string>>> tags;
  std::optional<bool> public_read;
  std::optional<version_id> version; // no_such_version, delete_marker; without: of the live one
  authority by{};
};

// no_such_bucket, acl_not_supported. What is not given stays.
struct set_bucket {
  commit_stamp stamp;
  std::string name;
  std::optional<bool> public_read;
  std::optional<std::vector<cors_rule>> cors;
  std::optional<std::uint8_t> versioning; // enabled or suspended
  std::optional<std::vector<lifecycle_rule>> lifecycle;
  std::optional<bool> public_write;   // only beside public_read, which without it takes the right to write away
  std::optional<bool> public_objects; // only beside public_read, which without it is about the objects, too
  std::optional<std::vector<std::pair<std::string, std::string>>> tags;
  authority by{};
  std::optional<std::uint8_t> ownership;
};

// Their encodings, called by commands.cpp.
void write(byte_writer& w, const begin_upload& c);
void write(byte_writer& w, const put_part& c);
void write(byte_writer& w, const copy_part& c);
void write(byte_writer& w, const complete_upload& c);
void write(byte_writer& w, const abort_upload& c);
void write(byte_writer& w, const copy_object& c);
void write(byte_writer& w, const set_extras& c);
void write(byte_writer& w, const set_bucket& c);
void read(byte_reader& r, begin_upload& c);
void read(byte_reader& r, put_part& c);
void read(byte_reader& r, copy_part& c);
void read(byte_reader& r, complete_upload& c);
void read(byte_reader& r, abort_upload& c);
void read(byte_reader& r, copy_object& c);
void read(byte_reader& r, set_extras& c);
void read(byte_reader& r, set_bucket& c);

} // namespace cairn::storage::metadata
