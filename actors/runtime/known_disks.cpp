#include "actors/runtime/known_disks.hpp"

#include "base/files/small_file.hpp"
#include "storage/chunks/disk_identity.hpp"

#include <algorithm>

namespace cairn::actors {

namespace {

std::string known_disks_path(const std::string& data_dir) {
  return data_dir + "/disks";
}

} // namespace

result<std::optional<std::vector<std::string>>> load_known_disks(file_system& files, const std::string& data_dir) {
  const auto content = read_small_file(files, known_disks_path(data_dir));
  if (!content && content.error() == errc::not_found) return std::optional<std::vector<std::string>>{};
  if (!content) return content.error();
  std::vector<std::string> disks;
  for (std::string_view rest = *content; !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (!line.empty()) disks.emplace_back(line);
  }
  return std::optional{std::move(disks)};
}

result<void> keep_known_disks(file_system& files, const std::string& data_dir, const std::vector<std::string>& disks) {
  const auto present = load_known_disks(files, data_dir);
  if (!present) return present.error();
  if (*present == disks) return {};
  std::string content;
  for (const auto& disk : disks) content += disk + "\n";
  return replace_small_file(files, known_disks_path(data_dir), content);
}

result<std::vector<std::string>> missing_disks(file_system& files, const std::optional<std::vector<std::string>>& known,
                                               const std::vector<std::string>& disks,
                                               const std::function<result<bool>()>& refers_to_chunks) {
  std::vector<std::string> without_identity;
  for (const auto& disk : disks) {
    const auto identity = storage::load_disk_identity(files, disk);
    if (!identity && identity.error() == errc::not_found) without_identity.push_back(disk);
  }
  if (known) {
    std::erase_if(without_identity, [&](const auto& disk) { return std::ranges::find(*known, disk) == known->end(); });
    return without_identity;
  }
  if (without_identity.size() < disks.size()) return std::vector<std::string>{};
  const auto refers = refers_to_chunks();
  if (!refers) return refers.error();
  return *refers ? without_identity : std::vector<std::string>{};
}

error missing_disk(const std::string& disk, const std::string& data_dir) {
  return {errc::not_found, "the disk " + disk +
                               " is missing, but objects have chunks on it: mount it. If it is lost, " +
                               "proceed as docs/recovery.md says (" + known_disks_path(data_dir) + ")"};
}

} // namespace cairn::actors
