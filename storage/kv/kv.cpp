#include "storage/kv/kv.hpp"

namespace cairn::storage {

std::optional<kv_pair> kv_cursor::before(std::string_view) {
  CAIRN_ASSERT(!"this engine's cursors go forward only");
  return {};
}

result<void> kv_engine::replace(const std::function<result<void>(kv_writer&)>&) {
  return error{errc::unsupported, "this engine's contents are not replaced"};
}

} // namespace cairn::storage
