// The queries of a snapshot about membership and placement.
#include "storage/metadata/apply/repairs.hpp"
#include "storage/metadata/read/snapshot.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

result<cluster_row> snapshot::cluster() {
  return load<cluster_row>(table::cluster, keys_.cluster(), decode_cluster, {errc::not_found, "there is no cluster"});
}

result<std::vector<node_row>> snapshot::nodes() {
  return scan(table::nodes, keys_.nodes(), decode_node);
}

result<admission_rows> snapshot::admission() {
  const auto row = cluster();
  if (!row) return row.error();
  auto invited = scan(table::nodes, keys_.invitations(), decode_invitation);
  if (!invited) return invited.error();
  admission_rows out{row->created, kv_->get(id_of(table::nodes), keys_.founded()).has_value(), std::move(*invited)};
  if (auto good = kv_->status(); !good) return good.error();
  return out;
}

result<node_row> snapshot::node(const uuid& id) {
  const error missing{errc::not_found, "no such node"};
  const auto bytes = kv_->get(id_of(table::nodes), keys_.node_id(id));
  if (auto good = kv_->status(); !good) return good.error();
  if (!bytes) return missing;
  byte_reader r{*bytes};
  const std::uint64_t number = r.u64();
  if (!r.finished() || number >= nodes_max) return error{errc::corrupt, "number of a node does not follow its grammar"};
  return load<node_row>(table::nodes, keys_.node(static_cast<node_number>(number)), decode_node, missing);
}

result<owners_page> snapshot::owners(std::uint16_t page) {
  return load<owners_page>(table::owners, keys_.owners(page), decode_owners,
                           {errc::not_found, "no owners of partitions " + std::to_string(page)});
}

result<std::vector<repair_row>> snapshot::repairs(node_number node, const std::optional<repair_row>& after,
                                                  std::size_t max) {
  const std::string prefix = keys_.repairs_of(node);
  // The smallest key after that of `after`: one more byte.
  const std::string from =
      after ? keys_.repair_by_node({after->blob, {.node = node, .first = after->missing.first}}) + '\0' : prefix;
  return scan<repair_row>(
      table::repairs, prefix, from, max,
      [node](std::string_view rest_of_key, std::string_view value) { return decode_repair(node, rest_of_key, value); });
}

result<std::vector<repair_row>> snapshot::repairs_of(const blob_id& blob, std::size_t max) {
  const std::string prefix = keys_.repairs_of(blob);
  return scan<repair_row>(
      table::repairs, prefix, prefix, max,
      [&](std::string_view rest_of_key, std::string_view value) { return decode_repair(blob, rest_of_key, value); });
}

std::uint64_t snapshot::repairs_waiting() {
  return meta(meta_field::repairs) - meta(meta_field::given_up);
}

result<layout_epoch> snapshot::acknowledged_epoch() {
  const auto present = cluster();
  if (!present && !(present.error() == errc::not_found)) return present.error();
  layout_epoch lowest = present ? present->epoch : 0;
  const auto live =
      scan<session_id>(table::sessions, keys_.live_sessions(), keys_.live_sessions(), ~std::size_t{0},
                       [](std::string_view, std::string_view value) -> result<session_id> {
                         byte_reader r{value};
                         const session_id id = r.u64();
                         if (!r.finished())
                           return error{errc::corrupt, "row of a live session does not follow its grammar"};
                         return id;
                       });
  if (!live) return live.error();
  for (const session_id id : *live) {
    const auto session = load<session_row>(table::sessions, keys_.session(id), decode_session,
                                           {errc::corrupt, "a live session has no row"});
    if (!session) return session.error();
    lowest = std::min(lowest, session->acknowledged_epoch);
  }
  return lowest;
}

} // namespace cairn::storage::metadata
