// Which expiring certificates to warn of: once a day, from 30 days before. A decision; the caller logs.
#pragma once

#include "actors/protocol/node_status.hpp"

#include <map>
#include <string>
#include <vector>

namespace cairn::cli {

class certificate_watch {
public:
  static constexpr wall_ms day_ms = 24ll * 3600 * 1000, warn_before_ms = 30 * day_ms;

  // Those whose warning is due now. A replaced certificate has its own warnings.
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
