#include "config/config.hpp"

namespace cairn::config {

std::string settings::metadata_dir() const {
  return metadata.dir.empty() ? node.data_dir + "/metadata" : metadata.dir;
}

std::vector<disk_settings> settings::disk_list() const {
  if (!storage.disks.empty()) return storage.disks;
  return {disk_settings{node.data_dir + "/disk0", 1.0}};
}

} // namespace cairn::config
