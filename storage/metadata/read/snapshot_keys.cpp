#include "storage/metadata/read/snapshot.hpp"

namespace cairn::storage::metadata {

result<access_key_row> snapshot::access_key(std::string_view id) {
  if (!valid_access_key(id)) return error{errc::no_such_access_key};
  return load<access_key_row>(table::access_keys, keys_.access_key(id), decode_access_key, {errc::no_such_access_key});
}

result<std::vector<access_key_row>> snapshot::access_keys(std::string_view after, std::size_t max) {
  // Ids have no NUL, so this is the smallest key after `after`.
  const std::string from = after.empty() ? keys_.all() : keys_.access_key(after) + '\0';
  return scan<access_key_row>(table::access_keys, keys_.all(), from, max,
                              [](std::string_view, std::string_view value) { return decode_access_key(value); });
}

} // namespace cairn::storage::metadata
