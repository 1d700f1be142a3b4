// A write transaction that passes everything on to another one, but for its commit, which a subclass decides about: for
// engines that fail in tests and in the simulator. A plain class; used as the transaction that it wraps.
#pragma once

#include "storage/kv/kv.hpp"

#include <utility>

namespace cairn::storage {

class forwarding_writer : public kv_writer {
public:
  explicit forwarding_writer(std::unique_ptr<kv_writer> inner) : inner_(std::move(inner)) {}
  std::optional<std::string_view> get(table_id table, std::string_view key) override { return inner_->get(table, key); }
  std::unique_ptr<kv_cursor> cursor(table_id table) override { return inner_->cursor(table); }
  std::uint64_t entries(table_id table) override { return inner_->entries(table); }
  result<void> status() const override { return inner_->status(); }
  void put(table_id table, std::string_view key, std::string_view value) override { inner_->put(table, key, value); }
  bool erase(table_id table, std::string_view key) override { return inner_->erase(table, key); }

protected:
  std::unique_ptr<kv_writer> inner_;
};

} // namespace cairn::storage
