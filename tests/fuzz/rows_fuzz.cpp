// The decoders of rows and commands on arbitrary bytes: never a crash, and what they accept is the one encoding of its
// value. The first byte chooses the decoder.
#include "storage/metadata/commands/commands.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace cairn::storage::metadata;

template <class Row>
void check(std::string_view bytes, cairn::result<Row> (*decode)(std::string_view)) {
  const auto decoded = decode(bytes);
  if (!decoded) return;
  if (encode(*decoded) != bytes) std::abort();
}

void check_listed(std::string_view bytes) {
  const auto row = decode_object(bytes);
  const auto fields = decode_listed(bytes);
  if (!row) return;
  if (!fields || fields->size != row->size || !(fields->etag == row->etag) || fields->modified != row->modified)
    std::abort();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  switch (data[0] % 17) {
    case 0: check(bytes, decode_object); break;
    case 1: check_listed(bytes); break;
    case 2: check(bytes, decode_manifest); break;
    case 3: check(bytes, decode_manifest_part); break;
    case 4: check(bytes, decode_blob); break;
    case 5: check(bytes, decode_bucket); break;
    case 6: check(bytes, decode_session); break;
    case 7: check(bytes, decode_command); break;
    case 8:
      if (const auto batch = decode_batch(bytes); batch && encode(*batch) != bytes) std::abort();
      break;
    case 9: check(bytes, decode_result); break;
    case 10: check(bytes, decode_cluster); break;
    case 11: check(bytes, decode_node); break;
    case 12: check(bytes, decode_owners); break;
    case 13: check(bytes, decode_access_key); break;
    case 14: check(bytes, decode_user); break;
    case 15: check(bytes, decode_group); break;
    case 16: check(bytes, decode_managed_policy); break;
  }
  return 0;
}
