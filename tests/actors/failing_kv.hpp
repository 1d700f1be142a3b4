// An engine whose writes fail while the test says so, as those of a full or broken disk do: nothing of them is there.
#pragma once

#include "storage/kv.hpp"

namespace cairn::actors {

class failing_kv final : public storage::kv_engine {
public:
  explicit failing_kv(storage::table_id tables) : inner_(storage::make_memory_kv(tables)) {}
  result<std::unique_ptr<storage::kv_reader>> begin_read() override { return inner_->begin_read(); }
  result<std::unique_ptr<storage::kv_writer>> begin_write() override {
    ++writes;
    if (failing != errc{}) return error{failing, "as the test wants it"};
    return inner_->begin_write();
  }

  errc failing{};
  std::size_t writes = 0;

private:
  std::unique_ptr<storage::kv_engine> inner_;
};

} // namespace cairn::actors
