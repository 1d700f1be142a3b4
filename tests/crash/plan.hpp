// The workload as a plan that both sides derive from a seed: what the workload does, and what must be there afterwards.
#pragma once

#include "cluster/raft/log/raft_log.hpp"
#include "storage/chunks/chunk_store.hpp"
#include "storage/metadata/store.hpp"

#include <map>
#include <set>

namespace cairn::crash {

// older_log: a log as older builds kept it is made, which the next `open` converts.
// enter, settle: of a member's log and state (tests/crash/member_pair.hpp).
enum class step_kind : std::uint8_t { older_log, open, write, erase, punch, commit, append, enter, settle };

struct step {
  step_kind kind{};
  std::vector<std::uint64_t> chunks; // write, erase
  std::uint64_t batch = 0; // commit, append, enter: number of the batch of the metadata, log or member, from 1
};

std::vector<step> make_plan(std::uint64_t seed, std::size_t length);

// Directories below the root of the trace.
std::string disk_directory(const std::string& root);
std::string metadata_directory(const std::string& root);
std::string log_directory(const std::string& root);
std::string member_directory(const std::string& root);
storage::chunk_store_options store_options(const std::string& root);
cluster::raft::log_options log_options();

chunk_id chunk_name(std::uint64_t chunk);
std::vector<std::byte> chunk_bytes(std::uint64_t chunk); // always the same for a chunk

// Batch 1 makes the session and the bucket, later ones put and delete objects with inline bytes.
constexpr const char* bucket = "crash";
std::vector<storage::metadata::command> metadata_batch(std::uint64_t batch, session_id session);

// The consensus log: what a batch writes, and what the log has after so many; 0: the converted one.
cluster::raft::log_write log_batch(std::uint64_t batch, const cluster::raft::stored_state& before);
cluster::raft::stored_state log_after(std::uint64_t batches);
void apply_to(cluster::raft::stored_state& state, const cluster::raft::log_write& w);

// What the plan promises after some of its steps.
struct expectation {
  std::set<std::uint64_t> present, perhaps; // chunks: whole; whole or absent. All others are absent.
  std::uint64_t batches_min = 0, batches_max = 0;
  std::uint64_t log_min = 0, log_max = 0;
  std::uint64_t member_min = 0, member_max = 0; // batches
  bool has_log = false;
};
expectation expect(const std::vector<step>& plan, std::size_t done, bool next_begun);
std::map<std::string, std::string> objects_after(std::uint64_t batches); // key → content

} // namespace cairn::crash
