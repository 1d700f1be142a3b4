// A memory engine whose transactions fail at the n-th operation after it was armed.
#pragma once

#include "storage/metadata/store.hpp"

namespace cairn::storage::metadata {

class failing_engine final : public kv_engine {
public:
  std::uint64_t left = ~std::uint64_t{0};

  result<std::unique_ptr<kv_reader>> begin_read() override {
    if (!step()) return broken();
    return std::unique_ptr<kv_reader>{new transaction(*this, nullptr, inner_->begin_read().value())};
  }
  result<std::unique_ptr<kv_writer>> begin_write() override {
    if (!step()) return broken();
    auto writer = inner_->begin_write().value();
    kv_writer* const raw = writer.get();
    return std::unique_ptr<kv_writer>{new transaction(*this, raw, std::move(writer))};
  }
  kv_engine& inner() { return *inner_; }

private:
  static error broken() { return {errc::io_error, "as the test wants"}; }
  bool step() { return left > 0 && --left > 0; }

  class transaction final : public kv_writer {
  public:
    transaction(failing_engine& e, kv_writer* writer, std::unique_ptr<kv_reader> kv)
        : engine_(e), writer_(writer), kv_(std::move(kv)) {}
    std::optional<std::string_view> get(table_id t, std::string_view key) override {
      return step() ? kv_->get(t, key) : std::nullopt;
    }
    std::unique_ptr<kv_cursor> cursor(table_id t) override {
      struct failing_cursor final : kv_cursor {
        failing_cursor(transaction& t, std::unique_ptr<kv_cursor> c) : kv(t), inner(std::move(c)) {}
        std::optional<kv_pair> seek(std::string_view key) override {
          return kv.step() ? inner->seek(key) : std::nullopt;
        }
        std::optional<kv_pair> next() override { return kv.step() ? inner->next() : std::nullopt; }
        transaction& kv;
        std::unique_ptr<kv_cursor> inner;
      };
      return std::make_unique<failing_cursor>(*this, kv_->cursor(t));
    }
    std::uint64_t entries(table_id t) override { return step() ? kv_->entries(t) : 0; }
    result<void> status() const override {
      if (failed_) return broken();
      return kv_->status();
    }
    void put(table_id t, std::string_view key, std::string_view value) override {
      if (step()) writer_->put(t, key, value);
    }
    bool erase(table_id t, std::string_view key) override { return step() && writer_->erase(t, key); }
    result<void> commit() override {
      if (!step()) return broken();
      return writer_->commit();
    }

  private:
    bool step() {
      failed_ = failed_ || !engine_.step();
      return !failed_;
    }
    failing_engine& engine_;
    kv_writer* writer_;
    std::unique_ptr<kv_reader> kv_;
    bool failed_ = false;
  };

  std::unique_ptr<kv_engine> inner_ = make_memory_kv(table_count);
};

} // namespace cairn::storage::metadata
