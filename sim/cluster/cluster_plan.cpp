#include "sim/cluster/cluster_plan.hpp"

namespace cairn::sim {

namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t losses_salt = 0x3C6EF372FE94F82Bull, metadata_salt = 0xA54FF53A5F1D36F1ull;
constexpr std::uint64_t cache_salt = 0x9B05688C2B3E6C1Full;
constexpr std::uint64_t kinds_salt = 0xD51CBA1D9EA489E8ull, hostile_salt = 0x6A09E667F3BCC909ull;
constexpr std::uint64_t policies_salt = 0xBB67AE8584CAA73Bull, locks_salt = 0x510E527FADE682D1ull,
                        quotas_salt = 0x1F83D9ABFB41BD6Bull, renames_salt = 0x5BE0CD19137E2179ull;

// Further kinds of clusters and of work, from a separate source too.
void draw_kinds(cluster_plan& p, std::uint64_t seed) {
  dice d{seed ^ kinds_salt};
  if (!d.chance(0.4)) return;
  if (d.chance(0.4)) p.member.replicas = d.pick(std::vector<std::uint8_t>{1, 2, 2, 4, 5});
  if (d.chance(0.2)) p.member.write_quorum = p.member.replicas;
  if (p.member.replicas == 1) { // nothing may take the only copies away, as the replacement of a refused node does
    p.replaces_disks = p.restores_disks = p.restores_metadata = false;
    p.rots = p.scrubs = p.work.bit_rot = p.member.scrubs = false;
  }
  if (d.chance(0.4)) p.work.copies = d.pick(std::vector<double>{0.05, 0.2});
  if (d.chance(0.4)) p.work.access = d.pick(std::vector<double>{0.1, 0.3});
  p.work.versioned = d.chance(0.3);
  if (d.chance(0.25)) p.old_level = std::uint32_t(d.between(5, storage::metadata::feature_level - 1)); // all commands
}

cluster_plan draw_first(dice& d) {
  cluster_plan p;
  p.nodes = d.pick(std::vector<std::size_t>{1, 2, 3, 3, 3, 3, 3, 4, 4, 5, 5, 6});
  p.at_first = d.chance(0.6) ? p.nodes : d.between(1, p.nodes);
  p.drains = p.nodes > 1 && d.chance(0.25);
  p.replaces_disks = p.nodes > 2 && d.chance(0.2);
  p.crashes = d.chance(0.6);
  p.long_absence = p.crashes && p.nodes > 2 && d.chance(0.3);
  p.power_losses = p.crashes && d.chance(0.6);
  p.partitions = d.chance(0.5);
  p.broken_links = d.chance(0.4);
  p.late_messages = d.chance(0.3);
  if (p.crashes || p.partitions || p.broken_links || p.late_messages)
    p.trouble = microseconds{d.between(5'000'000, 40'000'000)};
  p.pause_max = microseconds{d.between(300'000, 6'000'000)};
  if (d.chance(0.4)) { // timeouts of minutes elapse within the run
    p.member.controller.session_ends_after = std::chrono::milliseconds{d.between(7'000, 20'000)};
    p.member.controller.out_after = std::chrono::milliseconds{d.between(8'000, 25'000)};
  }
  p.calm_net.delay_max = microseconds{d.between(100, d.chance(0.2) ? 20'000 : 2'000)};
  p.rough_net = p.calm_net;
  if (p.late_messages) {
    p.rough_net.late = d.pick(std::vector<double>{0.002, 0.02, 0.1});
    p.rough_net.late_max = microseconds{d.between(20'000, 3'000'000)};
  }
  if (p.broken_links) p.rough_net.breaks = d.pick(std::vector<double>{0.0005, 0.005, 0.02});
  for (auto* times : {&p.member.disk_times, &p.member.metadata_times, &p.member.digest_times}) {
    times->max = microseconds{d.between(50, d.chance(0.3) ? 20'000 : 2'000)};
    if (d.chance(0.1)) times->slow = 0.01, times->slow_max = 2s;
  }
  p.member.disks = d.chance(0.8) ? 1 : 2;
  p.member.upload_window = std::uint32_t(d.between(1, 6));
  p.member.window_max = std::uint32_t(d.between(2, 6));
  if (d.chance(0.3)) {
    p.member.compact_after_entries = d.between(5, 60);
    p.member.entries_kept = d.between(0, 20);
  }
  p.work.keys = d.between(1, 5);
  p.work.users = d.between(2, 6);
  p.work.operations = d.between(40, 140);
  p.work.pause_max = microseconds{d.between(20'000, 900'000)};
  if (p.nodes == 6 && d.chance(0.5)) p.nodes = 7;
  return p;
}

// Drawn from a separate source, so that the draws of older seeds do not change.
void draw_extras(cluster_plan& p, std::uint64_t seed) {
  dice d{seed ^ 0x2545F4914F6CDD1Dull};
  if (d.chance(0.3)) p.work.uploads = d.pick(std::vector<double>{0.05, 0.15, 0.3});
  p.commands = p.trouble.count() > 0 && d.chance(0.3);
  p.removes = p.commands && d.chance(0.5);
  p.rots = p.nodes > 2 && p.trouble.count() > 0 && d.chance(0.3);
  p.rows_rot = p.rots;
  p.scrubs = p.rots && d.chance(0.4);
  p.work.bit_rot = p.rots;
  p.member.scrubs = p.scrubs;
  if (d.chance(0.2)) p.rough_net.doubled = d.pick(std::vector<double>{0.005, 0.05, 0.2});
}

// A disk restored from an image, a majority lost; from a random source of its own.
void draw_losses(cluster_plan& p, std::uint64_t seed) {
  dice d{seed ^ losses_salt};
  if (p.nodes < 3 || !p.crashes) return;
  p.restores_disks = d.chance(0.15);
  p.rescues = p.nodes < 5 && d.chance(0.1);
}

void draw_restored_metadata(cluster_plan& p, std::uint64_t seed) {
  dice d{seed ^ metadata_salt};
  p.restores_metadata = p.nodes > 2 && p.crashes && !p.rots && d.chance(0.15);
}

// Caches of a few chunks, which evict, have no memory left, or are off; from a random source of its own.
void draw_cache(cluster_plan& p, std::uint64_t seed) {
  dice d{seed ^ cache_salt};
  p.member.cache_bytes = d.pick(std::vector<std::uint64_t>{0, 192 << 10, 384 << 10, 1 << 20, 4 << 20});
}

// The further faults of a hostile cluster.
void draw_hostile(cluster_plan& p, std::uint64_t seed) {
  dice d{seed ^ hostile_salt};
  p.faults = draw_faults(seed);
  p.faults.far_jumps = p.at_first == p.nodes && !p.removes; // invitations to join expire
  if (p.faults.any() && p.trouble.count() == 0) p.trouble = microseconds{d.between(5'000'000, 40'000'000)};
  p.rough_net.changed = p.faults.changed_payloads;
  p.work.changed_bytes = p.faults.changed_payloads > 0;
  p.disk_faults = draw_disk_faults(seed);
  if (p.disk_faults.any() && p.trouble.count() == 0) p.trouble = microseconds{d.between(5'000'000, 40'000'000)};
  p.work.failing_disks = p.disk_faults.errors() || p.disk_faults.fills_up || p.disk_faults.loses_power_midway;
  draw_kinds(p, seed);
  if (p.old_level == 0) p.rules = draw_rules(seed, p.work.versioned);
  if (p.rules.any) {
    p.faults.clock_jumps = p.faults.clock_jumps && !p.rules.exact_clocks;
    p.member.lifecycle.emplace();
    p.member.lifecycle->day = p.rules.day;
    p.member.lifecycle->walk_every = p.rules.walk_every;
    p.work.expiring = expiring_keys_of(p.rules, p.faults.clock_jumps);
  }
  if (p.trouble.count() > 0) p.member.walk_every = std::chrono::minutes{1};
  p.looks_for_leftovers = true;
}

// Versions that are locked, in clusters of which a minority of the clocks may jump by years: a promise to a majority,
// so members stay, and no disaster takes the state back.
void draw_locks(cluster_plan& p, std::uint64_t seed, bool hostile) {
  dice d{seed ^ locks_salt};
  const bool steady = p.at_first == p.nodes && !p.removes && !p.restores_metadata && !p.rescues;
  if (p.old_level != 0 || p.nodes < 3 || !steady || !d.chance(hostile ? 0.7 : 0.2)) return;
  p.work.versioned = true;
  p.work.locks = d.pick(std::vector<double>{0.1, 0.3});
  if (!hostile || p.trouble.count() == 0 || p.rules.exact_clocks) return;
  p.faults.clock_jumps = d.chance(0.9);
  p.faults.jumpers = p.nodes >= 5 ? 2 : 1;
  p.work.expiring = expiring_keys_of(p.rules, p.faults.clock_jumps);
}

// A quota that the users reach. Rules and locks need room for their own work.
void draw_quota(cluster_plan& p, std::uint64_t seed) {
  dice d{seed ^ quotas_salt};
  if (p.old_level != 0 || p.rules.any || p.work.locks > 0 || !d.chance(0.3)) return;
  p.work.quota.bytes_max = d.between(10'000, 300'000);
  p.work.quota.versions_max = d.between(2, p.work.versioned ? 30 : 4);
  p.work.quota_of_owner = d.chance(0.5);
}

// What is renamed keeps its time, by which a rule would take it earlier than the workload expects.
void draw_renames(cluster_plan& p, std::uint64_t seed) {
  dice d{seed ^ renames_salt};
  if (p.old_level != 0 || p.work.versioned || p.work.expiring.expire_after || !d.chance(0.4)) return;
  p.work.renames = d.pick(std::vector<double>{0.1, 0.3});
}

} // namespace

cluster_plan draw_cluster_plan(dice& d, std::uint64_t seed, bool hostile) {
  auto p = draw_first(d);
  draw_extras(p, seed);
  draw_losses(p, seed);
  draw_restored_metadata(p, seed);
  draw_cache(p, seed);
  if (hostile) draw_hostile(p, seed);
  draw_locks(p, seed, hostile);
  draw_quota(p, seed);
  draw_renames(p, seed);
  dice policies{seed ^ policies_salt};
  if (p.old_level == 0 && policies.chance(0.3)) p.work.policies = policies.pick(std::vector<double>{0.05, 0.2});
  return p;
}

std::string to_string(const cluster_plan& p) {
  const auto& m = p.member;
  return std::to_string(p.nodes) + " nodes" +
         (p.at_first < p.nodes ? ", " + std::to_string(p.at_first) + " at first" : "") +
         (m.replicas != 3 ? ", replicas " + std::to_string(m.replicas) : "") +
         (m.cache_bytes != 0 ? ", cache " + std::to_string(m.cache_bytes >> 10) + " KiB" : "") +
         (m.write_quorum != 0 ? ", writes wait for all" : "") + (p.work.versioned ? ", versioned" : "") +
         (p.work.policies > 0 ? ", policies" : "") + (p.work.renames > 0 ? ", renames" : "") +
         (p.work.locks > 0 ? ", locks" : "") +
         (p.work.quota.empty()    ? ""
          : p.work.quota_of_owner ? ", quota of the owner"
                                  : ", quota") +
         (p.old_level != 0 ? ", old builds of level " + std::to_string(p.old_level) : "") + ", keys " +
         std::to_string(p.work.keys) + ", users " + std::to_string(p.work.users) + ", operations " +
         std::to_string(p.work.operations) + (p.crashes ? ", crashes" : "") + (p.power_losses ? " of power" : "") +
         (p.drains ? ", drains" : "") + (p.long_absence ? ", long absence" : "") +
         (p.replaces_disks ? ", replaces disks" : "") + (p.restores_disks ? ", restores a disk" : "") +
         (p.restores_metadata ? ", restores metadata" : "") + (p.rescues ? ", loses a majority" : "") +
         (m.compact_after_entries < 1000 ? ", short log" : "") + (p.partitions ? ", cuts" : "") +
         (p.broken_links ? ", broken links" : "") + (p.late_messages ? ", late messages" : "") +
         (p.rough_net.doubled > 0 ? ", doubled messages" : "") + (p.rots ? ", rotten chunks" : "") +
         (p.scrubs ? " scrubbed" : "");
}

} // namespace cairn::sim
