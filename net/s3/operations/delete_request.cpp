#include "net/s3/operations/delete_request.hpp"

#include "net/s3/operations/conditions.hpp"
#include "net/s3/xml/s3_errors.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/xml_reader.hpp"
#include "storage/metadata/rows/names.hpp"

namespace cairn::net {

namespace {

constexpr xml_bounds delete_bounds{delete_body_bytes_max, 16 * delete_keys_max, 100, 8};

std::optional<s3_error> refused_key(std::string_view key) {
  if (key.empty()) return s3_error{400, "UserKeyMustBeSpecified", "A key is missing."};
  if (key.size() > storage::metadata::key_bytes_max) return key_too_long();
  return std::nullopt;
}

delete_entry entry_of(const xml_element& object) {
  delete_entry entry;
  removal_texts texts;
  for (const auto& field : object.children) {
    if (field.name == "Key") {
      entry.key = field.text;
    } else if (field.name == "VersionId") {
      entry.version = storage::metadata::parse_version_id(field.token());
      if (!entry.version && !field.token().empty()) {
        entry.bad_version = field.token();
        entry.failed = s3_error{400, "NoSuchVersion", "Invalid version id specified"};
      }
    } else if (field.name == "ETag") {
      texts.etag.emplace(field.token());
    } else if (field.name == "LastModifiedTime") {
      texts.modified.emplace(field.token());
    } else if (field.name == "Size") {
      texts.size.emplace(field.token());
    }
  }
  auto only_if = removal_condition_of(texts);
  if (only_if)
    entry.only_if = std::move(*only_if);
  else
    entry.failed = s3_error_of(only_if.error());
  if (auto refused = refused_key(entry.key)) entry.failed = std::move(refused);
  return entry;
}

} // namespace

std::variant<delete_request, s3_error> read_delete_request(std::string_view body) {
  const auto root = read_xml(body, delete_bounds);
  if (!root || root->name != "Delete") return malformed_xml("The body is not a Delete document.");
  delete_request request;
  for (const auto& inside : root->children) {
    if (inside.name == "Quiet") {
      const auto quiet = xml_boolean(inside);
      if (!quiet || root->child("Quiet") != &inside) return malformed_xml("Quiet is true or false, and given once.");
      request.quiet = *quiet;
    } else if (inside.name == "Object") {
      if (!has_only(inside, {"Key", "VersionId", "ETag", "LastModifiedTime", "Size"}))
        return malformed_xml("An Object has an element that does not belong there, or one twice.");
      request.entries.push_back(entry_of(inside));
      if (!storage::metadata::valid_utf8(request.entries.back().key)) return malformed_xml("A key is not UTF-8.");
    } else {
      return malformed_xml("A Delete document has no element " + inside.name + ".");
    }
  }
  if (request.entries.empty()) return malformed_xml("The document names no object.");
  if (request.entries.size() > delete_keys_max) return malformed_xml("The document names more than 1000 objects.");
  return request;
}

std::string delete_result_xml(const delete_request& done) {
  xml_writer xml;
  xml.open("DeleteResult", s3_name_space);
  for (const auto& entry : done.entries) {
    if (!entry.failed && done.quiet) continue;
    const std::string_view element = entry.failed ? "Error" : "Deleted";
    xml.open(element);
    xml.text("Key", entry.key);
    if (const auto id = entry.version ? to_string(*entry.version) : entry.bad_version; !id.empty())
      xml.text("VersionId", id);
    if (!entry.failed && entry.outcome.delete_marker) {
      xml.text("DeleteMarker", "true");
      if (const auto& id = entry.version ? entry.version : entry.outcome.id)
        xml.text("DeleteMarkerVersionId", to_string(*id));
    }
    if (entry.failed) {
      xml.text("Code", entry.failed->code);
      xml.text("Message", entry.failed->message);
    }
    xml.close(element);
  }
  xml.close("DeleteResult");
  return xml.take();
}

} // namespace cairn::net
