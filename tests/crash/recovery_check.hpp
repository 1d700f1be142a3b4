// Opens what a crash left with the real recovery code and holds it against the plan.
#pragma once

#include "tests/crash/plan.hpp"

namespace cairn::crash {

// Changes the directory. Empty: as promised. Otherwise what is wrong: an acknowledged chunk or command that is missing,
// wrong bytes, a store that does not open, whatever `cairn storage check` finds, a store that takes no new chunk.
// `lose_index`: the disk's index is thrown away and rebuilt first; then deleted chunks may be back.
std::vector<std::string> check_recovery(const std::string& root, const expectation& promised, bool lose_index);

} // namespace cairn::crash
