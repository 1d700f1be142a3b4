// How an object that its source got in parts is stored in parts again. An ETag "…-5" is the MD5 of five parts' MD5s, so
// the copy has the same one when it is cut in the same way: by the source's part numbers where the source answers to
// them, else by the size that the parts probably had. Pure.
#pragma once

#include "cli/transfer/part_plan.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace cairn::cli {

struct part_layout {
  enum class way : std::uint8_t {
    by_part_number, // as the source has them: the ETag must come out the same
    by_range,       // of `plan`
    whole,          // in one request
  };
  way how = way::whole;
  std::uint64_t count = 1;
  part_plan plan = {};
};

// "9e10…-5" → 5; nullopt: not the ETag of an object in parts.
std::optional<std::uint64_t> part_count_of(std::string_view etag);

// `first_part_bytes`: nothing where the source ignores part numbers.
part_layout plan_part_layout(std::uint64_t size_bytes, std::uint64_t part_count,
                             std::optional<std::uint64_t> first_part_bytes);

} // namespace cairn::cli
