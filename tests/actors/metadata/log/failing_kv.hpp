// An engine whose writes fail while the test says so, as those of a full or broken disk do: nothing of them is there.
// Its rows carry checksums, and rot when the test wants it.
#pragma once

#include "storage/kv/checked_kv.hpp"
#include "storage/kv/forwarding_writer.hpp"

#include <gtest/gtest.h>

namespace cairn::actors {

class failing_kv final : public storage::kv_engine {
public:
  explicit failing_kv(storage::table_id tables) : tables_(tables) {
    auto memory = storage::make_memory_kv(storage::table_id(tables + 1));
    below_ = memory.get();
    inner_ = storage::make_checked_kv(std::move(memory), {.tables = tables, .damage = damage}).value();
  }
  result<std::unique_ptr<storage::kv_reader>> begin_read() override { return inner_->begin_read(); }
  result<std::unique_ptr<storage::kv_writer>> begin_write() override {
    ++writes;
    if (failing != errc{}) return failure();
    auto inner = inner_->begin_write();
    if (!inner) return inner.error();
    return std::unique_ptr<storage::kv_writer>{new failing_writer(*this, std::move(*inner))};
  }
  result<void> replace(const std::function<result<void>(storage::kv_writer&)>& fill) override {
    if (failing != errc{}) return failure();
    return inner_->replace(fill);
  }
  // A copy of what is committed, as a backup of the disk takes it.
  std::unique_ptr<failing_kv> image() {
    auto copy = std::make_unique<failing_kv>(tables_);
    const auto reader = inner_->begin_read().value();
    auto writer = copy->inner_->begin_write().value();
    for (storage::table_id t = 0; t < tables_; ++t) {
      const auto cursor = reader->cursor(t);
      for (auto row = cursor->seek({}); row; row = cursor->next()) writer->put(t, row->key, row->value);
    }
    EXPECT_TRUE(writer->commit());
    return copy;
  }
  // A bit of each row's value in the table, or of all but some.
  void rot(storage::table_id table, std::size_t every = 1) {
    std::vector<std::pair<std::string, std::string>> rows;
    {
      const auto reader = below_->begin_read().value();
      const auto cursor = reader->cursor(table);
      for (auto row = cursor->seek({}); row; row = cursor->next()) rows.emplace_back(row->key, row->value);
    }
    auto writer = below_->begin_write().value();
    for (std::size_t i = 0; i < rows.size(); i += every) {
      rows[i].second.front() = char(rows[i].second.front() ^ 4);
      writer->put(table, rows[i].first, rows[i].second);
    }
    EXPECT_TRUE(writer->commit());
  }

  errc failing{};
  std::size_t writes = 0, commits = 0;
  const std::shared_ptr<storage::kv_damage> damage = std::make_shared<storage::kv_damage>("test");

private:
  class failing_writer final : public storage::forwarding_writer {
  public:
    failing_writer(failing_kv& of, std::unique_ptr<storage::kv_writer> inner)
        : forwarding_writer(std::move(inner)), of_(of) {}
    result<void> commit() override {
      ++of_.commits;
      if (of_.failing == errc{}) return inner_->commit();
      inner_.reset();
      return of_.failure();
    }

  private:
    failing_kv& of_;
  };
  error failure() const { return {failing, "as the test wants it"}; }

  const storage::table_id tables_;
  storage::kv_engine* below_ = nullptr;
  std::unique_ptr<storage::kv_engine> inner_;
};

} // namespace cairn::actors
