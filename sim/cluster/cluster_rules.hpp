// Lifecycle rules in a simulated cluster: one rule for some of the users' keys, and buckets that are created and
// deleted, with a rule of their own, during the walks. A day lasts seconds, or is a real day that all wall clocks skip.
//
// While users work, the workload knows the possible effects of the rule (an object that may have expired may be absent,
// all others must exist). At the end everything that is due must be gone, and nothing else.
#pragma once

#include "sim/cluster/cluster_workload.hpp"

namespace cairn::sim {

struct rules_plan {
  bool any = false;
  bool exact_clocks = false; // all wall clocks agree: an expiry even a second early is a failure
  bool other_buckets = false;
  std::chrono::milliseconds day{0}, walk_every{0};
  storage::metadata::lifecycle_rule rule;
};
// Drawn from a separate source, so that the draws of older seeds do not change.
rules_plan draw_rules(std::uint64_t seed, bool versioned);
// The keys with the rule's prefix.
expiring_work expiring_keys_of(const rules_plan& plan, bool clocks_jump);

class cluster_rules {
public:
  cluster_rules(world& w, checks& c, std::vector<std::unique_ptr<cluster_node>>& nodes, cluster_workload& work,
                const rules_plan& plan)
      : w_(w), checks_(c), nodes_(nodes), work_(work), plan_(plan), rule_(plan.rule) {}

  // Sets the rule of the users' bucket.
  void begin(const disk_check& check_nodes);
  void act(); // a step while faults are active
  // While nothing else runs: makes everything due, and waits until it is gone.
  void expire_all();
  std::string options() const;

private:
  struct due_items {
    std::string first; // text; empty: nothing is left to delete
    wall_ms latest = 0;
  };
  result<due_items> due_in(storage::metadata::view& view, const std::string& bucket,
                           const storage::metadata::lifecycle_rule& rule) const;
  result<due_items> still_there() const; // what the rules apply to, due or not
  void make_due(wall_ms latest);
  void make_bucket();
  void put_into_bucket(const std::string& name);

  world& w_;
  checks& checks_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  cluster_workload& work_;
  const rules_plan plan_;
  storage::metadata::lifecycle_rule rule_;
  std::vector<std::string> others_; // buckets that may exist
  std::uint64_t made_ = 0, removed_ = 0, changed_ = 0, rounds_ = 0;
};

} // namespace cairn::sim
