#include "storage/kv/kv.hpp"

namespace cairn::storage {

std::optional<kv_pair> kv_cursor::before(std::string_view) {
  CAIRN_ASSERT(!"this engine's cursors only go forward");
  return {};
}

result<void> kv_engine::replace(const std::function<result<void>(kv_writer&)>&) {
  return error{errc::unsupported, "this engine does not support replace"};
}

} // namespace cairn::storage
