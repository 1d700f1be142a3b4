// Power loss, sampled: a workload runs on the real store and LMDB under the shim; then disks as they may look after a
// power loss at some point are built from the trace and recovered. CAIRN_CRASH_STATES: how many (default 300);
// CAIRN_CRASH_SEED: the first seed of workload and sampling (default 1). A failure names both.
#include "base/log.hpp"
#include "tests/crash/disk_model.hpp"
#include "tests/crash/recovery_check.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <map>

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

namespace cairn::crash {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t steps = 80;

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Recovered states need no real disk.
fs::path scratch_directory() {
  const fs::path memory{"/dev/shm"};
  const auto base = ::access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
  return base / ("cairn-crash-" + std::to_string(::getpid()));
}

struct recording {
  std::uint64_t seed = 0;
  std::vector<step> plan;
  std::vector<event> events;
};

recording record(const fs::path& scratch, std::uint64_t seed) {
  recording made{seed, make_plan(seed, steps), {}};
  const auto root = (scratch / "root").string(), said = (scratch / "said").string(),
             trace = (scratch / "trace").string();
  fs::remove_all(scratch);
  fs::create_directories(root);
  std::vector<std::string> environment{
      std::string{"LD_PRELOAD="} + CAIRN_CRASH_SHIM, std::string{trace_variable} + "=" + trace,
      std::string{root_variable} + "=" + root, std::string{said_variable} + "=" + said};
  std::vector<std::string> arguments{CAIRN_CRASH_WORKLOAD, root, said, std::to_string(seed), std::to_string(steps)};
  std::vector<char*> environment_pointers, argument_pointers;
  for (auto& text : environment) environment_pointers.push_back(text.data());
  for (auto& text : arguments) argument_pointers.push_back(text.data());
  environment_pointers.push_back(nullptr);
  argument_pointers.push_back(nullptr);
  pid_t child = 0;
  int status = -1;
  EXPECT_EQ(::posix_spawn(&child, arguments[0].c_str(), nullptr, nullptr, argument_pointers.data(),
                          environment_pointers.data()),
            0);
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the workload of seed " << seed << " failed";
  made.events = read_trace(trace);
  fs::remove_all(scratch);
  for (const auto& e : made.events)
    EXPECT_NE(e.header.kind, event_kind::unsupported) << e.data << " of " << e.path << " is not modelled";
  EXPECT_FALSE(made.events.empty());
  return made;
}

struct sample {
  std::size_t after = 0; // events that happened
  survival what{};
};

// Half of the points right behind an acknowledgement, where nothing may be missing; a tenth while the disk is being
// made.
std::vector<sample> draw_samples(const recording& r, std::size_t count, std::mt19937_64& random) {
  std::vector<std::size_t> acknowledged;
  for (std::size_t i = 0; i < r.events.size(); ++i)
    if (r.events[i].data.starts_with("done ") && r.events[i].header.kind == event_kind::say)
      acknowledged.push_back(i + 1);
  std::vector<sample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    sample s;
    const auto where = random() % 10;
    if (where < 5)
      s.after = acknowledged[random() % acknowledged.size()];
    else
      s.after = random() % (where == 9 ? acknowledged.front() + 1 : r.events.size() + 1);
    const auto dice = random() % 10;
    s.what = dice < 3   ? survival::nothing
             : dice < 4 ? survival::everything
             : dice < 5 ? survival::tears
                        : survival::anything;
    samples.push_back(s);
  }
  std::sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.after < b.after; });
  return samples;
}

// For a flush that is left out: points soon after it, where it is missed if ever, many of them right before another
// flush, when most is at risk.
std::vector<sample> draw_samples_behind(const std::vector<std::size_t>& flushes, const std::vector<event>& events,
                                        std::size_t count, std::mt19937_64& random) {
  constexpr std::array what{survival::nothing, survival::anything, survival::anything, survival::tears};
  std::vector<sample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    const auto reach = random() % 2 == 0 ? 10 : 60;
    auto after = flushes[random() % flushes.size()] + 1 + random() % static_cast<unsigned>(reach);
    if (random() % 2 == 0)
      while (after < events.size() && events[after].header.kind != event_kind::flush) ++after;
    samples.push_back({std::min(after, events.size()), what[random() % what.size()]});
  }
  std::sort(samples.begin(), samples.end(), [](const auto& a, const auto& b) { return a.after < b.after; });
  return samples;
}

struct violation {
  std::size_t after = 0;
  std::string text;
};

