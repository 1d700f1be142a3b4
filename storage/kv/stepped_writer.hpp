// A writer for contents that are too large for one transaction: commits after every step_bytes and continues in a new
// transaction. For contents that nobody sees before they are complete (kv_engine::replace). `commit` makes the last
// step durable.
//
// A put may end a transaction, which invalidates views and cursors; so after a put, use only put and commit.
#pragma once

#include "storage/kv/kv.hpp"

namespace cairn::storage {

class stepped_writer final : public kv_writer {
public:
  using begin_function = std::function<result<std::unique_ptr<kv_writer>>()>;
  static constexpr std::size_t step_bytes = 16 << 20;

  stepped_writer(begin_function begin, std::size_t bytes = step_bytes) : begin_(std::move(begin)), step_bytes_(bytes) {
    renew();
  }

  std::optional<std::string_view> get(table_id table, std::string_view key) override {
    return now_ ? now_->get(table, key) : std::nullopt;
  }
  std::unique_ptr<kv_cursor> cursor(table_id table) override {
    CAIRN_ASSERT(now_ != nullptr);
    return now_->cursor(table);
  }
  std::uint64_t entries(table_id table) override { return now_ ? now_->entries(table) : 0; }
  result<void> status() const override { return now_ ? now_->status() : result<void>{failure_}; }
  void put(table_id table, std::string_view key, std::string_view value) override {
    if (!now_) return;
    now_->put(table, key, value);
    bytes_ += key.size() + value.size();
    if (bytes_ < step_bytes_) return;
    if (finish()) renew();
  }
  bool erase(table_id table, std::string_view key) override { return now_ && now_->erase(table, key); }
  result<void> commit() override {
    if (now_ && finish()) return {};
    return failure_;
  }

private:
  bool finish() {
    auto committed = now_->commit();
    now_.reset();
    if (!committed) failure_ = committed.error();
    return committed.has_value();
  }
  void renew() {
    bytes_ = 0;
    if (auto begun = begin_())
      now_ = std::move(*begun);
    else
      failure_ = begun.error();
  }

  const begin_function begin_;
  const std::size_t step_bytes_;
  std::unique_ptr<kv_writer> now_; // null: failed, or committed
  error failure_{errc::invalid_argument, "the transaction is over"};
  std::size_t bytes_ = 0;
};

} // namespace cairn::storage
