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
  std::vector<step> plan{{step_kind::open, {}, 0}};
  std::uint64_t batches = 0;
  while (plan.size() < length) {
    const auto what = random() % 100;
    if (what < 35 && !absent.empty()) {
      plan.push_back({step_kind::write, draw(absent, random() % 4 + 1, random), 0});
      for (const auto n : plan.back().chunks) absent.erase(n), present.insert(n);
    } else if (what < 55 && !present.empty()) {
      plan.push_back({step_kind::erase, draw(present, random() % 4 + 1, random), 0});
      for (const auto n : plan.back().chunks) present.erase(n), absent.insert(n);
    } else if (what < 75) {
      plan.push_back({step_kind::punch, {}, 0});
    } else if (what < 95) {
      plan.push_back({step_kind::commit, {}, ++batches});
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

storage::chunk_store_options store_options(const std::string& root) {
  return {.directory = disk_directory(root), .segment_size_bytes = 256 * 1024, .reserve_bytes = 1};
}

storage::chunk_id chunk_name(std::uint64_t chunk) {
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

std::vector<storage::metadata::command> metadata_batch(std::uint64_t batch, storage::session_id session) {
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
  }
  e.batches_max = e.batches_min;
  if (!next_begun || done >= plan.size()) return e;
  for (const auto n : plan[done].chunks) {
    e.present.erase(n);
    e.perhaps.insert(n);
  }
  if (plan[done].kind == step_kind::commit) e.batches_max = plan[done].batch;
  return e;
}

} // namespace cairn::crash
