// Writes the JSON of log lines, of the admin port and of `--json` of the command line. The values are those of
// Boost.JSON, which only this file and json.cpp include. An object keeps its members in insertion order.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>

namespace cairn {

using json_array = boost::json::array;
using json_object = boost::json::object;
using json_value = boost::json::value;

// One line. Strings may hold any bytes: those that are not UTF-8 become U+FFFD, and what could drive a terminal
// (base/visible_text.hpp) is escaped, so that the text may be shown as it is.
std::string json_text(const json_value& value);

} // namespace cairn
