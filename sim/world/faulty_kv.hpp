// A key-value engine whose commits fail on request, as LMDB's may: with no_space, which changes nothing, or in a flush.
// After a failed flush the process cannot write and does not see the failed transaction. The next process that opens
// the engine finds the transaction or does not, as the plan says.
#pragma once

#include "storage/kv/checked_kv.hpp"
#include "storage/kv/forwarding_writer.hpp"
#include "storage/kv/kv_check.hpp"

namespace cairn::sim {

class faulty_kv final : public storage::kv_engine {
public:
  enum class fault : std::uint8_t { none, no_space, flush_lost, flush_kept };
  using plan = std::function<fault()>; // called for each commit

  explicit faulty_kv(storage::table_id tables, std::optional<storage::table_id> page_values = {})
      : tables_(tables), page_values_(page_values) {
    auto memory = storage::make_memory_kv(storage::table_id(tables + 1));
    below_ = memory.get();
    inner_ =
        storage::make_checked_kv(std::move(memory), {.tables = tables, .page_values = page_values, .damage = damage_})
            .value();
  }

  // Flips a bit in the value of one row of the table, the first row at or after `key`. False: there is no such row, or
  // a transaction is open.
  bool rot(storage::table_id table, std::string_view key, std::uint64_t where) {
    if (open_) return false;
    auto change = below_->begin_write().value();
    const auto cursor = change->cursor(table);
    const auto row = cursor->seek(key);
    if (!row) return false;
    std::string name{row->key}, value{row->value};
    value[where % value.size()] = char(value[where % value.size()] ^ (1 << where / value.size() % 8));
    change->put(table, name, value);
    return change->commit().has_value();
  }
  // Reads every row, as a scrub does. `damage` gets what it finds.
  bool whole() {
    storage::kv_check check{*inner_, tables_};
    for (bool good = true;;) {
      const auto step = check.step(~std::size_t{0});
      good = good && !step.damage;
      if (step.done) return good;
    }
  }
  const std::shared_ptr<storage::kv_damage>& damage() const { return damage_; }

  // A copy of what is committed.
  std::unique_ptr<faulty_kv> image() const {
    auto copy = std::make_unique<faulty_kv>(tables_, page_values_);
    auto from = below_->begin_read().value();
    auto to = copy->below_->begin_write().value();
    for (storage::table_id t = 0; t <= tables_; ++t) { // the last one is of the checksums
      const auto cursor = from->cursor(t);
      for (auto row = cursor->seek({}); row; row = cursor->next()) to->put(t, row->key, row->value);
    }
    const auto committed = to->commit();
    CAIRN_ASSERT(committed);
    return copy;
  }

  void set_fault(plan p) { plan_ = std::move(p); }
  bool broken() const noexcept { return broken_; }
  void reopen() { // by a new process
    broken_ = false;
    damage_->replaced(); // a new process knows no damage yet
    if (auto kept = std::exchange(kept_, nullptr)) static_cast<void>(kept->commit());
  }

  result<std::unique_ptr<storage::kv_reader>> begin_read() override { return inner_->begin_read(); }
  result<std::unique_ptr<storage::kv_writer>> begin_write() override {
    if (broken_) return error{errc::read_only, "an earlier flush failed"};
    auto inner = inner_->begin_write();
    if (!inner) return inner.error();
    return std::unique_ptr<storage::kv_writer>{new writer(*this, std::move(*inner))};
  }
  // The new file replaces the old one and clears its failures. When the replacement fails, the old file stays.
  result<void> replace(const std::function<result<void>(storage::kv_writer&)>& fill) override {
    const auto what = plan_ ? plan_() : fault::none;
    if (what != fault::none) return error{what == fault::no_space ? errc::no_space : errc::io_error, "planned"};
    auto replaced = inner_->replace(fill);
    broken_ = broken_ && !replaced;
    return replaced;
  }

private:
  class writer final : public storage::forwarding_writer {
  public:
    writer(faulty_kv& of, std::unique_ptr<storage::kv_writer> inner) : forwarding_writer(std::move(inner)), of_(of) {
      of_.open_ = true;
    }
    writer(const writer&) = delete;
    writer& operator=(const writer&) = delete;
    ~writer() override { of_.open_ = false; }
    result<void> commit() override {
      const auto what = of_.plan_ && inner_->status() ? of_.plan_() : fault::none;
      if (what == fault::none) return inner_->commit();
      if (what == fault::no_space) {
        inner_.reset();
        return error{errc::no_space, "planned"};
      }
      of_.broken_ = true;
      if (what == fault::flush_kept)
        of_.kept_ = std::move(inner_);
      else
        inner_.reset();
      return error{errc::io_error, "planned"};
    }

  private:
    faulty_kv& of_;
  };

  const storage::table_id tables_;
  const std::optional<storage::table_id> page_values_;
  const std::shared_ptr<storage::kv_damage> damage_ = std::make_shared<storage::kv_damage>("memory");
  storage::kv_engine* below_ = nullptr;
  std::unique_ptr<storage::kv_engine> inner_;
  std::unique_ptr<storage::kv_writer> kept_; // a transaction that is on the disk although its commit failed
  plan plan_;
  bool broken_ = false, open_ = false;
};

} // namespace cairn::sim
