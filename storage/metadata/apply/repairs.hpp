// What nodes have not confirmed, within a batch. A repair is written by the commit that was acknowledged without that
// node, and goes when the node has confirmed the chunks or the blob is reaped. It has two rows, one to be found by node
// and one by blob, and the group counts them.
#pragma once

#include "storage/metadata/apply/batch.hpp"

namespace cairn::storage::metadata {

// Why these can't be what `chunks` chunks of a blob lack, or nothing.
std::optional<error> malformed(const std::vector<missing_chunks>& unconfirmed, std::uint32_t chunks);

class repair_ledger {
public:
  explicit repair_ledger(batch& b) : b_(b) {}

  void add(const repair_row& repair);
  void confirm(const repair_row& repair); // nothing when it is not there, or is about more chunks
  void drop(const blob_id& blob);
  void give_up(const lost_chunks& lost); // a row of `nobody`
  // The partitions of which the node may lack chunks; nothing when it lacks more than can be looked at.
  std::optional<std::vector<bool>> lacking(node_number node);

private:
  void erase(const repair_row& repair);

  batch& b_;
};

std::string encode_repair(const missing_chunks& missing); // the value of both rows
// Of a key that begins with `prefix` = repairs_of(node) or repairs_of(blob).
result<repair_row> decode_repair(node_number node, std::string_view rest_of_key, std::string_view value);
result<repair_row> decode_repair(const blob_id& blob, std::string_view rest_of_key, std::string_view value);

} // namespace cairn::storage::metadata
