#include "cluster/raft/log/older_log.hpp"

#include "base/log.hpp"
#include "cluster/raft/log/log_marker.hpp"
#include "cluster/raft/raft_message.hpp"

namespace cairn::cluster::raft {

namespace {

constexpr std::uint8_t older_version = 1;
constexpr std::string_view record_key = "log";
constexpr storage::table_id records_table = 0, entries_table = 1;

error not_readable(std::string what) {
  return {errc::corrupt, "consensus log: " + std::move(what)};
}

error newer() {
  return {errc::unsupported, "consensus log of a newer version"};
}

result<entry> entry_of(const storage::kv_pair& row, index_t expected) {
  byte_reader key{row.key}, r{row.value};
  const index_t index = key.u64();
  if (!key.finished() || index != expected) return not_readable("entry " + std::to_string(expected) + " is missing");
  const std::uint8_t version = r.u8();
  if (r.ok() && version > older_version) return newer();
  const std::uint8_t kind = r.u8();
  entry e;
  e.term = r.varint();
  if (!r.ok() || version != older_version || kind < 1 || kind > 3 || e.term == 0)
    return not_readable("entry " + std::to_string(expected) + " does not decode");
  e.kind = static_cast<entry_kind>(kind);
  e.bytes = share(std::string{r.rest()});
  return e;
}

result<stored_state> read_record(storage::kv_reader& kv) {
  const auto row = kv.get(records_table, record_key);
  if (auto good = kv.status(); !good) return good.error();
  if (!row) return stored_state{};
  byte_reader r{*row};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > older_version) return newer();
  stored_state out;
  out.vote.term = r.varint();
  out.vote.vote = r.varint();
  out.first = r.varint();
  if (r.boolean()) {
    auto& s = out.snapshot.emplace();
    s.index = r.varint();
    s.term = r.varint();
    s.servers_index = r.varint();
    const auto servers = decode_configuration(r.string());
    if (!servers) return servers.error();
    s.servers = *servers;
  }
  if (!r.finished() || version != older_version || out.first == 0) return not_readable("its record does not decode");
  return out;
}

result<void> remove_if_there(file_system& files, const std::string& path) {
  auto removed = files.remove(path);
  return !removed && removed.error() == errc::not_found ? result<void>{} : removed;
}

} // namespace

result<stored_state> read_older_log(storage::kv_engine& engine) {
  auto kv = engine.begin_read();
  if (!kv) return kv.error();
  auto out = read_record(**kv);
  if (!out) return out;
  const auto cursor = (*kv)->cursor(entries_table);
  index_t next = out->first;
  for (auto row = cursor->seek(byte_writer{8}.u64(next).view()); row; row = cursor->next(), ++next) {
    auto e = entry_of(*row, next);
    if (!e) return e.error();
    out->entries.push_back(std::move(*e));
  }
  if (auto good = (*kv)->status(); !good) return good.error();
  return out;
}

result<void> convert_older_log(file_system& files, const std::string& directory, random_source& random) {
  const auto marker = read_log_marker(files, directory);
  if (!marker) return marker.error();
  if (*marker != log_marker::older_log) return {};
  auto state = [&]() -> result<stored_state> {
    auto engine = storage::open_lmdb({.directory = directory, .tables = older_log_tables});
    if (!engine) return engine.error();
    return read_older_log(**engine);
  }();
  if (!state) return state.error();
  log::info("converting the consensus log of an older build",
            {{"directory", directory}, {"entries", state->entries.size()}});
  const auto names = files.list(directory); // what an interrupted conversion left
  if (!names) return names.error();
  for (const auto number : segment_numbers(*names))
    if (auto removed = files.remove(segment_path(directory, number)); !removed) return removed;
  if (auto removed = remove_if_there(files, directory + "/vote"); !removed) return removed;
  raft_log made{files, directory, random, {.converts = true}};
  if (state->vote.term != 0)
    if (auto begun = made.begin(*state); !begun) return begun;
  if (auto opened = made.check_vote(); !opened) return opened;
  if (auto replaced = write_log_marker(files, directory); !replaced) return replaced;
  return remove_if_there(files, directory + "/lock.mdb");
}

} // namespace cairn::cluster::raft
