// The client's view of multipart uploads: upload ids, the chosen parts, the ETag and checksum of the whole object.
// Pure. (S3 user guide, "Uploading and copying objects using multipart upload", "Checking object integrity".)
#pragma once

#include "actors/protocol/values/transfers.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/s3/body/checksums.hpp"
#include "net/s3/operations/target.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "storage/metadata/commands/object_commands.hpp"

#include <span>
#include <variant>

namespace cairn::net {

// 32 hexadecimal digits.
std::string upload_id_text(storage::metadata::upload_id id, std::uint64_t nonce);
// Parses "?uploadId=…". NoSuchUpload: the text is not an upload id.
std::variant<storage::metadata::upload_name, s3_error> upload_of(const s3_target& target);
std::variant<std::uint32_t, s3_error> part_number_of(const request_target& target); // "?partNumber=…", 1 to 10,000

// Parses a number of a query ("max-parts"); capped at `most`, which is also the default.
std::variant<std::uint32_t, s3_error> bounded_number(const request_target& target, std::string_view name,
                                                     std::uint32_t most);

constexpr std::uint64_t part_bytes_max = 5ull << 30;
// The command for a part whose bytes were written as those of `whole`; the part's checksum is among the headers of
// `whole`.
storage::metadata::put_part part_of(const storage::metadata::put_object& whole,
                                    const storage::metadata::upload_name& upload, std::uint32_t number);

constexpr std::size_t complete_body_bytes_max = 4 << 20; // 10,000 parts with their checksums

struct named_part {
  storage::metadata::chosen_part chosen;
  std::string checksum_name, checksum; // as in storage::metadata::uploaded_part, if the client repeats it
};
// Parses CompleteMultipartUpload's document. MalformedXML, InvalidPart (an ETag that no part can have),
// InvalidPartOrder.
std::variant<std::vector<named_part>, s3_error> read_complete_request(std::string_view body);

// The MD5 of the parts' MD5s, and the number of parts.
storage::metadata::etag etag_of_parts(std::span<const named_part> parts);

// Whether this upload, completed with parts of this ETag, made the object. Of an object that was completed by a build
// that did not keep its upload, only that this upload can have made it: ids of uploads and manifests are from one
// counter, and such a manifest was made when its upload ended.
bool is_made_by(const storage::metadata::object_row& row, const storage::metadata::upload_name& upload,
                const storage::metadata::etag& etag);

// The checksum that CreateMultipartUpload requests: x-amz-checksum-algorithm and -type. InvalidRequest: S3 does not
// allow this pair.
struct wanted_checksum {
  std::string name; // "crc32"; empty: none
  storage::metadata::checksum_type type = storage::metadata::checksum_type::none;
};
std::variant<wanted_checksum, s3_error> read_wanted_checksum(const boost::beast::http::fields& fields);

// The checksum of the whole object, computed part by part. Without an algorithm it is S3's default, CRC-64/NVME of the
// full object, if every part has it.
class whole_checksum {
public:
  explicit whole_checksum(wanted_checksum wanted);
  // False: the part has no checksum of the upload's algorithm.
  bool add(const storage::metadata::uploaded_part& part);
  // The header to keep with the object, if any: "x-amz-checksum-crc32" and "…-3".
  actors::kept_headers header() const;

private:
  wanted_checksum wanted_;
  const bool required_;
  std::optional<checksum_kind> kind_; // nullopt: the object gets none
  std::string joined_;
  std::size_t parts_ = 0;
};

std::optional<checksum_kind> checksum_kind_of(std::string_view name); // "crc32", any case
std::string_view checksum_element(std::string_view name);             // "crc32" → "ChecksumCRC32"
std::string_view checksum_algorithm_text(std::string_view name);      // "crc32" → "CRC32"; empty: none of S3's
std::string_view checksum_type_text(storage::metadata::checksum_type type);
// COMPOSITE or FULL_OBJECT, by the value of a kept header.
std::string_view checksum_type_of(std::string_view value);

} // namespace cairn::net
