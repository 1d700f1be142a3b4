// The progress line of a transfer: its text (`progress_text`, pure) and its drawing (`progress_meter`) on standard
// error, only if that is a terminal.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

namespace cairn::cli {

inline constexpr std::chrono::milliseconds redraw_every{100};

std::string human_bytes(std::uint64_t bytes);                            // "1.4 GiB", "812 B"
std::string counted(std::uint64_t n, const char* one, const char* many); // "1 file", "2 files"
std::string human_time(std::chrono::seconds span);                       // "0:07", "12:34", "1:02:03"
std::string eta_text(std::uint64_t bytes_left, double bytes_per_second); // "  ETA 0:35"; empty without a rate

// Of the terminal of a file descriptor; 80 × 25 if that is not known.
struct terminal_size {
  unsigned columns = 80, rows = 25;
};
terminal_size terminal_size_of(int descriptor);

// Rate over the last seconds, so that it follows changes but does not jitter; time to the end from that rate.
class progress_text {
public:
  using time = std::chrono::milliseconds; // since the transfer began
  // `total`: nullopt if unknown (standard input). `already`: bytes of an earlier run, not part of the rate.
  progress_text(std::string name, std::optional<std::uint64_t> total, std::uint64_t already = 0);

  void advance(time now, std::uint64_t done); // `done` counts from `already` on and never falls
  std::uint64_t done() const { return done_; }
  double rate() const; // bytes a second over the window; 0 while unknown
  // At most `width` columns, as long as that is 40 or more; the name and the bar shrink first.
  std::string line(unsigned width) const;
  std::string summary(time elapsed) const; // "holiday.mp4: 1.4 GiB in 0:03, 480.0 MiB/s"

private:
  std::string name_;
  std::optional<std::uint64_t> total_;
  std::uint64_t already_, done_;
  std::deque<std::pair<time, std::uint64_t>> samples_;
};

// Redraws at most ten times a second; leaves a one-line summary. Does nothing unless `wanted` and standard error is a
// terminal.
class progress_meter {
public:
  progress_meter(progress_text text, bool wanted);
  ~progress_meter(); // clears the line
  progress_meter(const progress_meter&) = delete;
  progress_meter& operator=(const progress_meter&) = delete;

  void add(std::uint64_t bytes);
  void finish(); // prints the summary

private:
  progress_text::time elapsed() const;
  void draw();
  progress_text text_;
  std::uint64_t done_;
  std::chrono::steady_clock::time_point start_;
  progress_text::time drawn_{-1000};
  bool active_;
};

} // namespace cairn::cli
