#include "storage/kv/kv_check.hpp"

namespace cairn::storage {

kv_checked kv_check::step(std::size_t rows) {
  kv_checked out;
  const auto next_table = [&] {
    last_.clear();
    table_ = static_cast<table_id>((table_ + 1) % tables_);
    out.done = table_ == 0;
  };
  auto reader = engine_.begin_read();
  if (!reader) {
    out.damage = reader.error();
    next_table();
    return out;
  }
  const bool from_the_beginning = last_.empty();
  const auto cursor = (*reader)->cursor(table_);
  auto row = cursor->seek(last_);
  if (row && row->key == last_) row = cursor->next();
  for (; row && out.rows < rows; row = cursor->next(), ++out.rows) last_.assign(row->key);
  if (row) return out;
  auto good = (*reader)->status();
  if (good && from_the_beginning && (*reader)->entries(table_) != out.rows)
    good = error{errc::corrupt, "table " + std::to_string(table_) + ": " + std::to_string(out.rows) + " rows of " +
                                    std::to_string((*reader)->entries(table_))};
  if (!good) out.damage = good.error();
  next_table();
  return out;
}

} // namespace cairn::storage
