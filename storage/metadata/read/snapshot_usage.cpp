#include "storage/metadata/read/snapshot.hpp"

namespace cairn::storage::metadata {

result<std::optional<usage_state>> snapshot::counting() {
  if (counting_) return *counting_;
  auto state = load<usage_state>(table::meta, keys_.meta(meta_field::usage), decode_usage_state, {errc::not_found});
  if (!state && state.error() != errc::not_found) return state.error();
  counting_.emplace();
  // Otherwise later batches were applied without counting.
  if (state && state->index == applied()) *counting_ = std::move(*state);
  return *counting_;
}

result<std::optional<usage>> snapshot::usage_of(bucket_id bucket) {
  const auto state = counting();
  if (!state) return state.error();
  if (!*state || (*state)->scan.bucket == bucket) return std::optional<usage>{};
  const auto row = load<usage_row>(table::meta, keys_.usage(bucket), decode_usage, {errc::not_found});
  if (!row && row.error() != errc::not_found) return row.error();
  if (!row || row->era != (*state)->era) return std::optional<usage>{};
  return std::optional{row->counted};
}

result<usage_totals> snapshot::total_usage() {
  const auto state = counting();
  if (!state) return state.error();
  const bool counts = level_in_force() >= feature_level_of_usage; // as in usage_ledger::begin
  if (auto good = kv_->status(); !good) return good.error();
  if (!*state || !counts) return usage_totals{.counts = counts};
  return usage_totals{(*state)->total, true, (*state)->scan.phase == usage_phase::done};
}

} // namespace cairn::storage::metadata
