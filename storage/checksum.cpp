#include "storage/checksum.hpp"

#include <isa-l/crc.h>

#include <algorithm>

namespace cairn::storage {

std::uint32_t crc32c(bytes_view data, std::uint32_t before) noexcept {
  constexpr std::size_t step_max = std::size_t{1} << 30; // ISA-L takes the length as int
  std::uint32_t state = ~before;                         // ISA-L leaves both inversions to its caller
  while (!data.empty()) {
    const auto step = std::min(data.size(), step_max);
    auto* bytes =
        reinterpret_cast<unsigned char*>(const_cast<std::byte*>(data.data())); // read only, but not declared so
    state = crc32_iscsi(bytes, static_cast<int>(step), state);
    data = data.subspan(step);
  }
  return ~state;
}

} // namespace cairn::storage
