// The rules between configuration keys, and those of single keys that bounds cannot express. Pure functions.
#pragma once

#include "config/config.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::config {

struct broken_rule {
  std::vector<std::string_view> keys; // the keys of the rule; the first is the one to change
  std::string text;                   // what was expected
};

// `readable(key)` is false for keys whose value is already reported as invalid: their rules are not checked.
std::vector<broken_rule> broken_rules(const settings& s, const std::function<bool(std::string_view)>& readable);

// Checks all rules, for settings that code made or changed at run time.
std::vector<broken_rule> broken_rules(const settings& s);

} // namespace cairn::config
