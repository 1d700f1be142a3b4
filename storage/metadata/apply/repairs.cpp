#include "storage/metadata/apply/repairs.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t repair_version = 1;

result<repair_row> with_count(repair_row row, bool good_key, std::string_view value) {
  byte_reader r{value};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > repair_version)
    return error{errc::unsupported, "repair row of version " + std::to_string(version)};
  row.missing.count = r.varint32();
  if (!good_key || version != repair_version || !r.finished())
    return error{errc::corrupt, "repair row does not follow its grammar"};
  return row;
}

} // namespace

std::optional<error> malformed(const std::vector<missing_chunks>& unconfirmed, std::uint32_t chunks) {
  const error bad{errc::invalid_argument, "bad list of unconfirmed chunks"};
  if (unconfirmed.size() > missing_chunks_max) return bad;
  const missing_chunks* before = nullptr;
  for (const missing_chunks& m : unconfirmed) {
    if (m.count == 0 || m.first >= chunks || m.count > chunks - m.first) return bad;
    if (before != nullptr && before->node >= m.node &&
        (before->node > m.node || before->first + before->count > m.first))
      return bad;
    before = &m;
  }
  return std::nullopt;
}

std::string encode_repair(const missing_chunks& missing) {
  return byte_writer{8}.u8(repair_version).varint(missing.count).take();
}

result<repair_row> decode_repair(node_number node, std::string_view rest_of_key, std::string_view value) {
  byte_reader key{rest_of_key};
  repair_row row{.missing = {.node = node}};
  row.blob = read_blob_id(key);
  row.missing.first = key.u32();
  return with_count(row, key.finished(), value);
}

result<repair_row> decode_repair(const blob_id& blob, std::string_view rest_of_key, std::string_view value) {
  byte_reader key{rest_of_key};
  repair_row row{.blob = blob};
  row.missing.node = key.u16();
  row.missing.first = key.u32();
  return with_count(row, key.finished(), value);
}

void repair_ledger::add(const repair_row& repair) {
  const std::string value = encode_repair(repair.missing);
  b_.put(table::repairs, b_.keys.repair_by_node(repair), value);
  b_.put(table::repairs, b_.keys.repair_by_blob(repair), value);
  b_.count_repair(repair.missing.node, true);
}

void repair_ledger::give_up(const lost_chunks& lost) {
  const repair_row row{.blob = lost.blob, .missing = {.node = nobody, .first = lost.first, .count = lost.count}};
  const auto value = b_.kv.get(id_of(table::repairs), b_.keys.repair_by_blob(row));
  if (!value) return add(row);
  byte_reader rest{*value};
  rest.u8();
  if (rest.varint32() >= lost.count) return;
  b_.put(table::repairs, b_.keys.repair_by_node(row), encode_repair(row.missing));
  b_.put(table::repairs, b_.keys.repair_by_blob(row), encode_repair(row.missing));
}

void repair_ledger::erase(const repair_row& repair) {
  const bool by_node = b_.erase(table::repairs, b_.keys.repair_by_node(repair));
  const bool by_blob = b_.erase(table::repairs, b_.keys.repair_by_blob(repair));
  if (!by_node || !by_blob) b_.fail({errc::corrupt, "a repair of blob " + to_string(repair.blob) + " has lost a row"});
  b_.count_repair(repair.missing.node, false);
}

void repair_ledger::confirm(const repair_row& repair) {
  const auto value = b_.kv.get(id_of(table::repairs), b_.keys.repair_by_node(repair));
  if (!value) return;
  const auto present = b_.unwrap(decode_repair(
      repair.missing.node,
      byte_writer{20}.u64(repair.blob.session).u64(repair.blob.number).u32(repair.missing.first).view(), *value));
  if (present && present->missing.count <= repair.missing.count) erase(repair);
}

void repair_ledger::drop(const blob_id& blob) {
  if (b_.repairs() == 0) return;
  const std::string prefix = b_.keys.repairs_of(blob);
  const auto cursor = b_.kv.cursor(id_of(table::repairs));
  for (auto found = cursor->seek(prefix); found && found->key.starts_with(prefix); found = cursor->next()) {
    const auto row = b_.unwrap(decode_repair(blob, found->key.substr(prefix.size()), found->value));
    if (!row) return;
    erase(*row);
  }
}

std::optional<std::vector<bool>> repair_ledger::lacking(node_number node) {
  constexpr std::uint64_t chunks_max = 65536;
  std::vector<bool> partitions(partition_count);
  if (b_.repairs() == 0) return partitions;
  std::uint64_t chunks = 0;
  const std::string prefix = b_.keys.repairs_of(node);
  const auto cursor = b_.kv.cursor(id_of(table::repairs));
  for (auto found = cursor->seek(prefix); found && found->key.starts_with(prefix); found = cursor->next()) {
    const auto row = b_.unwrap(decode_repair(node, found->key.substr(prefix.size()), found->value));
    if (!row) break;
    chunks += row->missing.count;
    if (chunks > chunks_max) return std::nullopt;
    for (std::uint32_t i = 0; i < row->missing.count; ++i)
      partitions[partition_of({row->blob, row->missing.first + i})] = true;
  }
  return partitions;
}

} // namespace cairn::storage::metadata
