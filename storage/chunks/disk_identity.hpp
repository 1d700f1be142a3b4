// The identity of a disk: the file `disk` in its directory has a UUID and a secret, the key of the header checksums.
// Written once, never changed; without it no record of the disk can be verified. The marker file `quarantined` keeps
// the disk out of use until an operator has checked it. Both are replaced atomically and durably. Layout of a disk's
// directory: disk, lock, quarantined, segments/, index/ (LMDB). Errors: not_found, corrupt, unsupported (a newer
// version), io_error, no_space.
#pragma once

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/seams.hpp"

#include <optional>

namespace cairn::storage {

struct disk_identity {
  uuid id{};
  mac_key header_key{};
  std::array<std::uint8_t, 16> spare_secret{}; // reserved; drawn now so that existing disks will have it
};

std::string segments_directory(const std::string& disk);
std::string index_directory(const std::string& disk);

result<disk_identity> load_disk_identity(file_system& files, const std::string& disk);
result<disk_identity> make_disk_identity(file_system& files, const std::string& disk, random_source& random);

result<void> mark_quarantined(file_system& files, const std::string& disk, std::string_view why);
result<std::optional<std::string>> quarantine_reason(file_system& files, const std::string& disk);
result<void> clear_quarantine(file_system& files, const std::string& disk); // no error if there is no marker

} // namespace cairn::storage
