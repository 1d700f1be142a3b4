// A file of lines that one thread writes: all lines that arrive meanwhile form the next batch, which is one write and,
// if it is durable, one flush. The audit log waits for its lines: they are in the file before the requests that they
// are about are answered. The access log does not wait, and drops lines while accepts() is false. A crash of the
// process loses no line whose callback was called; what it may leave is a torn last line, which nobody was told of, and
// behind which the next start begins a new line.
//
// While the file cannot be written, accepts() is false: requests that need a line in the audit log are refused before
// they change anything. The lines of those that were already running are kept and written first once the file can be
// written again. Whoever asks accepts() tries that, at most once a second.
#pragma once

#include "base/execution/executor.hpp"
#include "base/file_system.hpp"
#include "base/metrics.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::net {

struct line_log_options {
  std::string_view name{}; // in messages: "audit log"
  std::string path;        // "-": standard output
  bool durable = false;
  std::size_t kept_bytes_max = 64 << 20; // of lines that were accepted when the file failed
};

// Thread-safe. The file system, the executor (with one thread), the clock and the metrics outlive it.
class line_log : public std::enable_shared_from_this<line_log> {
public:
  // Called once, on the executor's thread; on the caller's when the executor has stopped.
  using done = std::function<void(bool written)>;

  // Opens the file, or creates it. Errors: those of the file system.
  static result<std::shared_ptr<line_log>> open(file_system& files, executor& writer, const clock& time,
                                                line_log_metrics& metrics, line_log_options options);
  line_log(file_system& files, executor& writer, const clock& time, line_log_metrics& metrics,
           line_log_options options);

  // Whether a line may be appended, and requests that need one may begin.
  bool accepts();
  // `lines`: whole ones, each with its line feed. `then` may be empty; such lines are dropped while 16 MiB wait,
  // because whoever brings them about need not ask accepts().
  void append(std::string lines, done then);
  // SIGHUP: opens the path again, because logrotate has renamed the file. If that fails, the old one stays in use.
  void reopen();
  // Why it does not accept requests; empty: it does.
  std::string problem() const;

private:
  struct batch {
    std::string lines;
    std::vector<done> then;
  };

  void start();
  void run(bool expired);
  bool write(std::string lines);
  result<void> write_whole(std::string_view lines);
  result<std::unique_ptr<file>> open_file();
  void open_again();
  bool is_stuck() const;
  void keep(std::string lines);

  file_system& files_;
  executor& writer_;
  const clock& clock_;
  line_log_metrics& metrics_;
  const line_log_options options_;

  // Used by the writing thread only.
  std::unique_ptr<file> file_;
  bool torn_ = false; // the file may end within a line
  std::string kept_;  // lines that could not be written

  std::atomic<bool> failing_{false};
  std::atomic<std::size_t> waiting_bytes_{0};
  std::atomic<steady_time::rep> writing_since_{0}; // 0: it does not write
  mutable std::mutex mutex_;
  batch waiting_;
  bool busy_ = false; // a job of the writing thread runs or is queued
  bool reopen_ = false;
  std::string problem_;
  steady_time tried_{};
};

} // namespace cairn::net
