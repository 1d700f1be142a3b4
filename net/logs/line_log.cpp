#include "net/logs/line_log.hpp"

#include "base/files/standard_output.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace cairn::net {

namespace {

constexpr std::size_t waiting_bytes_max = 8 << 20;                // beyond it no line is accepted
constexpr std::size_t waiting_bytes_most = 2 * waiting_bytes_max; // beyond it only lines that somebody waits for
constexpr std::chrono::seconds retry_pause{1};
constexpr std::chrono::seconds write_max{10}; // then the disk is taken for one that does not answer

std::uint64_t count_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count(text, '\n'));
}

} // namespace

line_log::line_log(file_system& files, executor& writer, const clock& time, line_log_metrics& metrics,
                   line_log_options options)
    : files_(files), writer_(writer), clock_(time), metrics_(metrics), options_(std::move(options)) {}

result<std::shared_ptr<line_log>> line_log::open(file_system& files, executor& writer, const clock& time,
                                                 line_log_metrics& metrics, line_log_options options) {
  auto made = std::make_shared<line_log>(files, writer, time, metrics, std::move(options));
  auto opened = made->open_file();
  if (!opened) return opened.error();
  made->file_ = std::move(*opened);
  made->torn_ = true;
  return made;
}

result<std::unique_ptr<file>> line_log::open_file() {
  if (options_.path == "-") return standard_output();
  auto opened = files_.open(options_.path, open_mode::append);
  if (!opened || !options_.durable) return opened;
  const auto folder = std::filesystem::path{options_.path}.parent_path().string();
  if (auto flushed = files_.flush_directory(folder); !flushed) return flushed.error(); // the file may be new
  return opened;
}

bool line_log::is_stuck() const {
  const auto since = writing_since_.load(std::memory_order_relaxed);
  return since != 0 && clock_.now() - steady_time{steady_time::duration{since}} > write_max;
}

bool line_log::accepts() {
  if (!failing_.load(std::memory_order_relaxed))
    return waiting_bytes_.load(std::memory_order_relaxed) < waiting_bytes_max && !is_stuck();
  const auto now = clock_.now();
  {
    const std::lock_guard guard{mutex_};
    if (busy_ || now - tried_ < retry_pause) return false;
    tried_ = now;
    busy_ = true;
  }
  start();
  return !failing_.load(std::memory_order_relaxed);
}

void line_log::append(std::string lines, done then) {
  if (!then && waiting_bytes_.load(std::memory_order_relaxed) >= waiting_bytes_most) {
    metrics_.lost.fetch_add(count_lines(lines), std::memory_order_relaxed);
    return;
  }
  {
    const std::lock_guard guard{mutex_};
    waiting_bytes_.fetch_add(lines.size(), std::memory_order_relaxed);
    if (waiting_.lines.empty())
      waiting_.lines = std::move(lines);
    else
      waiting_.lines += lines;
    waiting_.then.push_back(std::move(then));
    if (std::exchange(busy_, true)) return;
  }
  start();
}

void line_log::reopen() {
  {
    const std::lock_guard guard{mutex_};
    reopen_ = true;
    if (std::exchange(busy_, true)) return;
  }
  start();
}

std::string line_log::problem() const {
  if (is_stuck()) return options_.path + ": the disk does not answer";
  const std::lock_guard guard{mutex_};
  if (waiting_bytes_.load(std::memory_order_relaxed) >= waiting_bytes_max)
    return options_.path + ": the disk is too slow";
  return problem_;
}

void line_log::start() {
  const auto posted =
      writer_.post(steady_time::max(), [self = shared_from_this()](bool expired) { self->run(expired); });
  if (!posted) run(true);
}

void line_log::run(bool expired) {
  for (bool first = true;; first = false) {
    batch now;
    bool reopens = false;
    {
      const std::lock_guard guard{mutex_};
      if (!first && waiting_.then.empty() && !reopen_) {
        busy_ = false;
        return;
      }
      now = std::exchange(waiting_, {});
      reopens = std::exchange(reopen_, false);
    }
    const auto bytes = now.lines.size();
    if (reopens && !expired) open_again();
    const bool written = !expired && write(std::move(now.lines));
    waiting_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    for (auto& then : now.then)
      if (then) then(written);
  }
}

void line_log::open_again() {
  auto opened = open_file();
  if (!opened) {
    log::error("a log was not opened again, its old file stays in use",
               {{"log", options_.name}, {"path", options_.path}, {"error", to_string(opened.error())}});
    return;
  }
  file_ = std::move(*opened);
  torn_ = true;
  log::info("a log was opened again", {{"log", options_.name}, {"path", options_.path}});
}

// An empty text only writes the lines that were kept.
bool line_log::write(std::string lines) {
  if (!kept_.empty()) lines = std::exchange(kept_, {}) + lines;
  if (lines.empty() && !failing_) return true;
  const auto begun = clock_.now();
  writing_since_ = begun.time_since_epoch().count();
  const auto written = write_whole(lines);
  writing_since_ = 0;
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - begun);
  metrics_.write.observe_us(static_cast<std::uint64_t>(took.count()));
  const bool failed_before = failing_.exchange(!written);
  {
    const std::lock_guard guard{mutex_};
    problem_ = written ? std::string{} : to_string(written.error());
  }
  if (written) {
    metrics_.written.fetch_add(count_lines(lines), std::memory_order_relaxed);
    if (failed_before) log::info("a log is written again", {{"log", options_.name}, {"path", options_.path}});
    return true;
  }
  if (!failed_before)
    log::error("a log cannot be written: it takes no lines",
               {{"log", options_.name}, {"path", options_.path}, {"error", to_string(written.error())}});
  keep(std::move(lines));
  return false;
}

void line_log::keep(std::string lines) {
  if (lines.size() > options_.kept_bytes_max) {
    const auto end = lines.rfind('\n', options_.kept_bytes_max - 1) + 1; // 0 if there is none
    const auto lost = count_lines(std::string_view{lines}.substr(end));
    metrics_.lost.fetch_add(lost, std::memory_order_relaxed);
    log::error("lines of a log are lost", {{"log", options_.name}, {"lines", lost}});
    lines.resize(end);
  }
  kept_ = std::move(lines);
}

// After an error the file is as it was before, as far as the disk allows that.
result<void> line_log::write_whole(std::string_view lines) {
  const auto before = file_->size();
  if (!before) return before.error();
  std::string_view gap;
  if (torn_ && *before > 0) {
    std::byte last{};
    const bytes_span into{&last, 1};
    const auto read = file_->read(*before - 1, std::span{&into, 1});
    if (!read) return read.error();
    if (last != std::byte{'\n'}) gap = "\n";
  }
  const std::array views{std::as_bytes(std::span{gap}), std::as_bytes(std::span{lines})};
  torn_ = true;
  auto written = file_->write(*before, views);
  if (written && options_.durable) written = file_->flush();
  if (!written) {
    if (const auto now = file_->size(); now && *now > *before) (void)file_->truncate(*before);
    return written;
  }
  torn_ = false;
  return {};
}

} // namespace cairn::net
