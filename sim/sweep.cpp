#include "sim/sweep.hpp"

#include "base/log.hpp"
#include "sim/cluster/cluster_scenario.hpp"
#include "sim/node/download_scenario.hpp"
#include "sim/node/node_scenario.hpp"
#include "sim/raft/raft_scenario.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstring>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace cairn::sim {

namespace {

// An assertion ends the process: print the seed that was running.
thread_local char running_now[96];

extern "C" void print_seed_and_abort(int) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, running_now, ::strnlen(running_now, sizeof running_now));
  std::signal(SIGABRT, SIG_DFL);
  std::raise(SIGABRT);
}

std::string replay_command(const scenario& s, std::uint64_t seed) {
  return "cairn sim " + std::string{s.name} + " --seeds " + std::to_string(seed) + ".." + std::to_string(seed);
}

class sweeper {
public:
  sweeper(const scenario& s, std::uint64_t first, std::uint64_t last, std::uint64_t repeat_every,
          const std::function<void(std::uint64_t)>& progress)
      : scenario_(s), last_(last), repeat_every_(repeat_every), progress_(progress), next_(first) {}

  void work() {
    world w;
    while (true) {
      const auto seed = next_.fetch_add(1);
      if (seed > last_) return;
      run_one(w, seed);
    }
  }
  sweep_report report() {
    std::ranges::sort(report_.failures, {}, &failed_seed::seed);
    return std::move(report_);
  }

private:
  static constexpr std::size_t failures_max = 20;

  void run_one(world& w, std::uint64_t seed) {
    std::snprintf(running_now, sizeof running_now, "cairn sim: the seed was %llu of scenario %s\n",
                  static_cast<unsigned long long>(seed), scenario_.name);
    auto outcome = scenario_.run(w, seed);
    const bool again = repeat_every_ > 0 && seed % repeat_every_ == 0;
    if (again && outcome.problem.empty() && scenario_.run(w, seed).digest != outcome.digest) {
      outcome.problem = "two runs of the seed ended in different states";
    }
    std::lock_guard lock{mutex_};
    ++report_.runs;
    report_.repeated += again;
    run_digest one;
    one.add(seed);
    one.add(outcome.digest);
    report_.digest += one.value();
    report_.options = outcome.options;
    if (!outcome.problem.empty() && report_.failures.size() < failures_max) {
      report_.failures.push_back(
          {scenario_.name, seed, outcome.problem, outcome.options, replay_command(scenario_, seed)});
    }
    const auto now = std::chrono::steady_clock::now();
    if (progress_ && now - told_ > std::chrono::seconds{1}) {
      told_ = now;
      progress_(report_.runs);
    }
  }

  const scenario& scenario_;
  const std::uint64_t last_, repeat_every_;
  const std::function<void(std::uint64_t)>& progress_;
  std::atomic<std::uint64_t> next_;
  std::mutex mutex_;
  sweep_report report_;
  std::chrono::steady_clock::time_point told_ = std::chrono::steady_clock::now();
};

} // namespace

const std::vector<scenario>& scenarios() {
  static const std::vector<scenario> all{
      {"download", "one download through sequencer and streamer over disks that are late, wrong or gone", run_download},
      {"node", "a whole node under clients that come and go, with crashes, failing and full disks", run_node},
      {"raft", "consensus under crashes, partitions, drifting clocks, failing disks, changes of membership",
       [](world&, std::uint64_t seed) {
         auto done = run_raft(seed);
         return run_result{std::move(done.problem), std::move(done.options), done.digest};
       }},
      {"cluster", "a whole cluster under crashes, partitions, broken links, drifting clocks; answers are linearizable",
       run_cluster},
      {"hostile",
       "the same, frozen, slow, full, with failing disks, jumping clocks, changed bytes, other replica counts",
       run_hostile_cluster},
  };
  return all;
}

const scenario* find_scenario(const std::string& name) {
  const auto at = std::ranges::find(scenarios(), name, &scenario::name);
  return at == scenarios().end() ? nullptr : &*at;
}

sweep_report sweep(const scenario& s, std::uint64_t first, std::uint64_t last, unsigned threads,
                   std::uint64_t repeat_every, const std::function<void(std::uint64_t)>& progress, bool logs) {
  log::set_up(logs ? log::level::debug : log::level::off, false); // the runs plan thousands of failures
  const auto before = std::signal(SIGABRT, print_seed_and_abort);
  sweeper all{s, first, last, repeat_every, progress};
  std::vector<std::thread> workers;
  for (unsigned i = 1; i < threads; ++i) workers.emplace_back([&all] { all.work(); });
  all.work();
  for (auto& t : workers) t.join();
  std::signal(SIGABRT, before);
  return all.report();
}

} // namespace cairn::sim
