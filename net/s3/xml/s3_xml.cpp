#include "net/s3/xml/s3_xml.hpp"

#include "base/codec.hpp"
#include "base/visible_text.hpp"
#include "net/wire/grammar/base64.hpp"
#include "net/wire/grammar/http_date.hpp"
#include "net/wire/grammar/uri.hpp"

#include <array>
#include <charconv>

namespace cairn::net {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd"; // U+FFFD

// Bytes that are copied unchanged. Bytes outside ASCII are not: XML may not allow the characters that they encode.
constexpr std::array<bool, 256> plain_table = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = 0x20; c < 0x80; ++c) table[c] = true;
  for (const char c : {'&', '<', '>', '"', '\x7f'}) table[static_cast<unsigned char>(c)] = false;
  return table;
}();

void append_reference(std::string& out, char c) {
  switch (c) {
    case '&': out += "&amp;"; return;
    case '<': out += "&lt;"; return;
    case '>': out += "&gt;"; return;
    case '"': out += "&quot;"; return;
    default: break;
  }
  out.append("&#x").append(hex_of(static_cast<unsigned char>(c), 1)).append(";");
}

// Whether XML has no way to write the character, not even as a reference: NUL, U+FFFE, U+FFFF, and what is not UTF-8.
bool is_unwritable(const character& c) {
  return !c.valid || c.code == 0 || c.code == 0xFFFE || c.code == 0xFFFF;
}

void append_object(xml_writer& xml, const storage::metadata::listed_object& object, const list_request& request) {
  xml.raw("<Contents>");
  append_name(xml, "Key", object.key, request.encode_url);
  xml.raw("<LastModified>");
  append_iso_time(xml.bytes(), object.modified);
  xml.raw("</LastModified><ETag>&quot;");
  xml.raw(to_string(object.etag));
  xml.raw("&quot;</ETag>");
  xml.number("Size", object.size);
  if (request.with_owner) xml.owner(object.owner);
  xml.raw("<StorageClass>STANDARD</StorageClass></Contents>");
}

// The SDK for Java decodes the Prefix of a version 1 answer and botocore does not: it is not encoded if both then read
// the same text.
bool reads_alike(const list_request& request) {
  const auto& prefix = request.query.prefix;
  return !request.version_2 && prefix.find_first_of("%+") == prefix.npos && readable_xml(prefix) == prefix;
}

void append_paging(xml_writer& xml, const list_request& request, const storage::metadata::listing& page) {
  const auto& query = request.query;
  if (request.version_2) {
    xml.number("KeyCount", page.objects.size() + page.common_prefixes.size());
    if (request.token) xml.text("ContinuationToken", *request.token);
    if (!request.start_after.empty()) append_name(xml, "StartAfter", request.start_after, request.encode_url);
    if (page.truncated) xml.text("NextContinuationToken", base64url_encode(page.last));
  } else {
    append_name(xml, "Marker", request.marker, request.encode_url);
    // Without a delimiter clients continue after the last key, and S3 answers no NextMarker.
    if (page.truncated && !query.delimiter.empty()) append_name(xml, "NextMarker", page.last, request.encode_url);
  }
  xml.number("MaxKeys", query.keys_max);
  if (!query.delimiter.empty()) append_name(xml, "Delimiter", query.delimiter, request.encode_url);
  if (request.encode_url) xml.text("EncodingType", "url");
  xml.text("IsTruncated", page.truncated ? "true" : "false");
}

} // namespace

void append_name(xml_writer& xml, std::string_view element, std::string_view name, bool encode_url) {
  xml.open(element);
  if (encode_url)
    append_percent_encoded(xml.bytes(), name);
  else
    xml.escaped(name);
  xml.close(element);
}

void xml_writer::open(std::string_view element, std::string_view attributes) {
  out_ += '<';
  out_ += element;
  if (!attributes.empty()) {
    out_ += ' ';
    out_ += attributes;
  }
  out_ += '>';
}

void xml_writer::close(std::string_view element) {
  out_ += "</";
  out_ += element;
  out_ += '>';
}

void xml_writer::owner(std::string_view id, std::string_view element) {
  open(element);
  text("ID", shown_owner(id));
  text("DisplayName", shown_owner(id));
  close(element);
}

void xml_writer::text(std::string_view element, std::string_view value) {
  open(element);
  escaped(value);
  close(element);
}

void xml_writer::number(std::string_view element, std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto [end, problem] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  open(element);
  out_.append(digits.data(), end);
  close(element);
}

void xml_writer::escaped(std::string_view value) {
  std::size_t from = 0;
  for (std::size_t i = 0, bytes = 1; i < value.size(); i += bytes) {
    bytes = 1;
    if (plain_table[static_cast<unsigned char>(value[i])]) continue;
    const auto c = first_character(value.substr(i));
    const bool unwritable = is_unwritable(c);
    bytes = c.bytes;
    if (!unwritable && c.code >= 0x80) continue;
    out_ += value.substr(from, i - from);
    if (unwritable)
      out_ += replacement;
    else
      append_reference(out_, value[i]);
    from = i + bytes;
  }
  out_ += value.substr(from);
}

std::string readable_xml(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const auto c = first_character(text);
    const bool control = c.code < 0x20 && c.code != '\t' && c.code != '\n' && c.code != '\r';
    out += control || is_unwritable(c) ? replacement : text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return out;
}

std::string list_objects_xml(const list_request& request, const storage::metadata::listing& page) {
  constexpr std::size_t bytes_an_object = 288; // typical; the string grows if needed
  xml_writer xml;
  xml.reserve(1024 + page.objects.size() * bytes_an_object + page.common_prefixes.size() * 128);
  xml.open("ListBucketResult", s3_name_space);
  xml.text("Name", request.query.bucket);
  append_name(xml, "Prefix", request.query.prefix, request.encode_url && !reads_alike(request));
  append_paging(xml, request, page);
  for (const auto& object : page.objects) append_object(xml, object, request);
  for (const auto& prefix : page.common_prefixes) {
    xml.open("CommonPrefixes");
    append_name(xml, "Prefix", prefix, request.encode_url);
    xml.close("CommonPrefixes");
  }
  xml.close("ListBucketResult");
  return xml.take();
}

std::string list_buckets_xml(const std::vector<storage::metadata::listed_bucket>& buckets,
                             const bucket_list_request& request, bool more) {
  xml_writer xml;
  xml.open("ListAllMyBucketsResult", s3_name_space);
  xml.owner();
  xml.open("Buckets");
  for (const auto& bucket : buckets) {
    xml.open("Bucket");
    xml.text("Name", bucket.name);
    xml.open("CreationDate");
    append_iso_time(xml.bytes(), bucket.created);
    xml.close("CreationDate");
    if (!request.region.empty()) xml.text("BucketRegion", request.region);
    xml.close("Bucket");
  }
  xml.close("Buckets");
  if (more && !buckets.empty()) xml.text("ContinuationToken", buckets.back().name);
  if (!request.prefix.empty()) xml.text("Prefix", readable_xml(request.prefix));
  xml.close("ListAllMyBucketsResult");
  return xml.take();
}

} // namespace cairn::net
