// S3's multipart upload from the client's side: the requests and what their answers say ("Uploading and copying objects
// using multipart upload", S3 user guide). An upload that was interrupted stays on the server with its parts;
// `find_upload` finds it again. Errors: as failure_of, and corrupt for an answer without the documented shape.
#pragma once

#include "cli/client/http_client.hpp"
#include "cli/client/object_path.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace cairn::cli {

struct stored_part {
  std::uint64_t size_bytes = 0;
  std::string etag; // the MD5 of its bytes, on servers that follow S3
};
using part_map = std::map<std::uint64_t, stored_part>; // by number, from 1

struct open_upload {
  std::string id;
  std::string initiated;   // RFC 3339, by the server's clock; empty: made just now
  bool with_crc64 = false; // the server checks a CRC-64/NVME of the whole object
  bool other_checksum = false;
  part_map parts; // those it has
};

// The newest upload of exactly this key, with its parts; the two functions below parse the answers.
result<std::optional<open_upload>> find_upload(http_client& client, const object_path& path);
result<std::optional<open_upload>> newest_upload(std::string_view xml, std::string_view key);
// Adds a page of ListParts; answers the marker of the next page, empty: it was the last.
result<std::string> add_parts(std::string_view xml, open_upload& upload);

// With `want_crc64` asks for a CRC-64/NVME of the whole object; made without it if the server does not support that.
result<open_upload> create_upload(http_client& client, const object_path& path, const header_list& headers,
                                  bool want_crc64);
// `crc64`: of the whole object in base64; empty: none. Answers the ETag.
result<std::string> complete_upload(http_client& client, const object_path& path, const open_upload& upload,
                                    const std::string& crc64);
std::string complete_upload_xml(const part_map& parts);
void abort_upload(http_client& client, const object_path& path, const std::string& id);

// "/bucket/key?partNumber=1&uploadId=…"
std::string part_target(const object_path& path, const std::string& id, std::uint64_t number);

// The ETag of an object in parts: the MD5 of the parts' MD5s, "-", their number. nullopt: an ETag is no MD5.
std::optional<std::string> composed_etag(const part_map& parts);

} // namespace cairn::cli
