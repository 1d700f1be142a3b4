// How far an import is: a line with a bar on a terminal, else a line every ten seconds, both on standard error. What
// there is to do is counted by a listing of its own, ahead of the copies; until it is through, there is no time left to
// tell. Thread-safe.
#pragma once

#include "cli/client/progress.hpp"

#include <cstdint>
#include <mutex>
#include <string>

namespace cairn::cli {

struct import_state {
  std::uint64_t objects = 0, bytes = 0; // of the source, as far as they are counted; versions are objects
  std::uint64_t done_objects = 0, done_bytes = 0;
  std::uint64_t moved_bytes = 0;
  std::uint64_t failed = 0;
  bool counted_all = false;
};

// "[=====     ]  42%  1200/3000 objects  1.2 GiB/4.0 GiB  80.0 MiB/s  ETA 0:35  2 failed". Rates in bytes a second:
// those that came, and those that need no more work. At most `width` columns.
std::string import_line(const import_state& state, double moved_rate, double done_rate, unsigned width);

class import_progress {
public:
  explicit import_progress(bool wanted);
  ~import_progress(); // clears the line

  void begin_pass();
  void counted(std::uint64_t objects, std::uint64_t bytes);
  void counted_all();
  void moved(std::int64_t bytes);
  // Objects that need no more work, of them `unmoved_bytes` that did not have to be moved.
  void done(std::uint64_t objects, std::uint64_t unmoved_bytes);
  void failed();
  void clear(); // before other output

private:
  void draw(); // with the mutex
  progress_text::time elapsed() const;

  std::mutex mutex_;
  bool wanted_, terminal_;
  import_state state_;
  std::uint64_t unmoved_ = 0;
  progress_text moved_rate_{"", std::nullopt}, done_rate_{"", std::nullopt};
  std::chrono::steady_clock::time_point start_;
  progress_text::time drawn_{0};
};

} // namespace cairn::cli
