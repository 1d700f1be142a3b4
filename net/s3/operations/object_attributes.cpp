#include "net/s3/operations/object_attributes.hpp"

#include "net/s3/body/body_checksums.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/wire/grammar/fields.hpp"

#include <algorithm>
#include <charconv>

namespace cairn::net {

namespace {

constexpr std::uint32_t parts_of_an_answer_max = 1000;

std::optional<s3_error> read_names(std::string_view list, attributes_request& into) {
  bool any = false;
  while (!list.empty()) {
    auto name = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), name.size() + 1));
    while (!name.empty() && (name.front() == ' ' || name.front() == '\t')) name.remove_prefix(1);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
    bool* const wanted = name == "ETag"           ? &into.etag
                         : name == "Checksum"     ? &into.checksum
                         : name == "ObjectParts"  ? &into.parts
                         : name == "StorageClass" ? &into.storage_class
                         : name == "ObjectSize"   ? &into.size
                                                  : nullptr;
    if (wanted == nullptr) return invalid_argument("Invalid attribute name specified.");
    *wanted = any = true;
  }
  if (!any) return invalid_argument("x-amz-object-attributes names no attribute.");
  return std::nullopt;
}

bool read_number(const boost::beast::http::fields& fields, std::string_view name, std::uint32_t& into) {
  const auto text = find_field(fields, name);
  if (!text) return true;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), into);
  return problem == std::errc{} && end == text->data() + text->size();
}

struct kept_checksum {
  std::string_view element, value;
};
std::optional<kept_checksum> checksum_of(const storage::metadata::object_row& row) {
  for (const auto& [name, value] : row.headers.standard)
    if (is_checksum_header(name))
      return kept_checksum{checksum_element(std::string_view{name}.substr(checksum_header_prefix.size())), value};
  return std::nullopt;
}

void append_checksum(xml_writer& xml, const storage::metadata::object_row& row) {
  const auto kept = checksum_of(row);
  if (!kept) return;
  xml.open("Checksum");
  xml.text(kept->element, kept->value.substr(0, kept->value.find('-')));
  xml.text("ChecksumType", checksum_type_of(kept->value));
  xml.close("Checksum");
}

void append_parts(xml_writer& xml, const attributes_request& request, const actors::found_parts& found) {
  const auto& parts = *found.parts;
  const auto shown = std::min<std::size_t>(parts.size(), request.parts_max);
  const auto kept = checksum_of(*found.row);
  xml.open("ObjectParts");
  xml.number("PartsCount", found.row->etag.parts);
  xml.number("PartNumberMarker", request.after);
  if (shown > 0) xml.number("NextPartNumberMarker", parts[shown - 1].number);
  xml.number("MaxParts", request.parts_max);
  xml.text("IsTruncated", parts.size() > shown ? "true" : "false");
  for (std::size_t i = 0; i < shown; ++i) {
    xml.open("Part");
    xml.number("PartNumber", parts[i].number);
    xml.number("Size", parts[i].length);
    if (kept && !parts[i].checksum.empty()) xml.text(kept->element, parts[i].checksum);
    xml.close("Part");
  }
  xml.close("ObjectParts");
}

} // namespace

std::variant<attributes_request, s3_error> read_attributes_request(const boost::beast::http::fields& fields) {
  attributes_request request;
  std::string list;
  const auto [first, last] = fields.equal_range("x-amz-object-attributes");
  for (auto field = first; field != last; ++field) {
    if (!list.empty()) list += ',';
    list.append(field->value().data(), field->value().size());
  }
  if (auto refused = read_names(list, request)) return std::move(*refused);
  if (!read_number(fields, "x-amz-max-parts", request.parts_max))
    return invalid_argument("x-amz-max-parts is a number.");
  if (!read_number(fields, "x-amz-part-number-marker", request.after))
    return invalid_argument("x-amz-part-number-marker is a number.");
  request.parts_max = std::min(request.parts_max, parts_of_an_answer_max);
  return request;
}

std::string attributes_xml(const attributes_request& request, const actors::found_parts& found) {
  const auto& row = *found.row;
  xml_writer xml;
  xml.open("GetObjectAttributesResponse", s3_name_space);
  if (request.etag) xml.text("ETag", to_string(row.etag));
  if (request.checksum) append_checksum(xml, row);
  if (request.parts && row.etag.parts > 0) append_parts(xml, request, found);
  if (request.storage_class) xml.text("StorageClass", "STANDARD");
  if (request.size) xml.number("ObjectSize", row.size);
  xml.close("GetObjectAttributesResponse");
  return xml.take();
}

} // namespace cairn::net
