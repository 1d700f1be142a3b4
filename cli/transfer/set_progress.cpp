#include "cli/transfer/set_progress.hpp"

#include "cli/client/command_support.hpp"
#include "cli/client/object_path.hpp"
#include "cli/transfer/retry.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace cairn::cli {

std::string amounts_text(const set_amounts& amounts, const char* what, double rate, double done_rate) {
  const char* more = amounts.total_known ? "" : "+";
  auto text = std::to_string(amounts.done) + "/" + std::to_string(amounts.total) + more + " " + what + "  " +
              human_bytes(amounts.done_bytes) + "/" + human_bytes(amounts.total_bytes) + more + "  " +
              human_bytes(static_cast<std::uint64_t>(std::max(0.0, rate))) + "/s";
  if (amounts.total_known && amounts.total_bytes >= amounts.done_bytes)
    text += eta_text(amounts.total_bytes - amounts.done_bytes, done_rate);
  if (amounts.failed > 0) text += "  " + std::to_string(amounts.failed) + " failed";
  return text;
}

std::string set_line(const set_counts& counts, double bytes_per_second, unsigned width) {
  const set_amounts amounts{counts.transferred, counts.files_found, counts.bytes,
                            counts.bytes_found, counts.failed,      counts.listed_all};
  return amounts_text(amounts, "files", bytes_per_second, bytes_per_second).substr(0, width);
}

std::string set_summary(const set_counts& counts) {
  auto text = counted(counts.transferred, "file", "files") + " copied (" + human_bytes(counts.bytes) + ")";
  if (counts.unchanged > 0) text += ", " + std::to_string(counts.unchanged) + " unchanged";
  if (counts.removed > 0) text += ", " + std::to_string(counts.removed) + " deleted";
  if (counts.skipped > 0) text += ", " + std::to_string(counts.skipped) + " skipped";
  if (counts.unproven > 0) text += ", " + std::to_string(counts.unproven) + " without a checksum to prove them";
  return text + ", " + std::to_string(counts.failed) + " failed";
}

set_progress::set_progress(look shown) : shown_(shown), start_(std::chrono::steady_clock::now()) {
  shown_.line = shown_.line && ::isatty(STDERR_FILENO) == 1;
}

set_progress::~set_progress() {
  if (shown_.line) std::fputs("\r\x1b[K", stderr);
}

void set_progress::found(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  ++counts_.files_found;
  counts_.bytes_found += bytes;
}

void set_progress::listed_all() {
  const std::lock_guard lock(mutex_);
  counts_.listed_all = true;
}

void set_progress::moved(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  counts_.bytes += static_cast<std::uint64_t>(bytes);
  draw();
}

void set_progress::transferred(const std::string& what) {
  const std::lock_guard lock(mutex_);
  ++counts_.transferred;
  unreachable_in_a_row_ = 0;
  say(shown_.dry_run ? "would copy to" : "copied to", what);
  draw();
}

void set_progress::unchanged(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  ++counts_.unchanged;
  --counts_.files_found;
  counts_.bytes_found -= bytes;
  unreachable_in_a_row_ = 0;
  draw();
}

void set_progress::removed(const std::string& what) {
  const std::lock_guard lock(mutex_);
  ++counts_.removed;
  unreachable_in_a_row_ = 0;
  say(shown_.dry_run ? "would delete" : "deleted", what);
  draw();
}

void set_progress::skipped(const std::string& why) {
  const std::lock_guard lock(mutex_);
  ++counts_.skipped;
  if (skips_.size() < texts_max) skips_.push_back(why);
}

void set_progress::note_unproven() {
  const std::lock_guard lock(mutex_);
  ++counts_.unproven;
}

void set_progress::failed(const error& why) {
  const std::lock_guard lock(mutex_);
  ++counts_.failed;
  if (may_pass(why.code))
    ++unreachable_in_a_row_;
  else
    unreachable_in_a_row_ = 0;
  if (failures_.size() < texts_max) failures_.push_back(why.text);
  draw();
}

bool set_progress::server_unreachable(unsigned jobs) {
  const std::lock_guard lock(mutex_);
  return unreachable_in_a_row_ >= 2 * jobs;
}

result<void> set_progress::finish() {
  const std::lock_guard lock(mutex_);
  if (shown_.line) std::fputs("\r\x1b[K", stderr);
  shown_.line = false;
  if (shown_.summary)
    for (const auto& text : skips_) std::fprintf(stderr, "cairn: skipped %s\n", terminal_text(text).c_str());
  for (const auto& text : failures_) std::fprintf(stderr, "cairn: %s\n", terminal_text(text).c_str());
  if (counts_.failed > failures_.size())
    std::fprintf(stderr, "cairn: … and %llu more\n",
                 static_cast<unsigned long long>(counts_.failed - failures_.size()));
  const auto elapsed = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - start_);
  if (shown_.summary)
    std::printf("%s%s in %s\n", shown_.dry_run ? "dry run, nothing was changed: " : "", set_summary(counts_).c_str(),
                human_time(elapsed).c_str());
  if (counts_.failed > 0) return error{errc::io_error, counted(counts_.failed, "failure", "failures")};
  return {};
}

void set_progress::say(const char* verb, const std::string& what) {
  if (!shown_.each) return;
  if (shown_.line) std::fputs("\r\x1b[K", stderr);
  std::printf("%s %s\n", verb, printable(what).c_str());
}

void set_progress::draw() {
  if (!shown_.line) return;
  const auto now = std::chrono::duration_cast<progress_text::time>(std::chrono::steady_clock::now() - start_);
  if (now - drawn_ < redraw_every) return;
  drawn_ = now;
  rate_.advance(now, counts_.bytes);
  const auto width = terminal_size_of(STDERR_FILENO).columns - 1;
  std::fprintf(stderr, "\r%s\x1b[K", set_line(counts_, rate_.rate(), width).c_str());
  std::fflush(stderr);
}

} // namespace cairn::cli
