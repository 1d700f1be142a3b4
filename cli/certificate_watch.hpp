// Certificates that end: who is to be warned of, once a day from 30 days before on. A decision; the caller logs.
#pragma once

#include "actors/runtime/storage_node.hpp"

#include <map>
#include <string>
#include <vector>

namespace cairn::cli {

class certificate_watch {
public:
  static constexpr wall_ms day_ms = 24ll * 3600 * 1000, warn_before_ms = 30 * day_ms;

  // Those whose warning is due now. A certificate that was replaced is warned of anew.
  std::vector<actors::certificate_in_use> due(const std::vector<actors::certificate_in_use>& certificates,
                                              wall_ms now) {
    std::vector<actors::certificate_in_use> out;
    for (const auto& c : certificates) {
      if (c.ends == 0 || c.ends - now > warn_before_ms) continue;
      auto& last = warned_[{c.use, c.ends}];
      if (last != 0 && now - last < day_ms) continue;
      last = now;
      out.push_back(c);
    }
    return out;
  }

private:
  std::map<std::pair<std::string, wall_ms>, wall_ms> warned_;
};

} // namespace cairn::cli
