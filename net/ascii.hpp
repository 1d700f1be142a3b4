// Names and tokens of HTTP compare without regard to the case of ASCII letters. Boost.Algorithm's functions of the same
// names ask a locale about each character, which costs more than all else that reading a head takes.
#pragma once

#include <boost/beast/core/string.hpp>

#include <string_view>

namespace cairn::net {

inline bool iequals(std::string_view a, std::string_view b) {
  return boost::beast::iequals({a.data(), a.size()}, {b.data(), b.size()});
}

inline bool istarts_with(std::string_view text, std::string_view prefix) {
  return iequals(text.substr(0, prefix.size()), prefix);
}

} // namespace cairn::net
