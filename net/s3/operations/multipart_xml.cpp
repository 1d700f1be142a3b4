#include "net/s3/operations/multipart_xml.hpp"

#include "net/s3/body/body_checksums.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/wire/grammar/http_date.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

void append_quoted_etag(xml_writer& xml, std::string_view etag) {
  xml.raw("<ETag>&quot;");
  xml.raw(etag);
  xml.raw("&quot;</ETag>");
}

void append_time(xml_writer& xml, std::string_view element, wall_ms time) {
  xml.open(element);
  append_iso_time(xml.bytes(), time);
  xml.close(element);
}

void append_owners(xml_writer& xml, std::string_view owner) {
  xml.owner(owner, "Initiator");
  xml.owner(owner);
  xml.text("StorageClass", "STANDARD");
}

void append_checksums(xml_writer& xml, const actors::kept_headers& checksums) {
  for (const auto& [name, value] : checksums) {
    if (!is_checksum_header(name)) continue;
    xml.text(checksum_element(std::string_view{name}.substr(checksum_header_prefix.size())), value);
    xml.text("ChecksumType", checksum_type_of(value));
  }
}

} // namespace

std::string upload_begun_xml(const s3_target& target, std::string_view upload_id) {
  xml_writer xml;
  xml.open("InitiateMultipartUploadResult", s3_name_space);
  xml.text("Bucket", target.bucket);
  xml.text("Key", readable_xml(target.key));
  xml.text("UploadId", upload_id);
  xml.close("InitiateMultipartUploadResult");
  return xml.take();
}

std::string parts_xml(const s3_target& target, const parts_request& request, const actors::found_upload& page) {
  const auto& parts = *page.parts;
  const auto shown = std::min<std::size_t>(parts.size(), request.parts_max);
  xml_writer xml;
  xml.reserve(1024 + shown * 320);
  xml.open("ListPartsResult", s3_name_space);
  xml.text("Bucket", target.bucket);
  xml.text("Key", readable_xml(target.key));
  xml.text("UploadId", request.upload_id);
  append_owners(xml, page.row->extras.owner);
  xml.number("PartNumberMarker", request.after);
  if (shown > 0) xml.number("NextPartNumberMarker", parts[shown - 1].number);
  xml.number("MaxParts", request.parts_max);
  xml.text("IsTruncated", parts.size() > shown ? "true" : "false");
  if (!page.row->checksum.empty()) {
    xml.text("ChecksumAlgorithm", checksum_algorithm_text(page.row->checksum));
    xml.text("ChecksumType", checksum_type_text(page.row->type));
  }
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& part = parts[i];
    xml.open("Part");
    xml.number("PartNumber", part.number);
    append_time(xml, "LastModified", part.modified);
    append_quoted_etag(xml, to_string(metadata::etag{part.digest}));
    xml.number("Size", part.length);
    if (!part.checksum.empty()) xml.text(checksum_element(part.checksum_name), part.checksum);
    xml.close("Part");
  }
  xml.close("ListPartsResult");
  return xml.take();
}

std::string uploads_xml(const uploads_request& request, const metadata::uploads_page& page) {
  const auto& query = request.query;
  xml_writer xml;
  const auto name = [&](std::string_view element, std::string_view text) {
    append_name(xml, element, text, request.encode_url);
  };
  xml.reserve(1024 + page.uploads.size() * 400);
  xml.open("ListMultipartUploadsResult", s3_name_space);
  xml.text("Bucket", query.bucket);
  name("KeyMarker", query.key_marker);
  xml.text("UploadIdMarker", readable_xml(request.upload_marker));
  if (page.truncated) {
    name("NextKeyMarker", page.next_key_marker);
    xml.text("NextUploadIdMarker", page.next_upload_marker == 0
                                       ? std::string{}
                                       : upload_id_text(page.next_upload_marker, page.next_upload_nonce));
  }
  name("Prefix", query.prefix);
  if (!query.delimiter.empty()) name("Delimiter", query.delimiter);
  if (request.encode_url) xml.text("EncodingType", "url");
  xml.number("MaxUploads", query.uploads_max);
  xml.text("IsTruncated", page.truncated ? "true" : "false");
  for (const auto& upload : page.uploads) {
    xml.open("Upload");
    name("Key", upload.key);
    xml.text("UploadId", upload_id_text(upload.id, upload.nonce));
    append_owners(xml, upload.owner);
    append_time(xml, "Initiated", upload.begun);
    xml.close("Upload");
  }
  for (const auto& prefix : page.common_prefixes) {
    xml.open("CommonPrefixes");
    name("Prefix", prefix);
    xml.close("CommonPrefixes");
  }
  xml.close("ListMultipartUploadsResult");
  return xml.take();
}

std::string upload_completed_xml(std::string_view location, const s3_target& target, const metadata::etag& etag,
                                 const actors::kept_headers& checksums) {
  xml_writer xml;
  xml.open("CompleteMultipartUploadResult", s3_name_space);
  xml.text("Location", location);
  xml.text("Bucket", target.bucket);
  xml.text("Key", readable_xml(target.key));
  append_quoted_etag(xml, to_string(etag));
  append_checksums(xml, checksums);
  xml.close("CompleteMultipartUploadResult");
  return xml.take();
}

std::string copied_xml(std::string_view element, const metadata::etag& etag, wall_ms modified,
                       const actors::kept_headers& checksums) {
  xml_writer xml;
  xml.open(element, s3_name_space);
  append_time(xml, "LastModified", modified);
  append_quoted_etag(xml, to_string(etag));
  append_checksums(xml, checksums);
  xml.close(element);
  return xml.take();
}

} // namespace cairn::net
