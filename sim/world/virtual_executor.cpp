#include "sim/world/virtual_executor.hpp"

#include <algorithm>

namespace cairn::sim {

virtual_executor::virtual_executor(world& w, job_times times, std::size_t workers, std::size_t queue_max, machine* host)
    : w_(w),
      times_(times),
      queue_max_(queue_max),
      host_(host),
      clock_(host ? static_cast<const clock&>(*host) : w.clock()),
      workers_(workers) {}

microseconds virtual_executor::draw_time() {
  auto t = microseconds(w_.draw.between(std::uint64_t(times_.min.count()), std::uint64_t(times_.max.count())));
  if (w_.draw.chance(times_.slow)) t += microseconds(w_.draw.below(std::uint64_t(times_.slow_max.count()) + 1));
  return t * factor_;
}

result<void> virtual_executor::post(steady_time deadline, job work, const party_ptr&) {
  if (!*alive_) return {}; // the process that posts has crashed already
  if (queued() >= queue_max_) return error{errc::busy, "the queue is full"};
  auto& l = *std::ranges::min_element(workers_, {}, &worker::busy_until);
  const auto start = std::max(w_.now(), l.busy_until);
  const auto last_start = w_.now() + (deadline - clock_.now());
  const bool expired = start > last_start;
  const auto end = expired ? last_start : start + draw_time();
  if (!expired) l = {start, end};
  const auto number = next_job_++;
  jobs_.emplace_hint(jobs_.end(), number, std::move(work));
  const auto delay = std::chrono::duration_cast<microseconds>(std::max(end, w_.now()) - w_.now());
  w_.after(delay, [this, alive = alive_, number, expired] {
    if (*alive) finish(number, expired);
  });
  return {};
}

void virtual_executor::finish(std::uint64_t number, bool expired) {
  const auto run = [this, alive = alive_, number, expired] {
    if (*alive) jobs_.extract(number).mapped()(expired);
  };
  if (host_)
    host_->when_awake(run);
  else
    run();
}

std::size_t virtual_executor::queued() const {
  return jobs_.size() > workers_.size() ? jobs_.size() - workers_.size() : 0;
}

std::chrono::nanoseconds virtual_executor::longest_running() const {
  std::chrono::nanoseconds longest{0};
  for (const auto& l : workers_) {
    if (l.busy_from <= w_.now() && w_.now() < l.busy_until)
      longest = std::max<std::chrono::nanoseconds>(longest, w_.now() - l.busy_from);
  }
  return longest;
}

} // namespace cairn::sim
