#include "base/json.hpp"

#include "base/codec.hpp"
#include "base/visible_text.hpp"

#include <boost/json/src.hpp>

namespace cairn {

namespace {

void append_escaped(std::string& out, char32_t code) {
  out.append("\\u").append(hex_of(code, 4));
}

std::size_t members_of(const json_value& value) {
  std::size_t members = 0;
  if (const auto* object = value.if_object())
    for (const auto& member : *object) members += 1 + members_of(member.value());
  if (const auto* array = value.if_array())
    for (const auto& item : *array) members += members_of(item);
  return members;
}

} // namespace

// Boost.JSON escapes C0 controls, quotes and backslashes. What else there is to escape is in no place but strings.
std::string json_text(const json_value& value) {
  const std::string text = boost::json::serialize(value);
  std::string out;
  out.reserve(text.size());
  for (std::string_view rest = text; !rest.empty();) {
    const auto c = first_character(rest);
    if (drives_terminal(c))
      append_escaped(out, c.code);
    else
      out += rest.substr(0, c.bytes);
    rest.remove_prefix(c.bytes);
  }
  return out;
}

std::string_view text_of(const json_value& value) {
  const auto* text = value.if_string();
  return text != nullptr ? std::string_view{text->data(), text->size()} : std::string_view{};
}

std::string_view member_name(const json_object::value_type& member) {
  return {member.key().data(), member.key().size()};
}

std::optional<json_value> read_json(std::string_view text, std::size_t bytes_max, std::size_t depth_max) {
  if (text.size() > bytes_max) return std::nullopt;
  boost::json::parse_options strict;
  strict.max_depth = depth_max;
  boost::json::error_code failed;
  auto value = boost::json::parse({text.data(), text.size()}, failed, {}, strict);
  return failed ? std::nullopt : std::optional{std::move(value)};
}

// Outside of strings a colon stands in members only.
bool has_repeated_members(std::string_view text, const json_value& value) {
  std::size_t colons = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (inside && text[i] == '\\')
      ++i;
    else if (text[i] == '"')
      inside = !inside;
    else if (!inside && text[i] == ':')
      ++colons;
  }
  return colons != members_of(value);
}

} // namespace cairn
