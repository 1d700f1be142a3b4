// Beast's fields of a head, for those who read them as std::string_view.
#pragma once

#include <boost/beast/http/fields.hpp>

#include <string_view>

namespace cairn::net {

inline std::string_view view_of(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

// Of the first field with this name; empty: there is none.
inline std::string_view field_of(const boost::beast::http::fields& fields, std::string_view name) {
  const auto found = fields.find(boost::beast::string_view{name.data(), name.size()});
  return found == fields.end() ? std::string_view{} : view_of(found->value());
}

} // namespace cairn::net
