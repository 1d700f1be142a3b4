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

// Of a key or a bucket any name of their length: one that does not exist limits nobody.
bool is_rate_name(const rate_limit& rate);

// "https://idp.example.org/keys"; also with http, if the host is a loopback address or localhost.
bool is_https_url(std::string_view url);
// The same, and policies can name it (is_provider_name).
bool is_issuer_url(std::string_view url);
// "https://idp.example.org/team" → "idp.example.org/team", which policies name.
std::string_view provider_of(std::string_view issuer);

} // namespace cairn::config
