#include "cli/transfer/multipart_upload.hpp"

#include "base/codec.hpp"
#include "base/digest.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/client/text_body.hpp"

namespace cairn::cli {

namespace {

std::string upload_target(const object_path& path, const std::string& id) {
  return target_of(path) + "?uploadId=" + percent_encode(id, false);
}

result<http_response> post(http_client& client, const std::string& target, const header_list& headers,
                           const std::string& body, const std::string& what) {
  text_body source(body);
  auto response = client.exchange({"POST", target, headers}, &source);
  if (response && !response->ok()) return failure_of(*response, what);
  return response;
}

std::string name_of(const object_path& path) {
  return path.bucket + "/" + path.key;
}

} // namespace

result<std::optional<open_upload>> newest_upload(std::string_view xml, std::string_view key) {
  const auto root = read_answer(xml, "ListMultipartUploadsResult");
  if (!root) return root.error();
  const bool encoded = root->text_of("EncodingType") == "url";
  std::optional<open_upload> newest;
  for (const auto& upload : root->children) {
    if (upload.name != "Upload") continue;
    const auto name = upload.text_of("Key");
    if ((encoded ? percent_decode(name) : std::string(name)) != key) continue;
    const auto initiated = upload.text_of("Initiated"); // RFC 3339: in the order of time
    if (!newest || initiated >= newest->initiated)
      newest = open_upload{std::string(upload.text_of("UploadId")), std::string(initiated)};
  }
  return newest;
}

result<std::string> add_parts(std::string_view xml, open_upload& upload) {
  const auto root = read_answer(xml, "ListPartsResult");
  if (!root) return root.error();
  const auto algorithm = root->text_of("ChecksumAlgorithm");
  upload.with_crc64 = algorithm == "CRC64NVME" && root->text_of("ChecksumType") != "COMPOSITE";
  upload.other_checksum = !algorithm.empty() && !upload.with_crc64;
  for (const auto& part : root->children) {
    if (part.name != "Part") continue;
    const auto *number = part.child("PartNumber"), *size = part.child("Size");
    const auto index = number ? net::xml_number(*number).value_or(0) : 0;
    const auto bytes = size ? net::xml_number(*size).value_or(UINT64_MAX) : UINT64_MAX;
    if (index == 0 || bytes == UINT64_MAX) return error{errc::corrupt, "a part without its number or size"};
    upload.parts[index] = {bytes, etag_text(part.text_of("ETag"))};
  }
  if (root->text_of("IsTruncated") != "true") return std::string{};
  std::string marker(root->text_of("NextPartNumberMarker"));
  if (marker.empty()) return error{errc::corrupt, "a truncated list of parts without its marker"};
  return marker;
}

result<std::optional<open_upload>> find_upload(http_client& client, const object_path& path) {
  // A key comes before all others that begin with it, so its uploads are on the first page.
  const auto target = target_of(path.bucket, {{"uploads", ""}, {"encoding-type", "url"}, {"prefix", path.key}});
  const auto listed = ask(client, {"GET", target, {}}, "listing the uploads of " + name_of(path));
  if (!listed) return listed.error();
  const auto newest = newest_upload(listed->body, path.key);
  if (!newest || !*newest) return newest;
  open_upload upload = **newest;
  std::string marker;
  for (unsigned page = 0; page < 1000; ++page) {
    auto wanted = upload_target(path, upload.id);
    if (!marker.empty()) wanted += "&part-number-marker=" + percent_encode(marker, false);
    const auto parts = client.exchange({"GET", wanted, {}});
    if (!parts) return parts.error();
    if (parts->status == 404) return std::optional<open_upload>{}; // ended meanwhile
    if (!parts->ok()) return failure_of(*parts, "listing the parts of " + name_of(path));
    auto next = add_parts(parts->body, upload);
    if (!next) return next.error();
    if (next->empty()) return std::optional(upload);
    marker = std::move(*next);
  }
  return error{errc::corrupt, "the list of the parts of " + name_of(path) + " does not end"};
}

result<open_upload> create_upload(http_client& client, const object_path& path, const header_list& headers,
                                  bool want_crc64) {
  auto all = headers;
  if (want_crc64) {
    all.emplace_back("x-amz-checksum-algorithm", "CRC64NVME");
    all.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
  }
  text_body nothing{{}};
  const auto response = client.exchange({"POST", target_of(path) + "?uploads=", all}, &nothing);
  if (!response) return response.error();
  if (want_crc64 && (response->status == 400 || response->status == 501))
    return create_upload(client, path, headers, false);
  if (!response->ok()) return failure_of(*response, name_of(path));
  const auto root = read_answer(response->body, "InitiateMultipartUploadResult");
  if (!root) return root.error();
  open_upload upload{std::string(root->text_of("UploadId"))};
  upload.with_crc64 = want_crc64;
  if (upload.id.empty()) return error{errc::corrupt, name_of(path) + ": the server named no upload"};
  return upload;
}

std::string complete_upload_xml(const part_map& parts) {
  std::string xml = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">";
  for (const auto& [number, part] : parts)
    xml += "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>&quot;" + part.etag +
           "&quot;</ETag></Part>";
  return xml + "</CompleteMultipartUpload>";
}

result<std::string> complete_upload(http_client& client, const object_path& path, const open_upload& upload,
                                    const std::string& crc64) {
  header_list headers{{"Content-Type", "application/xml"}};
  if (!crc64.empty()) {
    headers.emplace_back("x-amz-checksum-crc64nvme", crc64);
    headers.emplace_back("x-amz-checksum-type", "FULL_OBJECT");
  }
  const auto response =
      post(client, upload_target(path, upload.id), headers, complete_upload_xml(upload.parts), name_of(path));
  if (!response) return response.error();
  const auto root = read_answer(response->body, "CompleteMultipartUploadResult");
  if (!root) return failure_of(*response, name_of(path)); // S3 may fail after it has answered 200
  return etag_text(root->text_of("ETag"));
}

void abort_upload(http_client& client, const object_path& path, const std::string& id) {
  // Where it fails, the server removes the upload by its own rules.
  (void)client.exchange({"DELETE", upload_target(path, id), {}});
}

std::string part_target(const object_path& path, const std::string& id, std::uint64_t number) {
  return target_of(path) + "?partNumber=" + std::to_string(number) + "&uploadId=" + percent_encode(id, false);
}

std::optional<std::string> composed_etag(const part_map& parts) {
  md5 all;
  for (const auto& [number, part] : parts) {
    md5::digest of_part{};
    if (!is_md5(part.etag) || !read_hex(part.etag, of_part)) return std::nullopt;
    all.update(std::as_bytes(std::span(of_part)));
  }
  return hex_of(all.finish()) + "-" + std::to_string(parts.size());
}

} // namespace cairn::cli
