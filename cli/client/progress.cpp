#include "cli/client/progress.hpp"

#include "cli/client/formatted.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace cairn::cli {

namespace {

constexpr std::chrono::milliseconds window{5000};

bool is_continuation_byte(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Cuts from the left, since names differ at their ends; never inside a UTF-8 character. Columns are counted as
// characters.
std::string shortened(const std::string& name, std::size_t columns_max) {
  const auto columns = static_cast<std::size_t>(
      std::count_if(name.begin(), name.end(), [](char c) { return !is_continuation_byte(c); }));
  if (columns <= columns_max) return name;
  std::size_t begin = name.size();
  for (std::size_t kept = 0; begin > 0 && kept + 1 < columns_max;)
    if (!is_continuation_byte(name[--begin])) ++kept;
  return "…" + name.substr(begin);
}

} // namespace

std::string human_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  static constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < std::size(units); ++unit) value /= 1024;
  return formatted("%.1f %s", value, units[unit]);
}

std::string counted(std::uint64_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

std::string human_time(std::chrono::seconds span) {
  const auto s = static_cast<long long>(span.count());
  if (s >= 3600) return formatted("%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return formatted("%lld:%02lld", s / 60, s % 60);
}

std::string eta_text(std::uint64_t bytes_left, double bytes_per_second) {
  constexpr double seconds_max = 360'000;
  if (bytes_per_second <= 0) return {};
  const double left = static_cast<double>(bytes_left) / bytes_per_second;
  return "  ETA " + (left < seconds_max ? human_time(std::chrono::seconds(std::llround(left))) : "-");
}

terminal_size terminal_size_of(int descriptor) {
  winsize known{};
  terminal_size size;
  if (::ioctl(descriptor, TIOCGWINSZ, &known) != 0) return size;
  if (known.ws_col > 0) size.columns = known.ws_col;
  if (known.ws_row > 1) size.rows = known.ws_row;
  return size;
}

progress_text::progress_text(std::string name, std::optional<std::uint64_t> total, std::uint64_t already)
    : name_(std::move(name)), total_(total), already_(already), done_(already) {
  samples_.emplace_back(time{0}, already);
}

void progress_text::advance(time now, std::uint64_t done) {
  done_ = done;
  if (now - samples_.back().first < redraw_every) return;
  samples_.emplace_back(now, done);
  while (samples_.size() > 2 && now - samples_[1].first >= window) samples_.pop_front();
}

double progress_text::rate() const {
  const auto span = samples_.back().first - samples_.front().first;
  if (span <= time{0}) return 0;
  return static_cast<double>(samples_.back().second - samples_.front().second) * 1000.0 /
         static_cast<double>(span.count());
}

std::string progress_text::line(unsigned width) const {
  const double speed = rate();
  std::string tail = " " + human_bytes(done_);
  if (total_) tail += "/" + human_bytes(*total_);
  tail += "  " + human_bytes(static_cast<std::uint64_t>(speed)) + "/s";
  if (total_ && *total_ >= done_) tail += eta_text(*total_ - done_, speed);
  const std::size_t room = width > tail.size() ? width - tail.size() : 0;
  if (!total_) return shortened(name_, std::max<std::size_t>(room, 1)) + tail;

  const double part = *total_ == 0 ? 1.0 : std::min(1.0, static_cast<double>(done_) / static_cast<double>(*total_));
  const std::string percent = formatted(" %3d%%", static_cast<int>(part * 100));
  const std::size_t inner = room > percent.size() ? room - percent.size() : 0;
  const auto name = shortened(name_, std::clamp<std::size_t>(inner / 2, 1, 30));
  const auto name_columns = static_cast<std::size_t>(
      std::count_if(name.begin(), name.end(), [](char c) { return !is_continuation_byte(c); }));
  const std::size_t bar = inner > name_columns + 3 ? inner - name_columns - 3 : 0;
  if (bar < 4) return shortened(name_, std::max<std::size_t>(inner, 1)) + percent + tail;
  const auto filled = static_cast<std::size_t>(part * static_cast<double>(bar));
  return name + " [" + std::string(filled, '=') + std::string(bar - filled, ' ') + "]" + percent + tail;
}

std::string progress_text::summary(time elapsed) const {
  const auto moved = done_ - already_;
  const double seconds = std::max(0.001, static_cast<double>(elapsed.count()) / 1000);
  return name_ + ": " + human_bytes(moved) + (already_ > 0 ? " more" : "") + " in " +
         human_time(std::chrono::duration_cast<std::chrono::seconds>(elapsed)) + ", " +
         human_bytes(static_cast<std::uint64_t>(static_cast<double>(moved) / seconds)) + "/s";
}

progress_meter::progress_meter(progress_text text, bool wanted)
    : text_(std::move(text)),
      done_(text_.done()),
      start_(std::chrono::steady_clock::now()),
      active_(wanted && ::isatty(STDERR_FILENO) == 1) {}

progress_meter::~progress_meter() {
  if (active_) std::fputs("\r\x1b[K", stderr);
}

progress_text::time progress_meter::elapsed() const {
  return std::chrono::duration_cast<progress_text::time>(std::chrono::steady_clock::now() - start_);
}

void progress_meter::add(std::uint64_t bytes) {
  done_ += bytes;
  if (!active_) return;
  const auto now = elapsed();
  if (now - drawn_ < redraw_every) return;
  drawn_ = now;
  text_.advance(now, done_);
  draw();
}

void progress_meter::draw() {
  std::fprintf(stderr, "\r%s\x1b[K", text_.line(terminal_size_of(STDERR_FILENO).columns - 1).c_str());
  std::fflush(stderr);
}

void progress_meter::finish() {
  if (!active_) return;
  const auto now = elapsed();
  text_.advance(now, done_);
  std::fprintf(stderr, "\r\x1b[K%s\n", text_.summary(now).c_str());
  active_ = false;
}

} // namespace cairn::cli
