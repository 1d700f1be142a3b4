// Writes the JSON of log lines, of the admin port and of `--json` of the command line, and reads the JSON of policies.
// The values are those of Boost.JSON, which only this file and json.cpp include. An object keeps its members in
// insertion order.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

using json_array = boost::json::array;
using json_object = boost::json::object;
using json_value = boost::json::value;

// One line. Strings may hold any bytes: those that are not UTF-8 become U+FFFD, and what could drive a terminal
// (base/visible_text.hpp) is escaped, so that the text may be shown as it is.
std::string json_text(const json_value& value);

// Of a string; empty for anything else. Of a member of an object: its name. Views of the value.
std::string_view text_of(const json_value& value);
std::string_view member_name(const json_object::value_type& member);

// One JSON text (RFC 8259) in UTF-8. nullopt: not JSON, longer than `bytes_max`, or nested deeper than `depth_max`. Of
// members with one name the last counts.
std::optional<json_value> read_json(std::string_view text, std::size_t bytes_max, std::size_t depth_max);

// Whether an object of this text, which was read into the value, has two members with one name: read_json keeps one.
bool has_repeated_members(std::string_view text, const json_value& value);

} // namespace cairn
