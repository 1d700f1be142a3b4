#include "tests/crash/recovery_check.hpp"

#include "cluster/raft/log/older_log.hpp"
#include "storage/chunks/disk_identity.hpp"
#include "tests/crash/member_pair.hpp"

#include <array>
#include <filesystem>

namespace cairn::crash {

namespace {

constexpr std::uint64_t chunks_max = 64, new_chunk = 1000;

class recovery {
public:
  recovery(const std::string& root, const expectation& promised, bool lose_index)
      : root_(root), promised_(promised), lose_index_(lose_index) {}

  std::vector<std::string> run() {
    check_disk_and_chunks();
    check_metadata();
    check_log();
    check_member();
    return std::move(problems_);
  }

private:
  template <class T>
  bool good(const result<T>& outcome, const std::string& what) {
    if (!outcome) problems_.push_back(what + ": " + to_string(outcome.error()));
    return outcome.has_value();
  }

  result<std::unique_ptr<storage::kv_engine>> open_index() const {
    return storage::open_lmdb(
        {.directory = storage::index_directory(disk_directory(root_)), .tables = storage::chunk_index_tables});
  }

  void check_disk_and_chunks() {
    auto& files = posix_file_system();
    if (!good(files.make_directories(disk_directory(root_)), "directory")) return;
    const auto options = store_options(root_);
    if (lose_index_) std::filesystem::remove_all(storage::index_directory(options.directory));
    auto index = open_index();
    if (!good(index, "index")) return;
    if (lose_index_ && std::filesystem::exists(options.directory + "/disk"))
      if (!good(storage::rebuild_index(options, files, **index, {}), "rebuilding")) return;
    {
      const auto store = storage::chunk_store::open(options, files, **index, system_random());
      if (!good(store, "store")) return;
      for (std::uint64_t n = 0; n < chunks_max; ++n) check_chunk(**store, n);
      const auto bytes = chunk_bytes(new_chunk);
      const storage::chunk_write write{chunk_name(new_chunk), bytes};
      good((*store)->write(std::span{&write, 1}).front(), "a new chunk");
    }
    const auto report = storage::check_disk(options, files, **index, true, {});
    if (!good(report, "check")) return;
    problems_.insert(problems_.end(), report->problems.begin(), report->problems.end());
  }

  void check_chunk(storage::chunk_store& store, std::uint64_t n) {
    const auto expected = chunk_bytes(n);
    std::vector<std::byte> into(expected.size());
    const auto got = store.read(chunk_name(n), 0, static_cast<std::uint32_t>(into.size()), into.data());
    const auto name = "chunk " + std::to_string(n);
    if (got && (got->chunk_length != expected.size() || into != expected)) {
      problems_.push_back(name + ": wrong bytes");
    } else if (promised_.present.contains(n)) {
      good(got, name + ", acknowledged");
    } else if (lose_index_ && !promised_.perhaps.contains(n)) {
      // Deleted, and its hole half made: a rebuilt index has it again, whole or not, until the walk deletes it.
      good(store.erase(std::array{chunk_name(n)}), name + ", deleted again");
    } else if (!got && got.error() != errc::not_found) {
      good(got, name + ", not acknowledged");
    } else if (got && !promised_.perhaps.contains(n)) {
      problems_.push_back(name + ": is back");
    }
  }

  void check_metadata() {
    const auto engine = storage::open_lmdb(storage::metadata::engine_options(metadata_directory(root_)));
    if (!good(engine, "metadata engine")) return;
    const auto store = storage::metadata::store::open(**engine);
    if (!good(store, "metadata")) return;
    const auto view = (*store)->read();
    if (!good(view, "metadata view")) return;
    const auto applied = (*view)->applied();
    if (applied < promised_.batches_min || applied > promised_.batches_max) {
      problems_.push_back("metadata shows batch " + std::to_string(applied) + " of " +
                          std::to_string(promised_.batches_min));
      return;
    }
    check_objects(**view, applied, "metadata");
  }

