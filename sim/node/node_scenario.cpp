#include "sim/node/node_scenario.hpp"

#include "sim/node/workload.hpp"

namespace cairn::sim {

namespace {

constexpr std::uint64_t node_cache_salt = 0x1F83D9ABFB41BD6Bull;

struct fault_plan {
  double read_errors = 0, write_errors = 0, flush_errors = 0;
  bool small_disk = false;
};

class node_run {
public:
  node_run(world& w, std::uint64_t seed) : w_(w) {
    w_.begin(seed);
    dice d{seed ^ node_cache_salt}; // so that the draws of older seeds do not change
    node_plan_.cache_bytes = d.pick(std::vector<std::uint64_t>{0, 384 << 10, 1 << 20, 4 << 20});
  }
  run_result run();

private:
  void draw();
  void set_faults(bool on);
  void run_lives();
  void crash_midway();
  void check_quiet();
  void check_reclaimed();
  void restart();

  world& w_;
  checks checks_;
  node_plan node_plan_;
  workload_plan work_plan_;
  fault_plan faults_;
  bool disks_fail_ = false;
  std::uint64_t lives_ = 1;
  std::unique_ptr<sim_node> node_;
  std::unique_ptr<workload> work_;
};

void node_run::draw() {
  auto& d = w_.draw;
  node_plan_.disks = d.between(1, 3);
  node_plan_.chunk_size = d.chance(0.7) ? 64 << 10 : 128 << 10;
  node_plan_.segment_bytes = d.chance(0.5) ? 4 << 20 : 2 << 20;
  node_plan_.window_min = std::uint32_t(d.between(1, 3));
  node_plan_.window_max = std::uint32_t(d.between(node_plan_.window_min, 6));
  node_plan_.upload_window = std::uint32_t(d.between(1, 6));
  if (d.chance(0.3)) node_plan_.memory_bytes = d.between(6, 16) * (64 << 10);
  for (auto* times : {&node_plan_.disk_times, &node_plan_.metadata_times, &node_plan_.digest_times}) {
    times->max = microseconds{d.between(50, d.chance(0.3) ? 30'000 : 2'000)};
    if (d.chance(0.1)) times->slow = 0.01, times->slow_max = std::chrono::seconds{8};
  }
  work_plan_.keys = d.between(1, 8);
  work_plan_.users = d.between(1, 6);
  work_plan_.operations = d.between(20, 80);
  if (d.chance(0.2)) work_plan_.socket_max = std::chrono::milliseconds{50};
  work_plan_.tolerated = {errc::slow_down, errc::timeout};
  if (d.chance(0.2)) faults_.read_errors = 0.02;
  if (d.chance(0.15)) faults_.write_errors = 0.02;
  if (d.chance(0.1)) faults_.flush_errors = 0.01;
  if (d.chance(0.15)) {
    faults_.small_disk = true;
    node_plan_.disk_bytes = 6 << 20;
    work_plan_.tolerated.insert(errc::no_space);
  }
  disks_fail_ = faults_.read_errors > 0 || faults_.write_errors > 0 || faults_.flush_errors > 0;
  if (disks_fail_) {
    work_plan_.tolerated.insert({errc::io_error, errc::read_only, errc::no_space});
  }
  lives_ = d.chance(0.6) ? d.between(2, 4) : 1;
}

// Disk faults affect files only; the index fails only with the node.
void node_run::set_faults(bool on) {
  for (std::size_t i = 0; i < node_->disks(); ++i) {
    if (!on) {
      node_->disk(i).set_fault({});
      continue;
    }
    node_->disk(i).set_fault([this](disk_operation operation, const std::string&) -> std::optional<error> {
      double chance = 0;
      if (operation == disk_operation::read) chance = faults_.read_errors;
      if (operation == disk_operation::write || operation == disk_operation::preallocate) chance = faults_.write_errors;
      if (operation == disk_operation::flush) chance = faults_.flush_errors;
      if (chance == 0 || !w_.draw.chance(chance)) return std::nullopt;
      return error{errc::io_error, "planned"};
    });
  }
}

// Half of the crashes happen between messages, the others in the middle of disk operations.
void node_run::crash_midway() {
  w_.run_for(microseconds{w_.draw.between(1'000, 800'000)});
  if (w_.draw.chance(0.5)) {
    auto left = std::make_shared<std::uint64_t>(w_.draw.between(1, 40));
    for (std::size_t i = 0; i < node_->disks(); ++i) {
      node_->disk(i).set_fault([left](disk_operation operation, const std::string&) -> std::optional<error> {
        const bool changes = operation != disk_operation::read && operation != disk_operation::read_cached &&
                             operation != disk_operation::space_of;
        if (*left > 0 && changes) --*left;
        if (*left > 0) return std::nullopt;
        return error{errc::io_error, "the power is gone"};
      });
    }
    w_.run_until([&] { return *left == 0; }, std::chrono::seconds{2});
  }
  set_faults(false);
  work_->crashed();
  node_->crash(w_.draw.chance(0.7));
}

void node_run::restart() {
  set_faults(false);
  work_->crashed();
  node_->crash(w_.draw.chance(0.5));
  node_->start();
}

void node_run::run_lives() {
  for (std::uint64_t life = 1; life <= lives_ && !checks_.failed(); ++life) {
    if (!node_->running()) node_->start();
    if (checks_.failed()) return;
    if (life == 1)
      work_->make_bucket();
    else
      work_->verify_every_key();
    if (checks_.failed()) return;
    set_faults(true);
    work_->begin();
    if (life < lives_) {
      crash_midway();
    } else if (!w_.run_until([&] { return work_->done() || checks_.failed(); }, std::chrono::hours{2})) {
      checks_.fail("the workload hangs");
    }
  }
}

// Failed uploads end, late reads end, the reaper continues. After a minute only long-lived actors are left and, unless
// disks failed, only the chunks of existing objects.
void node_run::check_quiet() {
  set_faults(false);
  w_.run_for(std::chrono::minutes{1});
  checks_.expect(w_.live_actors() == node_->actors(), "an actor of a request is left");
  checks_.expect(node_->handles().buffers->in_use_bytes() == 0, "buffers are left");
  checks_.expect(node_->handles().buffers->waiting() == 0, "a wait for memory is left");
  const auto cache = node_->handles().cache->stats();
  checks_.expect(cache.shared_reads == 0, "a read for the cache is left");
  checks_.expect(cache.bytes <= cache.limit_bytes, "the cache uses more than its limit");
  checks_.expect(node_->holds() == 0, "a read hold is left");
  checks_.expect(node_->metrics().window_slices == 0, "window_slices is not zero");
  if (disks_fail_) return;
  work_->verify_every_key();
  if (checks_.failed()) return;
  const auto wanted = work_->chunks_of_objects();
  if (node_->left().chunks != wanted)
    checks_.fail("objects of " + std::to_string(wanted) + " chunks, but there are " + node_->left_text());
}

// Sessions end with their process, so after the last restart the log calls every leftover chunk dead.
void node_run::check_reclaimed() {
  restart();
  if (checks_.failed()) return;
  work_->verify_every_key();
  if (checks_.failed()) return;
  work_->delete_every_key();
  const bool slow = node_plan_.disk_times.slow > 0 || node_plan_.metadata_times.slow > 0;
  w_.run_for(std::chrono::seconds{slow ? 60 : 10});
  const auto l = node_->left();
  if (l.chunks + l.to_punch + l.buried + l.manifests > 0)
    checks_.fail("after the last delete are left: " + node_->left_text());
}

run_result node_run::run() {
  draw();
  node_ = std::make_unique<sim_node>(w_, checks_, node_plan_);
  work_ = std::make_unique<workload>(w_, checks_, *node_, work_plan_);
  run_lives();
  if (!checks_.failed()) check_quiet();
  if (!checks_.failed()) check_reclaimed();
  w_.digest.add(work_->acknowledged_puts());
  w_.digest.add(work_->whole_reads());

  run_result out;
  out.options = "disks " + std::to_string(node_plan_.disks) + ", lives " + std::to_string(lives_) + ", users " +
                std::to_string(work_plan_.users) + ", operations " + std::to_string(work_plan_.operations) +
                ", memory " + std::to_string(node_plan_.memory_bytes) + (faults_.small_disk ? ", small disk" : "") +
                (faults_.read_errors > 0 ? ", read errors" : "") + (faults_.write_errors > 0 ? ", write errors" : "") +
                (faults_.flush_errors > 0 ? ", flush errors" : "") + ", stored " +
                std::to_string(work_->acknowledged_puts()) + ", whole reads " + std::to_string(work_->whole_reads());
  work_->crashed();
  if (node_->running()) node_->crash(false);
  work_.reset();
  node_.reset();
  w_.forget_everything();
  out.problem = checks_.problem();
  out.digest = w_.digest.value();
  return out;
}

} // namespace

run_result run_node(world& w, std::uint64_t seed) {
  return node_run{w, seed}.run();
}

} // namespace cairn::sim
