// Beast's fields of a head and its strings, with std::string_view.
#pragma once

#include "base/third_party/beast_message.hpp"

#include <optional>
#include <string_view>

namespace cairn::net {

inline std::string_view view_of(boost::beast::string_view text) {
  return {text.data(), text.size()};
}
inline boost::beast::string_view beast_view(std::string_view text) {
  return {text.data(), text.size()};
}

// The value of the first field with this name. nullopt: there is none.
inline std::optional<std::string_view> find_field(const boost::beast::http::fields& fields, std::string_view name) {
  const auto found = fields.find(beast_view(name));
  return found == fields.end() ? std::nullopt : std::optional{view_of(found->value())};
}
// The same, but empty when there is no such field.
inline std::string_view field_of(const boost::beast::http::fields& fields, std::string_view name) {
  return find_field(fields, name).value_or(std::string_view{});
}

} // namespace cairn::net
