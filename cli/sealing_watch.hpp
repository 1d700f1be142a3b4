// Whether a node can open the secrets of all access keys: looks at their rows and remembers what is wrong. A node that
// can't refuses the requests of these keys (503) and is not ready. Thread-safe; shared, because a look outlives its
// caller.
#pragma once

#include "actors/protocol/node.hpp"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace cairn::cli {

// Numbers of secrets by the keys that sealed them, which the node does not have. Empty text: none.
std::string sealing_problem_of(const std::map<std::string, std::size_t>& missing);

class sealing_watch : public std::enable_shared_from_this<sealing_watch> {
public:
  // Begins a look at all keys, unless one is under way. Logs the result when it has changed. A look that fails leaves
  // the last result: the node reports by other means why it can't read its metadata.
  void look(const actors::services& node);
  std::string problem() const; // empty: none is known

private:
  struct job;
  void look_behind(const std::shared_ptr<job>& now, const std::string& after);
  void end(const job& done);

  std::atomic<bool> looking_{false};
  mutable std::mutex mutex_;
  std::string problem_;
};

} // namespace cairn::cli
