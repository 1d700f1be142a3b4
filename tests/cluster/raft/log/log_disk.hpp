// A consensus log on a disk in memory that fails, loses power and rots on request.
#pragma once

#include "base/files/memory_file_system.hpp"
#include "cluster/raft/log/log_check.hpp"
#include "cluster/raft/log/raft_log.hpp"
#include "cluster/raft/raft_core.hpp"
#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

namespace cairn::cluster::raft {

inline const std::string log_folder = "/log";

// Writes `count` commands of the term from `first` on; byte i of all is the same.
inline log_write entries(index_t first, term_t term, std::size_t count, std::size_t bytes = 3) {
  log_write w;
  w.first = first;
  for (std::size_t i = 0; i < count; ++i)
    w.entries.push_back(
        {term, entry_kind::command, share(std::string(bytes, static_cast<char>('a' + (first + i) % 26)))});
  return w;
}

struct log_disk {
  explicit log_disk(std::uint64_t seed = 1, std::uint64_t capacity = 1ull << 40) : random(seed), files(capacity) {}

  // As a new process opens it.
  raft_log& open() {
    options.damage = std::make_shared<storage::kv_damage>("test");
    log = std::make_unique<raft_log>(files, log_folder, random, options);
    return *log;
  }
  result<stored_state> load(index_t applied = 0) { return open().load(applied); }
  result<void> write(const log_write& w) { return log->write({&w, 1}); }
  void lose_power() {
    log.reset();
    files.set_fault({});
    files.crash(random);
  }
  std::vector<std::string> names() { return files.list(log_folder).value(); }
  std::string read_file(const std::string& name) {
    const auto file = files.open(log_folder + "/" + name, open_mode::read_only).value();
    return read_bytes(*file, 0, file->size().value()).value();
  }
  void flip(const std::string& name, std::uint64_t at, unsigned bit = 3) {
    files.flip_bit(log_folder + "/" + name, at * 8 + bit);
  }
  // Fails the nth operation of a kind from now on (1: the next one), and all that follow.
  void fail_at(std::uint64_t nth, errc code, std::function<bool(disk_operation)> counts) {
    files.set_fault([nth, code, counts = std::move(counts)](disk_operation o, const std::string&) mutable {
      if (!counts(o) || nth > 1) {
        if (counts(o)) --nth;
        return std::optional<error>{};
      }
      return std::optional{error{code, "as the test wants it"}};
    });
  }

  seeded_random random;
  memory_file_system files;
  log_options options{.segment_bytes = 64 << 10, .batch_bytes = 16 << 10};
  std::unique_ptr<raft_log> log;
};

inline std::vector<std::string> texts(const stored_state& s) {
  std::vector<std::string> out;
  for (const auto& e : s.entries) out.push_back(std::to_string(e.term) + ":" + std::string{e.view()});
  return out;
}

inline bool equal(const stored_state& a, const stored_state& b) {
  return a.vote.term == b.vote.term && a.vote.vote == b.vote.vote && a.first == b.first && texts(a) == texts(b) &&
         a.snapshot.has_value() == b.snapshot.has_value() &&
         (!a.snapshot || (a.snapshot->index == b.snapshot->index && a.snapshot->term == b.snapshot->term &&
                          a.snapshot->servers == b.snapshot->servers));
}

} // namespace cairn::cluster::raft
