#include "cli/sync/name_filter.hpp"

#include <fnmatch.h>

namespace cairn::cli {

void name_filter::add(std::string pattern, bool includes) {
  if (pattern.ends_with('/')) pattern += '*';
  rules_.push_back({std::move(pattern), includes});
}

bool name_filter::takes(const std::string& name) const {
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule)
    if (::fnmatch(rule->pattern.c_str(), name.c_str(), 0) == 0) return rule->includes;
  return true;
}

} // namespace cairn::cli
