// Object lock of a version that the target has already: the source may have locked it since it was copied. A lock is
// made stronger, and weaker only with `overwrite`. Errors: as failure_of; what the target refuses.
#pragma once

#include "cli/import/source_server.hpp"

#include <string>

namespace cairn::cli {

struct lock_order {
  object_path from, to;
  std::string from_version, to_version; // ids
  bool overwrite = false, only_compare = false;
};

struct lock_outcome {
  bool changed = false;  // or, when they are only compared, the target's is to be changed
  bool stronger = false; // the target's protects more than the source's, and was left so
};

result<lock_outcome> carry_lock(source_server& source, http_client& target, const lock_order& order);

} // namespace cairn::cli
