// Lifecycle rules in a simulated cluster: one about some of the users' keys, and buckets that come and go with a rule
// of their own while the walks are under way. A day lasts seconds, or is a real one that all wall clocks jump over.
//
// What is known of a rule's effect while users work is the workload's (an object that may have expired need not be
// there, all others must). At the end all that is due must be gone, and nothing else.
#pragma once

#include "sim/cluster/cluster_workload.hpp"

namespace cairn::sim {

struct rules_plan {
  bool any = false;
  bool exact_clocks = false; // all wall clocks agree: nothing may expire early by even less than a second
  bool other_buckets = false;
  std::chrono::milliseconds day{0}, walk_every{0};
  storage::metadata::lifecycle_rule rule;
};
// From a source of its own: what a seed without them draws stays as it was.
rules_plan draw_rules(std::uint64_t seed, bool versioned);
// Of keys that begin so.
expiring_work expiring_keys_of(const rules_plan& plan, bool clocks_jump);

class cluster_rules {
public:
  cluster_rules(world& w, checks& c, std::vector<std::unique_ptr<cluster_node>>& nodes, cluster_workload& work,
                const rules_plan& plan)
      : w_(w), checks_(c), nodes_(nodes), work_(work), plan_(plan), rule_(plan.rule) {}

  // With the bucket. `look_at_nodes`: what its operator does when it can't be told now.
  void begin(const std::function<void()>& look_at_nodes);
  void act(); // a step of the trouble
  // With nothing else going on: makes everything due, and waits until it is gone.
  void expire_all();
  std::string options() const;

private:
  struct due_items {
    std::string first; // for people; empty: nothing has to go any more
    storage::wall_ms latest = 0;
  };
  result<due_items> due_in(storage::metadata::view& view, const std::string& bucket,
                           const storage::metadata::lifecycle_rule& rule) const;
  result<due_items> still_there() const; // what the rules are about, due or not
  void make_due(storage::wall_ms latest);
  void make_bucket();
  void put_into_bucket(const std::string& name);

  world& w_;
  checks& checks_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  cluster_workload& work_;
  const rules_plan plan_;
  storage::metadata::lifecycle_rule rule_;
  std::vector<std::string> others_; // buckets that may be there
  std::uint64_t made_ = 0, removed_ = 0, changed_ = 0, rounds_ = 0;
};

} // namespace cairn::sim
