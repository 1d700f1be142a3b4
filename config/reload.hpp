// Reload of the configuration on SIGHUP: takes the reloadable keys from freshly loaded settings, keeps the running
// values of the other keys and names those that differ.
#pragma once

#include "config/load.hpp"

namespace cairn::config {

struct reloaded {
  settings value;                         // `running` with the applied keys; `running` itself when there are problems
  std::vector<std::string> applied;       // "log.level: \"info\" -> \"debug\""
  std::vector<std::string> needs_restart; // keys that differ and keep their running value
  std::vector<problem> problems;          // the result would break a rule between keys: nothing is applied
};

// `fresh` must have been loaded without problems.
reloaded reload(const settings& running, const settings& fresh);

} // namespace cairn::config
