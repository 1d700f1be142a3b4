// A key-value engine whose commits fail when they are told to, as LMDB's may: for lack of room, which leaves everything
// as it was, or in a flush. After that the process writes no more, and does not see what it tried to commit; whether
// the disk has it shows when the next process opens the engine.
#pragma once

#include "storage/kv/checked_kv.hpp"
#include "storage/kv/kv_check.hpp"

namespace cairn::sim {

class faulty_kv final : public storage::kv_engine {
public:
  enum class fault : std::uint8_t { none, no_space, flush_lost, flush_kept };
  using plan = std::function<fault()>; // asked at each commit

  explicit faulty_kv(storage::table_id tables) : tables_(tables) {
    auto memory = storage::make_memory_kv(storage::table_id(tables + 1));
    below_ = memory.get();
    inner_ = storage::make_checked_kv(std::move(memory), {.tables = tables, .damage = damage_}).value();
  }

  // A bit of one row's value in the table; the row is the first one at or behind `key`. False: there is none.
  bool rot(storage::table_id table, std::string_view key, std::uint64_t where) {
    auto change = below_->begin_write().value();
    const auto cursor = change->cursor(table);
    const auto row = cursor->seek(key);
    if (!row) return false;
    std::string name{row->key}, value{row->value};
    value[where % value.size()] = char(value[where % value.size()] ^ (1 << where / value.size() % 8));
    change->put(table, name, value);
    return change->commit().has_value();
  }
  // Reads everything, as a scrub does. What it finds, readers of `damage` see.
  bool whole() {
    storage::kv_check check{*inner_, tables_};
    for (bool good = true;;) {
      const auto step = check.step(~std::size_t{0});
      good = good && !step.damage;
      if (step.done) return good;
    }
  }
  const std::shared_ptr<storage::kv_damage>& damage() const { return damage_; }

  void set_fault(plan p) { plan_ = std::move(p); }
  bool broken() const noexcept { return broken_; }
  void reopen() { // by a new process
    broken_ = false;
    damage_->replaced(); // a process knows what it has found itself
    if (auto kept = std::exchange(kept_, nullptr)) static_cast<void>(kept->commit());
  }

  result<std::unique_ptr<storage::kv_reader>> begin_read() override { return inner_->begin_read(); }
  result<std::unique_ptr<storage::kv_writer>> begin_write() override {
    if (broken_) return error{errc::read_only, "an earlier flush failed"};
    auto inner = inner_->begin_write();
    if (!inner) return inner.error();
    return std::unique_ptr<storage::kv_writer>{new writer(*this, std::move(*inner))};
  }
  // A new file takes the old one's place: what failed before was about the old one, which stays when this fails.
  result<void> replace(const std::function<result<void>(storage::kv_writer&)>& fill) override {
    const auto what = plan_ ? plan_() : fault::none;
    if (what != fault::none) return error{what == fault::no_space ? errc::no_space : errc::io_error, "planned"};
    auto replaced = inner_->replace(fill);
    broken_ = broken_ && !replaced;
    return replaced;
  }

private:
  class writer final : public storage::kv_writer {
  public:
    writer(faulty_kv& of, std::unique_ptr<storage::kv_writer> inner) : of_(of), inner_(std::move(inner)) {}
    std::optional<std::string_view> get(storage::table_id table, std::string_view key) override {
      return inner_->get(table, key);
    }
    std::unique_ptr<storage::kv_cursor> cursor(storage::table_id table) override { return inner_->cursor(table); }
    std::uint64_t entries(storage::table_id table) override { return inner_->entries(table); }
    result<void> status() const override { return inner_->status(); }
    void put(storage::table_id table, std::string_view key, std::string_view value) override {
      inner_->put(table, key, value);
    }
    bool erase(storage::table_id table, std::string_view key) override { return inner_->erase(table, key); }
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
    std::unique_ptr<storage::kv_writer> inner_;
  };

  const storage::table_id tables_;
  const std::shared_ptr<storage::kv_damage> damage_ = std::make_shared<storage::kv_damage>("memory");
  storage::kv_engine* below_ = nullptr;
  std::unique_ptr<storage::kv_engine> inner_;
  std::unique_ptr<storage::kv_writer> kept_; // a transaction that reached the disk unseen
  plan plan_;
  bool broken_ = false;
};

} // namespace cairn::sim