  void check_objects(storage::metadata::view& view, std::uint64_t batches, const std::string& of) {
    if (batches == 0) return;
    const auto expected = objects_after(batches);
    const auto listing = view.list({.bucket = bucket, .prefix = {}, .delimiter = {}, .start_after = {}});
    if (!good(listing, of + ": listing")) return;
    if (listing->objects.size() != expected.size()) problems_.push_back(of + ": wrong number of objects");
    for (const auto& [key, content] : expected) {
      const auto row = view.object(bucket, key);
      if (!good(row, of + ": object " + key)) continue;
      const auto bytes = view.inline_bytes(*row);
      if (good(bytes, of + ": bytes of " + key) && *bytes != content)
        problems_.push_back(of + ": object " + key + ": wrong bytes");
    }
  }

  // What was acknowledged is in the log or in the state's file.
  void check_member() {
    if (!good(posix_file_system().make_directories(member_directory(root_)), "directory")) return;
    member_pair member{root_, system_random()};
    if (!good(member.open(), "member")) return;
    const auto batches = member.batches();
    if (batches < promised_.member_min || batches > promised_.member_max) {
      problems_.push_back("member: batch " + std::to_string(batches) + " of " + std::to_string(promised_.member_min));
      return;
    }
    if (!good(member.settle(), "member: commit")) return;
    const auto view = member.state().read();
    if (good(view, "member: view")) check_objects(**view, batches, "member");
  }

  static bool equal(const cluster::raft::stored_state& a, const cluster::raft::stored_state& b) {
    const auto same = [](const auto& x, const auto& y) { return x.term == y.term && x.view() == y.view(); };
    return a.first == b.first && a.snapshot->index == b.snapshot->index && a.snapshot->term == b.snapshot->term &&
           std::ranges::equal(a.entries, b.entries, same);
  }
  static bool equal(const cluster::raft::vote_record& a, const cluster::raft::vote_record& b) {
    return a.term == b.term && a.vote == b.vote;
  }

  // The vote of a write is flushed before its records.
  void check_log() {
    namespace raft = cluster::raft;
    auto& files = posix_file_system();
    const auto directory = log_directory(root_);
    if (!good(files.make_directories(directory), "directory of the log")) return;
    auto& random = system_random();
    if (!good(raft::convert_older_log(files, directory, random), "conversion of the log")) return;
    raft::raft_log log{files, directory, random, log_options()};
    auto now = log.load(0);
    if (!good(now, "log")) return;
    if (!promised_.has_log && !now->snapshot && now->entries.empty()) {
      good(log.begin(log_after(0)), "begin of the log");
      return;
    }
    auto before = log_after(promised_.log_min), after = log_after(promised_.log_max);
    const bool is_before = now->snapshot && equal(*now, before), is_after = now->snapshot && equal(*now, after);
    if (!is_after && !is_before) problems_.push_back("log: not what was written");
    if (!equal(now->vote, after.vote) && !(is_before && equal(now->vote, before.vote)))
      problems_.push_back("log: another vote");
    if (!problems_.empty()) return;
    raft::log_write w;
    w.first = now->first + now->entries.size();
    w.entries.push_back({now->vote.term, raft::entry_kind::command, raft::share("new")});
    w.vote = raft::vote_record{now->vote.term + 1, 1};
    if (!good(log.write({&w, 1}), "a new entry")) return;
    const auto again = raft::raft_log{files, directory, random, log_options()}.load(0);
    if (!good(again, "log, again")) return;
    if (again->entries.size() != now->entries.size() + 1 || again->vote.term != w.vote->term)
      problems_.push_back("log: a new entry is not there");
  }

  const std::string& root_;
  const expectation& promised_;
  const bool lose_index_;
  std::vector<std::string> problems_;
};

} // namespace

std::vector<std::string> check_recovery(const std::string& root, const expectation& promised, bool lose_index) {
  return recovery{root, promised, lose_index}.run();
}

} // namespace cairn::crash
