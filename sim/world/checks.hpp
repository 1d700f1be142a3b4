// Records the first failed check of a simulated run. Later failures are mostly consequences of the first.
#pragma once

#include <string>

namespace cairn::sim {

class checks {
public:
  void fail(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
  }
  bool expect(bool holds, const char* what) {
    if (!holds) fail(what);
    return holds;
  }
  bool failed() const noexcept { return !problem_.empty(); }
  const std::string& problem() const noexcept { return problem_; }

private:
  std::string problem_;
};

} // namespace cairn::sim
