// How much memory this process may use: that of the machine, or the smallest limit of the control groups that the
// process is in (cgroups(7): memory.max of version 2, memory.limit_in_bytes of version 1).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cairn {

std::uint64_t usable_memory_bytes();

// The smallest limit of the groups that `membership` (/proc/self/cgroup) names, and of the groups that contain these.
// `read`: the text of a file; nullopt when it cannot be read. Nullopt: there is no limit.
using text_reader = std::function<std::optional<std::string>(const std::string& path)>;
std::optional<std::uint64_t> control_group_limit(std::string_view membership, const text_reader& read);

} // namespace cairn
