#include "net/s3/xml/tags.hpp"

#include "net/s3/xml/s3_errors.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/xml_reader.hpp"
#include "net/wire/grammar/uri.hpp"
#include "storage/metadata/rows/names.hpp"

#include <algorithm>
#include <optional>

namespace cairn::net {

namespace {

constexpr xml_bounds tagging_bounds{tagging_body_bytes_max, 600, 20, 8};

std::size_t characters(std::string_view utf8) {
  return static_cast<std::size_t>(
      std::ranges::count_if(utf8, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::optional<s3_error> refused_tags(const tag_list& tags, std::size_t most = tags_max) {
  if (tags.size() > most) {
    const char* const message =
        most == tags_max ? "Object tags cannot be greater than 10" : "Bucket tags cannot be greater than 50";
    return s3_error{400, "BadRequest", message};
  }
  for (std::size_t i = 0; i < tags.size(); ++i) {
    const auto& [key, value] = tags[i];
    if (key.empty() || characters(key) > tag_key_characters_max || !storage::metadata::valid_utf8(key))
      return s3_error{400, "InvalidTag", "The TagKey you have provided is invalid"};
    if (is_system_tag(key)) return s3_error{400, "InvalidTag", "Your TagKey cannot be prefixed with aws:"};
    if (characters(value) > tag_value_characters_max || !storage::metadata::valid_utf8(value))
      return s3_error{400, "InvalidTag", "The TagValue you have provided is invalid"};
    const auto same = [&tag = tags[i]](const auto& other) { return other.first == tag.first; };
    if (std::any_of(tags.begin(), tags.begin() + static_cast<std::ptrdiff_t>(i), same))
      return s3_error{400, "InvalidTag", "Cannot provide multiple Tags with the same key"};
  }
  return std::nullopt;
}

s3_error malformed_tagging() {
  return malformed_xml("The body is not a Tagging document.");
}

} // namespace

bool is_system_tag(std::string_view key) {
  return key.starts_with("aws:");
}

std::variant<tag_list, s3_error> read_tagging_header(std::string_view text) {
  tag_list tags;
  while (!text.empty()) {
    const auto pair = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(text.size(), pair.size() + 1));
    const auto equals = pair.find('=');
    auto key = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(equals == pair.npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!key || !value || key->empty())
      return s3_error{400, "InvalidArgument",
                      "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded "
                      "URL query parameters without tag name duplicates."};
    tags.emplace_back(std::move(*key), std::move(*value));
  }
  if (auto refused = refused_tags(tags)) return std::move(*refused);
  std::sort(tags.begin(), tags.end()); // a query has no order
  return tags;
}

std::variant<tag_list, s3_error> read_tag_set(const xml_element& set, std::size_t most) {
  tag_list tags;
  for (const auto& tag : set.children) {
    const auto *key = tag.child("Key"), *value = tag.child("Value");
    if (tag.name != "Tag" || !has_only(tag, {"Key", "Value"}) || key == nullptr || value == nullptr)
      return malformed_tagging();
    tags.emplace_back(key->text, value->text);
  }
  if (auto refused = refused_tags(tags, most)) return std::move(*refused);
  return tags;
}

std::variant<tag_list, s3_error> read_tagging(std::string_view body, std::size_t most) {
  const auto root = read_xml(body, tagging_bounds);
  const auto* set = root && root->name == "Tagging" ? root->child("TagSet") : nullptr;
  if (set == nullptr || !has_only(*root, {"TagSet"})) return malformed_tagging();
  return read_tag_set(*set, most);
}

std::string tagging_xml(const tag_list& tags) {
  xml_writer xml;
  xml.open("Tagging", s3_name_space);
  xml.open("TagSet");
  for (const auto& [key, value] : tags) {
    xml.open("Tag");
    xml.text("Key", key);
    xml.text("Value", value);
    xml.close("Tag");
  }
  xml.close("TagSet");
  xml.close("Tagging");
  return xml.take();
}

} // namespace cairn::net
