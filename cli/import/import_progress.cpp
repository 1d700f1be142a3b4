#include "cli/import/import_progress.hpp"

#include "cli/client/formatted.hpp"
#include "cli/transfer/set_progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdio>

namespace cairn::cli {

namespace {

constexpr std::chrono::milliseconds line_every{10'000};
constexpr unsigned columns_of_logs = 120;
constexpr std::size_t bar_columns_max = 30, bar_columns_min = 6;

double fraction_of(const import_state& state) {
  if (state.bytes > 0) return std::min(1.0, static_cast<double>(state.done_bytes) / static_cast<double>(state.bytes));
  if (state.objects == 0) return state.counted_all ? 1 : 0;
  return std::min(1.0, static_cast<double>(state.done_objects) / static_cast<double>(state.objects));
}

} // namespace

std::string import_line(const import_state& state, double moved_rate, double done_rate, unsigned width) {
  const set_amounts amounts{state.done_objects, state.objects, state.done_bytes,
                            state.bytes,        state.failed,  state.counted_all};
  const auto tail = amounts_text(amounts, "objects", moved_rate, done_rate);
  const auto part = fraction_of(state);
  const auto percent = formatted("%3d%%  ", static_cast<int>(part * 100));
  const auto taken = tail.size() + percent.size() + 4;
  if (!state.counted_all || width < taken + bar_columns_min) return tail.substr(0, width);
  const auto bar = std::min<std::size_t>(bar_columns_max, width - taken);
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(bar));
  return "[" + std::string(filled, '=') + std::string(bar - filled, ' ') + "] " + percent + tail;
}

import_progress::import_progress(bool wanted)
    : wanted_(wanted), terminal_(::isatty(STDERR_FILENO) == 1), start_(std::chrono::steady_clock::now()) {}

import_progress::~import_progress() {
  clear();
}

void import_progress::begin_pass() {
  const std::lock_guard lock(mutex_);
  state_ = {};
  unmoved_ = 0;
  moved_rate_ = done_rate_ = progress_text("", std::nullopt);
  start_ = std::chrono::steady_clock::now();
  drawn_ = progress_text::time{0};
}

void import_progress::counted(std::uint64_t objects, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  state_.objects += objects;
  state_.bytes += bytes;
}

void import_progress::counted_all() {
  const std::lock_guard lock(mutex_);
  state_.counted_all = true;
}

void import_progress::moved(std::int64_t bytes) {
  const std::lock_guard lock(mutex_);
  state_.moved_bytes += static_cast<std::uint64_t>(bytes);
  draw();
}

void import_progress::done(std::uint64_t objects, std::uint64_t unmoved_bytes) {
  const std::lock_guard lock(mutex_);
  state_.done_objects += objects;
  unmoved_ += unmoved_bytes;
  draw();
}

void import_progress::failed() {
  const std::lock_guard lock(mutex_);
  ++state_.failed;
}

void import_progress::clear() {
  const std::lock_guard lock(mutex_);
  if (wanted_ && terminal_) std::fputs("\r\x1b[K", stderr);
}

progress_text::time import_progress::elapsed() const {
  return std::chrono::duration_cast<progress_text::time>(std::chrono::steady_clock::now() - start_);
}

void import_progress::draw() {
  if (!wanted_) return;
  const auto now = elapsed();
  state_.done_bytes = state_.moved_bytes + unmoved_;
  if (now - drawn_ < (terminal_ ? redraw_every : line_every)) return;
  drawn_ = now;
  moved_rate_.advance(now, state_.moved_bytes);
  done_rate_.advance(now, state_.done_bytes);
  const unsigned width = terminal_ ? terminal_size_of(STDERR_FILENO).columns - 1 : columns_of_logs;
  const auto line = import_line(state_, moved_rate_.rate(), done_rate_.rate(), width);
  std::fprintf(stderr, terminal_ ? "\r%s\x1b[K" : "%s\n", line.c_str());
  std::fflush(stderr);
}

} // namespace cairn::cli
