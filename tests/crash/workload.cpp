// Runs a plan on the real store and the real LMDB and says before and after each step where it is. Under the shim,
// which records everything. Usage: crash_workload ROOT SAID-FILE SEED STEPS
#include "cluster/raft/log/older_log.hpp"
#include "cluster/raft/raft_message.hpp"
#include "storage/chunks/disk_identity.hpp"
#include "tests/crash/member_pair.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <optional>

#include <fcntl.h>
#include <unistd.h>

namespace {

using namespace cairn;
using namespace cairn::crash;

void must(bool good, const char* what, const error& e = {}) {
  if (good) return;
  std::fprintf(stderr, "crash_workload: %s: %s\n", what, to_string(e).c_str());
  std::_Exit(1); // what is open is not closed in order; the trace is refused anyway
}
template <class T>
T must(result<T> outcome, const char* what) {
  must(outcome.has_value(), what, outcome.has_value() ? error{} : outcome.error());
  return std::move(*outcome);
}

// Record of the same start, so that runs of a seed are alike.
class counting_random final : public random_source {
public:
  std::uint64_t next() override { return ++count_ * 0x9E3779B97F4A7C15ull; }

private:
  std::uint64_t count_ = 0;
};

class workload {
public:
  explicit workload(std::string root) : root_(std::move(root)) {}

  void run(const step& s) {
    switch (s.kind) {
      case step_kind::older_log: make_older_log(); break;
      case step_kind::open: open(); break;
      case step_kind::write: write(s.chunks); break;
      case step_kind::erase: erase(s.chunks); break;
      case step_kind::punch:
        must(store_->seal(3), "seal");
        must(store_->punch(3), "punch");
        break;
      case step_kind::commit: commit(s.batch); break;
      case step_kind::append: append(s.batch); break;
      case step_kind::enter: done(member_->enter(s.batch), "enter"); break;
      case step_kind::settle: done(member_->settle(), "settle"); break;
    }
  }

private:
  static void done(const result<void>& outcome, const char* what) {
    must(outcome.has_value(), what, outcome ? error{} : outcome.error());
  }

  void make_older_log() {
    const auto state = log_after(0);
    auto engine =
        must(storage::open_lmdb({.directory = log_directory(root_), .tables = cluster::raft::older_log_tables}),
             "older log");
    auto kv = must(engine->begin_write(), "older log");
    byte_writer record;
    record.u8(1).varint(state.vote.term).varint(state.vote.vote).varint(state.first).boolean(true);
    record.varint(state.snapshot->index).varint(state.snapshot->term).varint(state.snapshot->servers_index);
    record.string(encode(state.snapshot->servers));
    kv->put(0, "log", record.view());
    for (std::size_t i = 0; i < state.entries.size(); ++i) {
      const auto& e = state.entries[i];
      byte_writer row;
      row.u8(1).u8(static_cast<std::uint8_t>(e.kind)).varint(e.term).raw(e.view());
      kv->put(1, byte_writer{8}.u64(state.first + i).view(), row.view());
    }
    must(kv->commit().has_value(), "older log");
  }

  void open() {
    member_.reset();
    log_.reset();
    store_.reset();
    index_.reset();
    metadata_.reset();
    metadata_engine_.reset();
    auto& files = posix_file_system();
    must(files.make_directories(disk_directory(root_)).has_value(), "directory");
    index_ = must(storage::open_lmdb({.directory = storage::index_directory(disk_directory(root_)),
                                      .tables = storage::chunk_index_tables}),
                  "index");
    store_ = must(storage::chunk_store::open(store_options(root_), files, *index_, random_), "store");
    metadata_engine_ =
        must(storage::open_lmdb(storage::metadata::engine_options(metadata_directory(root_))), "metadata engine");
    metadata_ = must(storage::metadata::store::open(*metadata_engine_), "metadata");
    must(cluster::raft::convert_older_log(files, log_directory(root_), random_).has_value(), "conversion");
    log_ = std::make_unique<cluster::raft::raft_log>(files, log_directory(root_), random_, log_options());
    const auto stored = must(log_->load(0), "log");
    if (stored.vote.term == 0) must(log_->begin(log_state_).has_value(), "begin");
    member_ = std::make_unique<member_pair>(root_, random_);
    done(member_->open(), "member");
  }

  void write(const std::vector<std::uint64_t>& chunks) {
    std::vector<buffer_ptr> payloads; // of the pool: page-aligned, as uploads bring them
    std::vector<storage::chunk_write> batch;
    payloads.reserve(chunks.size());
    batch.reserve(chunks.size());
    for (const auto n : chunks) {
      const auto bytes = chunk_bytes(n);
      payloads.push_back(buffers_.try_acquire(bytes.size(), reservation::minimum));
      std::ranges::copy(bytes, payloads.back()->data());
      batch.push_back({chunk_name(n), {payloads.back()->data(), bytes.size()}});
    }
    for (const auto& answer : store_->write(batch))
      must(answer.has_value(), "write", answer.has_value() ? error{} : answer.error());
  }

  void erase(const std::vector<std::uint64_t>& chunks) {
    std::vector<chunk_id> ids;
    ids.reserve(chunks.size());
    for (const auto n : chunks) ids.push_back(chunk_name(n));
    must(must(store_->erase(ids), "erase") == ids.size(), "erase: missing chunks");
  }

  void commit(std::uint64_t batch) {
    const auto commands = metadata_batch(batch, session_);
    const auto applied = must(metadata_->apply(commands), "apply");
    must(applied.index == batch, "batch numbers");
    for (const auto& answer : applied.results)
      must(!answer.refused.has_value(), "command", answer.refused.value_or(error{}));
    if (batch == 1) session_ = applied.results.front().version;
  }

  void append(std::uint64_t batch) {
    const auto w = log_batch(batch, log_state_);
    done(log_->write({&w, 1}), "append");
    apply_to(log_state_, w);
  }

  const std::string root_;
  counting_random random_;
  cluster::raft::stored_state log_state_ = log_after(0);
  std::unique_ptr<cluster::raft::raft_log> log_;
  std::unique_ptr<storage::kv_engine> index_, metadata_engine_;
  buffer_pool buffers_{8 << 20};
  std::unique_ptr<storage::chunk_store> store_;
  std::unique_ptr<storage::metadata::store> metadata_;
  session_id session_ = 0;
  std::unique_ptr<member_pair> member_;
};

void say(int to, const std::string& line) {
  must(::write(to, line.data(), line.size()) > 0, "say");
}

} // namespace

int main(int count, char** arguments) {
  if (count != 5) return 2;
  const auto plan = make_plan(std::strtoull(arguments[3], nullptr, 10), std::strtoull(arguments[4], nullptr, 10));
  const int said = ::open(arguments[2], O_WRONLY | O_CREAT | O_APPEND, 0600);
  must(said >= 0, "say");
  workload work{arguments[1]};
  for (std::size_t i = 0; i < plan.size(); ++i) {
    say(said, "begin " + std::to_string(i) + "\n");
    work.run(plan[i]);
    say(said, "done " + std::to_string(i) + "\n");
  }
  return 0;
}
