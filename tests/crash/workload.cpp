// Runs a plan on the real store and the real LMDB and says before and after each step where it is. Under the shim,
// which records everything. Usage: crash_workload ROOT SAID-FILE SEED STEPS
#include "storage/chunks/disk_identity.hpp"
#include "tests/crash/plan.hpp"

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
class counting_random final : public storage::random_source {
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
      case step_kind::open: open(); break;
      case step_kind::write: write(s.chunks); break;
      case step_kind::erase: erase(s.chunks); break;
      case step_kind::punch: must(store_->punch(3), "punch"); break;
      case step_kind::commit: commit(s.batch); break;
    }
  }

private:
  void open() {
    store_.reset();
    index_.reset();
    metadata_.reset();
    metadata_engine_.reset();
    auto& files = storage::posix_file_system();
    must(files.make_directories(disk_directory(root_)).has_value(), "directory");
    index_ = must(storage::open_lmdb({.directory = storage::index_directory(disk_directory(root_)),
                                      .tables = storage::chunk_index_tables}),
                  "index");
    store_ = must(storage::chunk_store::open(store_options(root_), files, *index_, random_), "store");
    metadata_engine_ =
        must(storage::open_lmdb({.directory = metadata_directory(root_), .tables = storage::metadata::table_count}),
             "metadata engine");
    metadata_ = must(storage::metadata::store::open(*metadata_engine_), "metadata");
  }

  void write(const std::vector<std::uint64_t>& chunks) {
    std::vector<storage::buffer_ptr> payloads; // of the pool: page-aligned, as uploads bring them
    std::vector<storage::chunk_write> batch;
    payloads.reserve(chunks.size());
    batch.reserve(chunks.size());
    for (const auto n : chunks) {
      const auto bytes = chunk_bytes(n);
      payloads.push_back(buffers_.try_acquire(bytes.size(), storage::reservation::minimum));
      std::ranges::copy(bytes, payloads.back()->data());
      batch.push_back({chunk_name(n), {payloads.back()->data(), bytes.size()}});
    }
    for (const auto& answer : store_->write(batch))
      must(answer.has_value(), "write", answer.has_value() ? error{} : answer.error());
  }

  void erase(const std::vector<std::uint64_t>& chunks) {
    std::vector<storage::chunk_id> ids;
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

  const std::string root_;
  counting_random random_;
  std::unique_ptr<storage::kv_engine> index_, metadata_engine_;
  storage::buffer_pool buffers_{8 << 20};
  std::unique_ptr<storage::chunk_store> store_;
  std::unique_ptr<storage::metadata::store> metadata_;
  storage::session_id session_ = 0;
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
