// Whether a listing in pages gets on. A server that is broken, or not to be trusted, can lead back to pages that were
// read before, or send pages without an entry, for ever.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace cairn::cli {

class listing_progress {
public:
  // After each page but the last: where the next one begins. corrupt: the listing would never end.
  result<void> page(std::string_view next, bool has_entries);

private:
  std::string mark_; // of Brent's algorithm: an earlier `next`
  std::size_t steps_ = 0, steps_max_ = 0, empty_in_a_row_ = 0;
};

} // namespace cairn::cli
