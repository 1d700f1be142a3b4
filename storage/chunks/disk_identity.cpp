// The file `disk` (integers little-endian): magic "CAIRNDSK", version:1, 7 zero bytes, UUID 16, header key 16, spare
// secret 16, CRC32C 4 of all bytes before it.
#include "storage/chunks/disk_identity.hpp"

#include "base/checksum.hpp"
#include "base/files/small_file.hpp"
#include "storage/chunks/byte_order.hpp"

#include <cstring>

namespace cairn::storage {

namespace {

constexpr char disk_magic[] = {'C', 'A', 'I', 'R', 'N', 'D', 'S', 'K'};
constexpr std::uint8_t disk_version = 1;
constexpr std::size_t disk_version_at = 8, id_at = 16, key_at = 32, spare_at = 48, crc_at = 64, identity_bytes = 68;

std::string identity_path(const std::string& disk) {
  return disk + "/disk";
}
std::string marker_path(const std::string& disk) {
  return disk + "/quarantined";
}

template <std::size_t Size>
void draw(std::array<std::uint8_t, Size>& out, random_source& random) {
  static_assert(Size % 8 == 0);
  for (std::size_t i = 0; i < Size; i += 8) {
    const auto bits = random.next();
    std::memcpy(out.data() + i, &bits, 8);
  }
}

} // namespace

std::string segments_directory(const std::string& disk) {
  return disk + "/segments";
}
std::string index_directory(const std::string& disk) {
  return disk + "/index";
}

result<disk_identity> load_disk_identity(file_system& files, const std::string& disk) {
  const auto content = read_small_file(files, identity_path(disk));
  if (!content) return content.error();
  const auto* at = reinterpret_cast<const std::byte*>(content->data());
  if (content->size() != identity_bytes || std::memcmp(at, disk_magic, sizeof disk_magic) != 0 ||
      load_le<std::uint32_t>(at + crc_at) != crc32c({at, crc_at}))
    return error{errc::corrupt, identity_path(disk) + " is damaged: restore it from a copy of the disk"};
  if (at[disk_version_at] != std::byte{disk_version})
    return error{errc::unsupported, identity_path(disk) + " was written by a newer version"};
  disk_identity identity;
  std::memcpy(identity.id.data(), at + id_at, identity.id.size());
  std::memcpy(identity.header_key.data(), at + key_at, identity.header_key.size());
  std::memcpy(identity.spare_secret.data(), at + spare_at, identity.spare_secret.size());
  return identity;
}

result<disk_identity> make_disk_identity(file_system& files, const std::string& disk, random_source& random) {
  disk_identity identity;
  draw(identity.id, random);
  identity.id[6] = static_cast<std::uint8_t>((identity.id[6] & 0x0f) | 0x40); // RFC 9562: version 4, variant 1
  identity.id[8] = static_cast<std::uint8_t>((identity.id[8] & 0x3f) | 0x80);
  draw(identity.header_key, random);
  draw(identity.spare_secret, random);
  std::string content(identity_bytes, '\0');
  auto* at = reinterpret_cast<std::byte*>(content.data());
  std::memcpy(at, disk_magic, sizeof disk_magic);
  at[disk_version_at] = std::byte{disk_version};
  std::memcpy(at + id_at, identity.id.data(), identity.id.size());
  std::memcpy(at + key_at, identity.header_key.data(), identity.header_key.size());
  std::memcpy(at + spare_at, identity.spare_secret.data(), identity.spare_secret.size());
  store_le(at + crc_at, crc32c({at, crc_at}));
  if (auto made = replace_small_file(files, identity_path(disk), content); !made) return made.error();
  return identity;
}

result<void> mark_quarantined(file_system& files, const std::string& disk, std::string_view why) {
  return replace_small_file(files, marker_path(disk), why);
}

result<std::optional<std::string>> quarantine_reason(file_system& files, const std::string& disk) {
  auto content = read_small_file(files, marker_path(disk));
  if (content) return std::optional{std::move(*content)};
  if (content.error().code == errc::not_found) return std::optional<std::string>{};
  return content.error();
}

result<void> clear_quarantine(file_system& files, const std::string& disk) {
  if (auto gone = files.remove(marker_path(disk)); !gone)
    return gone.error().code == errc::not_found ? result<void>{} : gone;
  return files.flush_directory(disk);
}

} // namespace cairn::storage
