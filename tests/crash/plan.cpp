#include "tests/crash/plan.hpp"

#include <algorithm>
#include <random>

namespace cairn::crash {

namespace {

constexpr std::uint64_t chunk_count = 24, key_count = 12;

std::string key_of(std::uint64_t number) {
  return "key " + std::to_string(number);
}

struct object_change {
  std::string key;
  std::optional<std::string> content; // nothing: deleted
};

std::vector<object_change> changes_of(std::uint64_t batch) {
  std::vector<object_change> changes;
  std::mt19937_64 random{batch};
  for (auto i = random() % 4 + 1; i > 0; --i) {
    object_change change{key_of(random() % key_count), std::nullopt};
    if (random() % 4 != 0)
      change.content = "batch " + std::to_string(batch) + " " + std::string(random() % 3000, char('a' + random() % 26));
    changes.push_back(std::move(change));
  }
  return changes;
}

std::vector<std::uint64_t> draw(const std::set<std::uint64_t>& from, std::size_t count, std::mt19937_64& random) {
  std::vector<std::uint64_t> drawn{from.begin(), from.end()};
  std::shuffle(drawn.begin(), drawn.end(), random);
  drawn.resize(std::min(drawn.size(), count));
  return drawn;
}

} // namespace

std::vector<step> make_plan(std::uint64_t seed, std::size_t length) {
  std::mt19937_64 random{seed};
  std::set<std::uint64_t> present, absent;
  for (std::uint64_t n = 0; n < chunk_count; ++n) absent.insert(n);
  std::vector<step> plan;
  if (seed % 2 == 0) plan.push_back({step_kind::older_log, {}, 0}); // else the log begins with the first `open`
  plan.push_back({step_kind::open, {}, 0});
  std::uint64_t batches = 0, log_batches = 0, member_batches = 0;
  while (plan.size() < length) {
    const auto what = random() % 100;
    if (what < 30 && !absent.empty()) {
      plan.push_back({step_kind::write, draw(absent, random() % 4 + 1, random), 0});
      for (const auto n : plan.back().chunks) absent.erase(n), present.insert(n);
    } else if (what < 45 && !present.empty()) {
      plan.push_back({step_kind::erase, draw(present, random() % 4 + 1, random), 0});
      for (const auto n : plan.back().chunks) present.erase(n), absent.insert(n);
    } else if (what < 55) {
      plan.push_back({step_kind::punch, {}, 0});
    } else if (what < 65) {
      plan.push_back({step_kind::commit, {}, ++batches});
    } else if (what < 80) {
      plan.push_back({step_kind::append, {}, ++log_batches});
    } else if (what < 91) {
      plan.push_back({step_kind::enter, {}, ++member_batches});
    } else if (what < 95) {
      plan.push_back({step_kind::settle, {}, 0});
    } else {
      plan.push_back({step_kind::open, {}, 0});
    }
  }
  return plan;
}

std::string disk_directory(const std::string& root) {
  return root + "/disk0";
}
std::string metadata_directory(const std::string& root) {
  return root + "/metadata";
}

std::string log_directory(const std::string& root) {
  return root + "/log";
}

std::string member_directory(const std::string& root) {
  return root + "/member";
}

// Small segments, so that there are several.
cluster::raft::log_options log_options() {
  return {.segment_bytes = 64 * 1024};
}

storage::chunk_store_options store_options(const std::string& root) {
  return {.directory = disk_directory(root), .segment_size_bytes = 256 * 1024, .reserve_bytes = 1};
}

chunk_id chunk_name(std::uint64_t chunk) {
  return {{1, chunk / 4}, static_cast<std::uint32_t>(chunk % 4)};
}

std::vector<std::byte> chunk_bytes(std::uint64_t chunk) {
  std::mt19937_64 random{chunk};
  const bool large = chunk % 8 == 5; // written around the page cache, into a segment of its own
  std::vector<std::byte> bytes(large               ? 300 * 1024 + random() % 5000
                               : random() % 3 == 0 ? random() % 5000 + 1
                                                   : random() % (80 * 1024) + 1);
  for (auto& b : bytes) b = static_cast<std::byte>(random());
  return bytes;
}

std::vector<storage::metadata::command> metadata_batch(std::uint64_t batch, session_id session) {
  using namespace storage::metadata;
  if (batch == 1) return {begin_session{{1, 2, 3}, 1}, create_bucket{bucket, 1000}};
  std::vector<command> commands;
  std::uint64_t sequence = batch * 100;
  for (auto& [key, content] : changes_of(batch)) {
    const commit_stamp stamp{session, ++sequence, batch * 100};
    if (content)
      commands.push_back(put_object{stamp, bucket, key, 1000, content->size(), {}, {}, *content, {}});
    else
      commands.push_back(delete_object{stamp, bucket, key, 1000, {}});
  }
  return commands;
}

std::map<std::string, std::string> objects_after(std::uint64_t batches) {
  std::map<std::string, std::string> objects;
  for (std::uint64_t batch = 2; batch <= batches; ++batch)
    for (auto& [key, content] : changes_of(batch)) {
      if (content)
        objects[key] = *content;
      else
        objects.erase(key);
    }
  return objects;
}

cluster::raft::log_write log_batch(std::uint64_t batch, const cluster::raft::stored_state& before) {
  namespace raft = cluster::raft;
  std::mt19937_64 random{batch};
  raft::log_write w;
  auto term = before.vote.term;
  if (random() % 3 == 0) w.vote = raft::vote_record{++term, random() % 3};
  const auto last = before.first + before.entries.size() - 1;
  const auto what = random() % 8;
  if (what == 0 && !before.entries.empty()) {
    const auto index = last - random() % before.entries.size();
    const auto entry_term = before.entries[index - before.first].term;
    w.compaction = raft::compaction{{index, entry_term, {{{1, raft::server_role::voter}}}, 1}, index};
  } else if (what == 1 && batch % 2 == 0) {
    w.snapshot = raft::snapshot_record{last + 3, term, {{{1, raft::server_role::voter}}}, 1};
  } else if (what < 7) {
    const auto replaced = random() % 3 == 0 ? std::min<std::uint64_t>(random() % 4, before.entries.size()) : 0;
    w.first = last + 1 - replaced;
    for (auto i = random() % 4 + 1; i > 0; --i)
      w.entries.push_back({term, raft::entry_kind::command,
                           raft::share("batch " + std::to_string(batch) + std::string(random() % 9000, 'e'))});
  }
  return w;
}

void apply_to(cluster::raft::stored_state& state, const cluster::raft::log_write& w) {
  if (w.vote) state.vote = *w.vote;
  if (w.snapshot) {
    state.snapshot = w.snapshot;
    state.first = w.snapshot->index + 1;
    state.entries.clear();
  }
  if (!w.entries.empty()) {
    state.entries.resize(w.first - state.first);
    state.entries.insert(state.entries.end(), w.entries.begin(), w.entries.end());
  }
  if (!w.compaction) return;
  state.snapshot = w.compaction->record;
  state.entries.erase(state.entries.begin(),
                      state.entries.begin() + static_cast<std::ptrdiff_t>(w.compaction->keep - state.first));
  state.first = w.compaction->keep;
}

cluster::raft::stored_state log_after(std::uint64_t batches) {
  namespace raft = cluster::raft;
  raft::stored_state state;
  state.vote = {3, 1};
  state.first = 5;
  state.snapshot = raft::snapshot_record{8, 2, {{{1, raft::server_role::voter}}}, 1};
  for (int i = 0; i < 20; ++i)
    state.entries.push_back({i < 10 ? raft::term_t{2} : raft::term_t{3}, raft::entry_kind::command,
                             raft::share("older " + std::to_string(i) + std::string(std::size_t(i) * 50, 'o'))});
  for (std::uint64_t batch = 1; batch <= batches; ++batch) apply_to(state, log_batch(batch, state));
  return state;
}

expectation expect(const std::vector<step>& plan, std::size_t done, bool next_begun) {
  expectation e;
  for (std::size_t i = 0; i < done; ++i) {
    for (const auto n : plan[i].chunks) {
      if (plan[i].kind == step_kind::write)
        e.present.insert(n);
      else
        e.present.erase(n);
    }
    if (plan[i].kind == step_kind::commit) e.batches_min = plan[i].batch;
    if (plan[i].kind == step_kind::append) e.log_min = plan[i].batch;
    if (plan[i].kind == step_kind::enter) e.member_min = plan[i].batch;
    e.has_log = true; // it is the first step
  }
  e.batches_max = e.batches_min;
  e.log_max = e.log_min;
  e.member_max = e.member_min;
  if (!next_begun || done >= plan.size()) return e;
  for (const auto n : plan[done].chunks) {
    e.present.erase(n);
    e.perhaps.insert(n);
  }
  if (plan[done].kind == step_kind::commit) e.batches_max = plan[done].batch;
  if (plan[done].kind == step_kind::append) e.log_max = plan[done].batch;
  if (plan[done].kind == step_kind::enter) e.member_max = plan[done].batch;
  return e;
}

} // namespace cairn::crash
