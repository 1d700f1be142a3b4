#include "cli/sync/name_filter.hpp"

#include <fnmatch.h>

namespace cairn::cli {

void name_filter::add(std::string pattern, bool includes) {
  if (pattern.ends_with('/')) pattern += '*';
  rules_.push_back({std::move(pattern), includes});
}

bool name_filter::takes(const std::string& name) const {
  for (auto next = rules_.rbegin(); next != rules_.rend(); ++next)
    if (::fnmatch(next->pattern.c_str(), name.c_str(), 0) == 0) return next->includes;
  return true;
}

} // namespace cairn::cli
