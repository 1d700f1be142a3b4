// The relations between configuration keys that their own bounds can't state. Pure, no errors of its own.
#pragma once

#include "config/config.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::config {

struct broken_rule {
  std::vector<std::string_view> keys; // the keys that the rule relates, the one to change first
  std::string text;                   // what was expected
};

// `readable(key)` is false for keys whose value could not be read: a rule about a key with an error of its own is not
// judged.
std::vector<broken_rule> broken_rules(const settings& s, const std::function<bool(std::string_view)>& readable);

// The same for settings made by code or changed at run time.
std::vector<broken_rule> broken_rules(const settings& s);

} // namespace cairn::config
