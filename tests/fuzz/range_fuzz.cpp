// Range and conditional headers. Whatever a client writes: selected ranges lie within the object, are never empty, and
// together are no more than the object.
#include "base/error.hpp"
#include "net/s3/operations/conditions.hpp"
#include "net/wire/grammar/ranges.hpp"

#include <cstring>
#include <string>

// Eight bytes of object size, then the header.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::uint64_t object_size = 0;
  if (size < sizeof object_size) return 0;
  std::memcpy(&object_size, data, sizeof object_size);
  const std::string header{reinterpret_cast<const char*>(data) + sizeof object_size, size - sizeof object_size};

  const auto selection = cairn::net::select_ranges(header, object_size);
  CAIRN_ASSERT((selection.kind == cairn::net::range_kind::partial) == !selection.ranges.empty());
  std::uint64_t total = 0;
  for (const auto& range : selection.ranges) {
    CAIRN_ASSERT(range.length > 0 && range.length <= object_size && range.offset <= object_size - range.length);
    CAIRN_ASSERT(range.length <= object_size - total);
    total += range.length;
  }

  const cairn::net::validators current{"abc", 784111777};
  cairn::net::condition_headers conditions;
  conditions.if_match = conditions.if_none_match = conditions.if_range = header;
  CAIRN_ASSERT(evaluate(conditions, current) != cairn::net::verdict::proceed);
  (void)range_applies(conditions, current);
  const auto written = write_condition_of(conditions);
  CAIRN_ASSERT(!written || written->if_match);
  conditions = {};
  conditions.if_modified_since = conditions.if_unmodified_since = header;
  (void)evaluate(conditions, current);
  return 0;
}