// Walks the trace once, crashing at every sample. `ignored` is the site whose flushes don't count.
std::vector<violation> crash_and_recover(const recording& r, const std::vector<sample>& samples,
                                         std::mt19937_64& random, const std::string& ignored,
                                         std::size_t violations_max) {
  const auto root = scratch_directory();
  std::vector<violation> found;
  disk_model model{ignored};
  std::size_t done = 0, applied = 0;
  bool begun = false;
  for (const auto& s : samples) {
    for (; applied < s.after; ++applied) {
      const auto& e = r.events[applied];
      if (e.header.kind == event_kind::say) {
        begun = e.data.starts_with("begin ");
        done += begun ? 0 : 1;
      } else {
        model.apply(e);
      }
    }
    const bool lose_index = random() % 4 == 0;
    fs::remove_all(root);
    write_image(model.crash(s.what, random), root.string());
    for (auto& text : check_recovery(root.string(), expect(r.plan, done, begun), lose_index))
      found.push_back({s.after, (lose_index ? "(index rebuilt) " : "") + text});
    if (found.size() >= violations_max) break;
  }
  fs::remove_all(root);
  return found;
}

// Where in the trace each site flushes.
std::map<std::string, std::vector<std::size_t>> flush_sites(const recording& r) {
  std::map<std::string, std::vector<std::size_t>> sites;
  disk_model model;
  for (std::size_t i = 0; i < r.events.size(); ++i)
    if (const auto site = model.apply(r.events[i])) sites[*site].push_back(i);
  return sites;
}

class power_loss : public testing::Test {
protected:
  static void SetUpTestSuite() { log::set_up(log::level::error, false); }
};

} // namespace

TEST_F(power_loss, never_loses_or_changes_what_was_acknowledged) {
  const auto states = number_from("CAIRN_CRASH_STATES", 300), first_seed = number_from("CAIRN_CRASH_SEED", 1);
  constexpr std::size_t states_a_run = 100;
  for (std::uint64_t done = 0, seed = first_seed; done < states; done += states_a_run, ++seed) {
    const auto r = record(scratch_directory(), seed);
    ASSERT_FALSE(HasFailure());
    std::mt19937_64 random{seed};
    const auto samples = draw_samples(r, std::min(states - done, states_a_run), random);
    for (const auto& v : crash_and_recover(r, samples, random, {}, 10))
      ADD_FAILURE() << "CAIRN_CRASH_SEED=" << seed << ", after event " << v.after << ": " << v.text;
    ASSERT_FALSE(HasFailure());
  }
}

// The harness would be worthless if it did not see a missing flush. One workload may not give every flush its chance (a
// segment that was punched to the end can come back without harm), so several are tried.
TEST_F(power_loss, is_noticed_when_any_single_flush_is_missing) {
  constexpr std::size_t workloads = 4, attempts = 6, samples_a_try = 20;
  const auto seed = number_from("CAIRN_CRASH_SEED", 1);
  std::map<std::string, bool> noticed{{"folder /", false},
                                      {"folder /disk0", false},
                                      {"folder /disk0/index", false},
                                      {"folder /metadata", false},
                                      {"folder /log", false},
                                      {"log header", false},
                                      {"log records", false},
                                      {"pages of log/vote.new", false},
                                      {"pages of log/data.mdb", false},
                                      {"meta page of log/data.mdb", false},
                                      {"segment creation", false},
                                      {"segment removal", false},
                                      {"segment records", false},
                                      {"segment seal", false},
                                      {"segment holes", false},
                                      {"pages of disk0/disk.new", false},
                                      {"pages of disk0/index/data.mdb", false},
                                      {"meta page of disk0/index/data.mdb", false},
                                      {"folder /member/state", false},
                                      {"folder /member/log", false},
                                      {"member's log header", false},
                                      {"member's log records", false},
                                      {"pages of member/state/data.mdb", false},
                                      {"meta page of member/state/data.mdb", false},
                                      {"pages of metadata/data.mdb", false},
                                      {"meta page of metadata/data.mdb", false}};
  for (std::size_t workload = 0; workload < workloads; ++workload) {
    const auto r = record(scratch_directory(), seed + workload);
    ASSERT_FALSE(HasFailure());
    for (const auto& [site, flushes] : flush_sites(r)) {
      auto& seen = noticed[site];
      for (std::uint64_t attempt = 0; attempt < attempts && !seen; ++attempt) {
        std::mt19937_64 random{r.seed * 1000 + attempt};
        const auto samples = attempt % 2 == 0 ? draw_samples_behind(flushes, r.events, samples_a_try, random)
                                              : draw_samples(r, samples_a_try, random);
        seen = !crash_and_recover(r, samples, random, site, 1).empty();
      }
    }
  }
  // Both copies of a vote must be torn at once for a missing flush to show: too rare for so few samples.
  for (const auto* copy : {"first copy of the vote", "second copy of the vote"}) noticed.erase(copy);
  // Nobody votes in the member's log.
  for (const auto* part : {"pages of member/log/vote.new", "pages of member/log/vote"}) noticed.erase(part);
  // A damaged marker of a log is replaced.
  for (const auto* part : {"pages of log/data.mdb.new", "pages of member/log/data.mdb.new"}) noticed.erase(part);
  for (const auto& [site, seen] : noticed) EXPECT_TRUE(seen) << "nobody misses the flush of: " << site;
}

} // namespace cairn::crash
