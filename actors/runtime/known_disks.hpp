// The chunk disks of a standalone node that were opened before, so that a disk whose file system is not mounted is not
// taken for a new one: the chunks of all its objects would be missing, and new ones be written below the mount point.
// `data_dir`/disks has a line for each, its directory. The operator who has lost a disk removes its line, so the file
// has no checksum. A member of a cluster needs none: other members have replicas of its chunks, and a new disk in the
// place of a lost one is filled again.
//
// Errors: io_error, no_space, too_large (a file above 64 KiB).
#pragma once

#include "base/file_system.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace cairn::actors {

// nullopt: there is no such file, as at the first start, or the first one of a build that has it.
result<std::optional<std::vector<std::string>>> load_known_disks(file_system& files, const std::string& data_dir);
// Writes the file if it is another one.
result<void> keep_known_disks(file_system& files, const std::string& data_dir, const std::vector<std::string>& disks);

// Which of the disks are missing: they have no identity, and the node knows them. Without a file, all are if none of
// them has an identity and the metadata refers to chunks.
result<std::vector<std::string>> missing_disks(file_system& files, const std::optional<std::vector<std::string>>& known,
                                               const std::vector<std::string>& disks,
                                               const std::function<result<bool>()>& refers_to_chunks);
error missing_disk(const std::string& disk, const std::string& data_dir);

} // namespace cairn::actors
