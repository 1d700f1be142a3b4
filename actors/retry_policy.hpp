// What to do when the read of a slice failed: ask the same place again after a pause, ask the next place, or give up.
// Places are the disks of this node in the order of their rank for the chunk (store_router.hpp): a chunk lies on the
// first of them that took writes when it was written, so `not_found` and `quarantined` go on to the next place, while a
// late or stumbling disk is asked again. Bytes that fail their checksum are elsewhere or nowhere. A plain class, one a
// slice.
#pragma once

#include "config/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace cairn::actors {

class retry_policy {
public:
  static constexpr std::uint32_t attempts_max = 4; // at one place
  static constexpr std::chrono::milliseconds first_pause{10};

  explicit retry_policy(std::size_t places) : places_(places) {}

  std::size_t place() const noexcept { return place_; }
  // Nothing: give up, with reason(). Otherwise ask place() after the pause.
  std::optional<std::chrono::milliseconds> failed(error why);
  // Of the places' last answers the one that says most: corrupt before io_error and the like before busy and timeout
  // before not_found.
  const error& reason() const noexcept;

private:
  std::size_t places_;
  std::size_t place_ = 0;
  std::uint32_t attempts_ = 0; // at place_
  error here_, elsewhere_;     // the last answer of place_, the heaviest of the places before
};

} // namespace cairn::actors
