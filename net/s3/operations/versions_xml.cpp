#include "net/s3/operations/versions_xml.hpp"

#include "net/s3/operations/list_request.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/xml_reader.hpp"
#include "net/wire/grammar/http_date.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

constexpr xml_bounds versioning_bounds{versioning_body_bytes_max, 100, 20, 8};

std::string given(const request_target& target, std::string_view name) {
  const auto* value = target.find(name);
  return value ? *value : std::string{};
}

void add_version(xml_writer& xml, const metadata::listed_version& version, bool encode_url) {
  const std::string_view element = version.delete_marker ? "DeleteMarker" : "Version";
  xml.open(element);
  append_name(xml, "Key", version.key, encode_url);
  xml.text("VersionId", to_string(version.id));
  xml.text("IsLatest", version.latest ? "true" : "false");
  xml.open("LastModified");
  append_iso_time(xml.bytes(), version.modified);
  xml.close("LastModified");
  if (!version.delete_marker) {
    xml.text("ETag", '"' + to_string(version.etag) + '"');
    xml.number("Size", version.size);
    xml.text("StorageClass", "STANDARD");
  }
  xml.owner(version.owner);
  xml.close(element);
}

} // namespace

std::variant<versions_request, s3_error> read_versions_request(const s3_target& target, std::uint32_t keys_max) {
  versions_request request;
  if (auto refused = refused_texts(target)) return std::move(*refused);
  const auto most = bounded_number(target, "max-keys", keys_max);
  if (const auto* refused = std::get_if<s3_error>(&most)) return *refused;
  request.query = {target.bucket, given(target, "prefix"),      given(target, "delimiter"), given(target, "key-marker"),
                   std::nullopt,  std::get<std::uint32_t>(most)};
  request.version_marker = given(target, "version-id-marker");
  if (!request.version_marker.empty()) {
    request.query.version_marker = metadata::parse_version_id(request.version_marker);
    if (request.query.key_marker.empty())
      return s3_error{400, "InvalidArgument", "A version-id marker cannot be specified without a key marker."};
    if (!request.query.version_marker) return s3_error{400, "InvalidArgument", "Invalid version id specified"};
  }
  if (const auto encoding = given(target, "encoding-type"); !encoding.empty()) {
    if (encoding != "url") return s3_error{400, "InvalidArgument", "encoding-type is url or absent."};
    request.encode_url = true;
  }
  return request;
}

std::string versions_document(const versions_request& request, const metadata::versions_page& page) {
  const auto& query = request.query;
  const bool encode = request.encode_url;
  xml_writer xml;
  xml.reserve(512 + 512 * page.versions.size());
  xml.open("ListVersionsResult", s3_name_space);
  xml.text("Name", query.bucket);
  append_name(xml, "Prefix", query.prefix, encode);
  append_name(xml, "KeyMarker", query.key_marker, encode);
  xml.text("VersionIdMarker", request.version_marker);
  if (page.truncated) {
    append_name(xml, "NextKeyMarker", page.next_key_marker, encode);
    if (page.next_version_marker) xml.text("NextVersionIdMarker", to_string(*page.next_version_marker));
  }
  xml.number("MaxKeys", query.versions_max);
  if (!query.delimiter.empty()) append_name(xml, "Delimiter", query.delimiter, encode);
  if (encode) xml.text("EncodingType", "url");
  xml.text("IsTruncated", page.truncated ? "true" : "false");
  for (const auto& version : page.versions) add_version(xml, version, encode);
  for (const auto& prefix : page.common_prefixes) {
    xml.open("CommonPrefixes");
    append_name(xml, "Prefix", prefix, encode);
    xml.close("CommonPrefixes");
  }
  xml.close("ListVersionsResult");
  return xml.take();
}

std::variant<std::uint8_t, s3_error> read_versioning_document(std::string_view body) {
  const s3_error malformed{400, "MalformedXML", "The body is not a VersioningConfiguration."};
  const auto root = read_xml(body, versioning_bounds);
  if (!root || root->name != "VersioningConfiguration" || !has_only(*root, {"Status", "MfaDelete"})) return malformed;
  if (const auto* mfa = root->child("MfaDelete"); mfa != nullptr && mfa->token() != "Disabled")
    return not_implemented("MFA delete");
  const auto* status = root->child("Status");
  if (status == nullptr) return malformed;
  if (status->token() == "Enabled") return metadata::versioning::enabled;
  if (status->token() == "Suspended") return metadata::versioning::suspended;
  return malformed;
}

std::string versioning_document(std::uint8_t versioning) {
  xml_writer xml;
  xml.open("VersioningConfiguration", s3_name_space);
  if (versioning != metadata::versioning::never)
    xml.text("Status", versioning == metadata::versioning::enabled ? "Enabled" : "Suspended");
  xml.close("VersioningConfiguration");
  return xml.take();
}

} // namespace cairn::net
