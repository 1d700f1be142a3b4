#include "cluster/raft/raft_log.hpp"

#include "cluster/raft/raft_message.hpp"

namespace cairn::cluster::raft {

namespace {

using storage::byte_reader;
using storage::byte_writer;
using storage::kv_reader;
using storage::kv_writer;

constexpr std::uint8_t format_version = 1;
constexpr std::string_view record_key = "log";
constexpr std::size_t tidied_rows_max = 1024; // per transaction

std::string key_of(index_t index) {
  return byte_writer{8}.u64(index).take();
}

std::string row_of(const entry& e) {
  byte_writer w{e.view().size() + 12};
  w.u8(format_version).u8(static_cast<std::uint8_t>(e.kind)).varint(e.term).raw(e.view());
  return w.take();
}

error broken(std::string what) {
  return {errc::corrupt, "consensus log: " + std::move(what)};
}

// `bytes`: whether to copy a command's bytes.
result<entry> entry_of(const storage::kv_pair& row, index_t expected, bool bytes) {
  byte_reader key{row.key}, r{row.value};
  const index_t index = key.u64();
  if (!key.finished() || index != expected) return broken("entry " + std::to_string(expected) + " is missing");
  const std::uint8_t version = r.u8();
  if (r.ok() && version > format_version) return error{errc::unsupported, "consensus log of a newer version"};
  const std::uint8_t kind = r.u8();
  entry e;
  e.term = r.varint();
  if (!r.ok() || version != format_version || kind < 1 || kind > 3 || e.term == 0)
    return broken("entry " + std::to_string(expected) + " does not decode");
  e.kind = static_cast<entry_kind>(kind);
  if (bytes || e.kind != entry_kind::command) e.bytes = share(std::string{r.rest()});
  return e;
}

index_t index_of(std::string_view key) {
  return byte_reader{key}.u64();
}

} // namespace

raft_log::raft_log(storage::kv_engine& engine, storage::table_id first_table)
    : engine_(engine), records_(first_table), entries_(static_cast<storage::table_id>(first_table + 1)) {}

result<raft_log::record> raft_log::read_record(kv_reader& kv) const {
  const auto row = kv.get(records_, record_key);
  if (auto good = kv.status(); !good) return good.error();
  if (!row) return record{};
  byte_reader r{*row};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > format_version) return error{errc::unsupported, "consensus log of a newer version"};
  record out;
  out.vote.term = r.varint();
  out.vote.vote = r.varint();
  out.first = r.varint();
  if (r.boolean()) {
    snapshot_record s;
    s.index = r.varint();
    s.term = r.varint();
    s.servers_index = r.varint();
    const auto servers = decode_configuration(r.string());
    if (!servers) return servers.error();
    s.servers = *servers;
    out.snapshot = std::move(s);
  }
  if (!r.finished() || version != format_version || out.first == 0) return broken("its record does not decode");
  return out;
}

void raft_log::put_record(kv_writer& kv, const record& r) const {
  byte_writer w{64};
  w.u8(format_version).varint(r.vote.term).varint(r.vote.vote).varint(r.first).boolean(r.snapshot.has_value());
  if (r.snapshot)
    w.varint(r.snapshot->index)
        .varint(r.snapshot->term)
        .varint(r.snapshot->servers_index)
        .string(encode(r.snapshot->servers));
  kv.put(records_, record_key, w.view());
}

result<stored_state> raft_log::load(index_t applied) {
  auto kv = engine_.begin_read();
  if (!kv) return kv.error();
  auto r = read_record(**kv);
  if (!r) return r.error();
  stored_state out{r->vote, std::move(r->snapshot), r->first, {}};
  const auto cursor = (*kv)->cursor(entries_);
  index_t next = out.first;
  for (auto row = cursor->seek(key_of(next)); row; row = cursor->next(), ++next) {
    auto e = entry_of(*row, next, next > applied);
    if (!e) return e.error();
    out.entries.push_back(std::move(*e));
    if (!out.snapshot || next > out.snapshot->index) out.bytes += row->value.size();
  }
  if (auto good = (*kv)->status(); !good) return good.error();
  return out;
}

result<void> raft_log::begin(const stored_state& first) {
  auto kv = engine_.begin_write();
  if (!kv) return kv.error();
  if ((*kv)->get(records_, record_key)) return error{errc::invalid_argument, "a consensus log already exists"};
  put_record(**kv, {first.vote, first.first, first.snapshot});
  for (std::size_t i = 0; i < first.entries.size(); ++i)
    (*kv)->put(entries_, key_of(first.first + i), row_of(first.entries[i]));
  return (*kv)->commit();
}

void raft_log::erase_from(kv_writer& kv, index_t index) const {
  const auto cursor = kv.cursor(entries_);
  for (auto row = cursor->seek(key_of(index)); row; row = cursor->next()) {
    const std::string key{row->key};
    kv.erase(entries_, key);
  }
}

void raft_log::tidy(kv_writer& kv, const record& r) const {
  const auto cursor = kv.cursor(entries_);
  std::size_t removed = 0;
  for (auto row = cursor->seek({}); row && removed < tidied_rows_max; row = cursor->next(), ++removed) {
    if (index_of(row->key) >= r.first) return;
    const std::string key{row->key};
    kv.erase(entries_, key);
  }
}

void raft_log::apply(kv_writer& kv, record& r, const log_write& w) const {
  if (w.vote) r.vote = *w.vote;
  if (w.snapshot) {
    r.snapshot = *w.snapshot;
    r.first = w.snapshot->index + 1;
    erase_from(kv, r.first); // `tidy` removes the entries before
  }
  if (!w.entries.empty()) {
    erase_from(kv, w.first);
    for (std::size_t i = 0; i < w.entries.size(); ++i) kv.put(entries_, key_of(w.first + i), row_of(w.entries[i]));
  }
  if (w.compaction) {
    r.snapshot = w.compaction->record;
    r.first = std::max(r.first, w.compaction->keep);
  }
}

result<void> raft_log::write(std::span<const log_write> batch) {
  auto kv = engine_.begin_write();
  if (!kv) return kv.error();
  auto r = read_record(**kv);
  if (!r) return r.error();
  bool changes_record = false;
  for (const auto& w : batch) {
    apply(**kv, *r, w);
    changes_record = changes_record || w.vote || w.snapshot || w.compaction;
  }
  if (changes_record) put_record(**kv, *r);
  tidy(**kv, *r);
  return (*kv)->commit();
}

result<std::vector<entry>> raft_log::read(index_t first, std::size_t count, std::size_t bytes_max) const {
  auto kv = engine_.begin_read();
  if (!kv) return kv.error();
  auto r = read_record(**kv);
  if (!r) return r.error();
  std::vector<entry> out;
  if (first < r->first) return out;
  const auto cursor = (*kv)->cursor(entries_);
  std::size_t bytes = 0;
  for (auto row = cursor->seek(key_of(first)); row && out.size() < count; row = cursor->next()) {
    if (out.empty() && index_of(row->key) != first) break;
    auto e = entry_of(*row, first + out.size(), true);
    if (!e) return e.error();
    bytes += encoded_bytes_max(*e);
    if (!out.empty() && bytes > bytes_max) break;
    out.push_back(std::move(*e));
  }
  if (auto good = (*kv)->status(); !good) return good.error();
  return out;
}

} // namespace cairn::cluster::raft
