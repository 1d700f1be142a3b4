#include "cluster/raft/log/log_marker.hpp"

#include "base/files/small_file.hpp"

#include <cstring>

namespace cairn::cluster::raft {

namespace {

constexpr std::size_t marker_page_bytes = 4096;
constexpr std::uint16_t lmdb_meta_page = 0x08;
constexpr std::uint32_t lmdb_magic = 0xBEEFC0DE, no_lmdb_version = 0xCA1;
constexpr std::size_t flags_at = 10, magic_at = 16, version_at = 20, text_at = 512;
constexpr std::string_view marker_text =
    "This consensus log consists of segment files. A build that reads it from this file must "
    "not use the directory.\n";

std::string marker_path(const std::string& directory) {
  return directory + "/data.mdb";
}

// In the machine's byte order, as LMDB has it.
std::string marker_bytes() {
  std::string page(marker_page_bytes, '\0');
  std::memcpy(page.data() + flags_at, &lmdb_meta_page, sizeof lmdb_meta_page);
  std::memcpy(page.data() + magic_at, &lmdb_magic, sizeof lmdb_magic);
  std::memcpy(page.data() + version_at, &no_lmdb_version, sizeof no_lmdb_version);
  return page.replace(text_at, marker_text.size(), marker_text);
}

} // namespace

result<log_marker> read_log_marker(file_system& files, const std::string& directory) {
  const auto bytes = read_small_file(files, marker_path(directory));
  if (bytes && *bytes == marker_bytes()) return log_marker::present;
  if (bytes) return bytes->size() <= marker_page_bytes ? log_marker::damaged : log_marker::older_log;
  if (bytes.error() == errc::not_found) return log_marker::absent;
  if (bytes.error() == errc::too_large) return log_marker::older_log;
  return bytes.error();
}

result<void> write_log_marker(file_system& files, const std::string& directory) {
  return replace_small_file(files, marker_path(directory), marker_bytes());
}

} // namespace cairn::cluster::raft
