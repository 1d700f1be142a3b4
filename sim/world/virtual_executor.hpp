// The executor seam in virtual time: each lane (thread) runs one job after the other; a job takes a drawn time and then
// has its whole effect at once. After `crash` no job runs any more.
#pragma once

#include "base/execution/executor.hpp"
#include "sim/world/world.hpp"

#include <map>

namespace cairn::sim {

struct job_times {
  microseconds min{20}, max{500};
  double slow = 0; // probability that a job takes up to slow_max longer
  microseconds slow_max{0};
};

class virtual_executor final : public executor {
public:
  // `host`: the process whose clock deadlines refer to, and which runs the jobs while it is not frozen; null: the
  // world's.
  virtual_executor(world& w, job_times times, std::size_t workers, std::size_t queue_max, machine* host = nullptr);
  void slow_down(std::uint32_t factor) { factor_ = factor; } // factor for jobs posted from now on; 1: none
  void crash() {                                             // also releases everything that the jobs hold
    *alive_ = false;
    jobs_.clear();
  }
  bool quiet() const noexcept { return jobs_.empty(); }

  using executor::post;
  result<void> post(steady_time deadline, job work, const party_ptr&) override;
  std::size_t queued() const override;
  std::chrono::nanoseconds longest_running() const override;
  void stop() override { crash(); }

private:
  microseconds draw_time();
  void finish(std::uint64_t number, bool expired);
  struct worker {
    steady_time busy_from, busy_until;
  };
  world& w_;
  const job_times times_;
  const std::size_t queue_max_;
  machine* const host_;
  const clock& clock_;
  std::uint32_t factor_ = 1;
  std::vector<worker> workers_;
  std::map<std::uint64_t, job> jobs_; // waiting jobs, by number
  std::uint64_t next_job_ = 1;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace cairn::sim
