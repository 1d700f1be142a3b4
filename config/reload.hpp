// What SIGHUP may change. A running node keeps its settings; a reload takes the keys that can change while it runs from
// a freshly loaded value and names the ones that can't.
#pragma once

#include "config/load.hpp"

namespace cairn::config {

struct reloaded {
  settings value;                         // `running` with the applied keys; `running` itself when there are problems
  std::vector<std::string> applied;       // "log.level: \"info\" -> \"debug\""
  std::vector<std::string> needs_restart; // keys that differ and keep their running value
  std::vector<problem> problems;          // the mix would break a rule between keys: nothing is applied
};

// `fresh` has no problems of its own.
reloaded reload(const settings& running, const settings& fresh);

} // namespace cairn::config
