// Repairs within a batch: chunks that a node has not confirmed. A commit that was acknowledged without the node adds
// the repair; it is removed when the node has confirmed the chunks or the blob is reaped. Each repair has two rows, one
// found by node and one found by blob, and the group counts the repairs.
#pragma once

#include "storage/metadata/apply/batch.hpp"

namespace cairn::storage::metadata {

// invalid_argument if the list is not valid for a blob of `chunks` chunks, else nullopt.
std::optional<error> malformed(const std::vector<missing_chunks>& unconfirmed, std::uint32_t chunks);

class repair_ledger {
public:
  explicit repair_ledger(batch& b) : b_(b) {}

  void add(const repair_row& repair);
  void confirm(const repair_row& repair); // no effect if there is no such repair, or if it has more chunks
  void drop(const blob_id& blob);
  void give_up(const lost_chunks& lost); // adds a repair of node `nobody`
  // By partition, whether the node may lack chunks; nullopt if its repairs have too many chunks to examine.
  std::optional<std::vector<bool>> lacking(node_number node);

private:
  void erase(const repair_row& repair);

  batch& b_;
};

std::string encode_repair(const missing_chunks& missing); // the value of both rows
// `rest_of_key`: the key after its prefix, which is repairs_of(node) or repairs_of(blob).
result<repair_row> decode_repair(node_number node, std::string_view rest_of_key, std::string_view value);
result<repair_row> decode_repair(const blob_id& blob, std::string_view rest_of_key, std::string_view value);

} // namespace cairn::storage::metadata
