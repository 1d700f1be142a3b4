// The files of a local folder or the objects below a prefix, one after the other in the order of their names' bytes, so
// that two of them can be compared in one pass and bounded memory, however many there are.
#pragma once

#include "base/error.hpp"
#include "cli/transfer/object_time.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace cairn::cli {

enum class item_state : std::uint8_t {
  present,
  failed,  // exists and cannot be read: `why` is the error
  skipped, // not transferred: `why` says what it is
};

struct listed_item {
  std::string name; // relative, with '/'; of a failed or skipped folder it ends in '/'
  std::uint64_t size_bytes = 0;
  time_ns changed_at = 0; // of a file its modification time, of an object when it was stored
  std::string etag = {};  // of an object
  item_state state = item_state::present;
  error why = {};
};

class item_listing {
public:
  virtual ~item_listing() = default;
  // nullopt: the end. An error ends the listing; an entry that cannot be read is an item.
  virtual result<std::optional<listed_item>> next() = 0;
};

} // namespace cairn::cli
