// Who a disk is: the file `disk` in its directory holds a UUID and a secret that keys the checksums of its headers.
// Made once, never changed; without it no record of the disk can be told from noise. `quarantined` is a marker file
// that forbids touching the disk until an operator looked. Both are replaced atomically and durably. Layout of a disk's
// directory: disk, lock, quarantined, segments/, index/ (LMDB). Errors: not_found, corrupt, io_error, no_space.
#pragma once

#include "base/digest.hpp"
#include "base/ids.hpp"
#include "base/seams.hpp"

#include <optional>

namespace cairn::storage {

struct disk_identity {
  uuid id{};
  mac_key header_key{};
  std::array<std::uint8_t, 16> spare_secret{}; // for a later use; drawn now so that old disks have it
};

std::string segments_directory(const std::string& disk);
std::string index_directory(const std::string& disk);

result<disk_identity> load_disk_identity(file_system& files, const std::string& disk);
result<disk_identity> make_disk_identity(file_system& files, const std::string& disk, random_source& random);

result<void> mark_quarantined(file_system& files, const std::string& disk, std::string_view why);
result<std::optional<std::string>> quarantine_reason(file_system& files, const std::string& disk);
result<void> clear_quarantine(file_system& files, const std::string& disk); // no marker: no error

} // namespace cairn::storage
