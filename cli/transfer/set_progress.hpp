// Progress of a transfer of many files: a line on the terminal while it runs, at its end the failures on standard error
// and one line of counts on standard output. Thread-safe.
#pragma once

#include "base/error.hpp"
#include "cli/client/progress.hpp"

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

namespace cairn::cli {

struct set_counts {
  std::uint64_t files_found = 0, bytes_found = 0; // what is to be transferred, as far as it was listed
  std::uint64_t transferred = 0, unchanged = 0, removed = 0, failed = 0, skipped = 0, unproven = 0;
  std::uint64_t bytes = 0; // moved so far
  bool listed_all = false;
};

// "12/340 files  1.2 GiB/4.0 GiB  80.0 MiB/s  ETA 0:35"; a "+" after totals that still grow. At most `width` columns.
std::string set_line(const set_counts& counts, double bytes_per_second, unsigned width);
// What both kinds of lines about many files or objects have: "12/340 files  1.2 GiB/4.0 GiB  80.0 MiB/s  ETA 0:35".
struct set_amounts {
  std::uint64_t done = 0, total = 0, done_bytes = 0, total_bytes = 0, failed = 0;
  bool total_known = false; // else the totals still grow
};
// `rate`: what is shown; `done_rate`: by which the time left is computed. Bytes a second.
std::string amounts_text(const set_amounts& amounts, const char* what, double rate, double done_rate);
// "340 files copied (4.0 GiB), 12 unchanged, 1 deleted, 2 failed"
std::string set_summary(const set_counts& counts);

class set_progress {
public:
  struct look {
    bool line = true, summary = true;
    bool each = false;    // a line on standard output for every file that changed
    bool dry_run = false; // reports what a run would do
  };
  explicit set_progress(look shown);
  ~set_progress(); // clears the line

  void found(std::uint64_t bytes); // one more file to transfer
  void listed_all();
  void moved(std::int64_t bytes); // negative: they have to be moved again
  void transferred(const std::string& what);
  void unchanged(std::uint64_t bytes); // was found, but turned out to be the same
  void removed(const std::string& what);
  void skipped(const std::string& why);
  void note_unproven();          // a file arrived, but neither a checksum nor the ETag could prove its bytes
  void failed(const error& why); // the text names the file
  // Prints failures and counts. io_error when something failed.
  result<void> finish();
  // Many files in a row failed because the server did not answer: the rest would, too.
  bool server_unreachable(unsigned jobs);

private:
  void draw(); // with the mutex
  void say(const char* verb, const std::string& what);
  static constexpr std::size_t texts_max = 1000;

  std::mutex mutex_;
  look shown_;
  set_counts counts_;
  progress_text rate_{"", std::nullopt};
  std::chrono::steady_clock::time_point start_;
  progress_text::time drawn_{-1000};
  std::vector<std::string> failures_, skips_;
  unsigned unreachable_in_a_row_ = 0;
};

} // namespace cairn::cli
