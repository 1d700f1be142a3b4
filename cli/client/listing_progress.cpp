#include "cli/client/listing_progress.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

// An honest server may leave out what was deleted, and answer a few empty pages for it.
constexpr std::size_t empty_pages_max = 10'000;

} // namespace

result<void> listing_progress::page(std::string_view next, bool has_entries) {
  empty_in_a_row_ = has_entries ? 0 : empty_in_a_row_ + 1;
  if (empty_in_a_row_ > empty_pages_max)
    return error{errc::corrupt, "the server sends page after page without an entry, so the listing would never end"};
  if (steps_max_ > 0 && next == mark_)
    return error{errc::corrupt, "the server leads back to a page that it sent before, so the listing would never end"};
  if (steps_ < steps_max_) {
    ++steps_;
    return {};
  }
  mark_ = next; // each time after twice as many pages: in a circle of any length it is met again
  steps_ = 0;
  steps_max_ = std::max<std::size_t>(2 * steps_max_, 1);
  return {};
}

} // namespace cairn::cli
