// Opens a node's copy of the metadata. A cluster member's copy opens also when it is damaged: it is then out of service
// until the state of another member has replaced it (actors/metadata/log/replicated_log.hpp).
#pragma once

#include "base/file_system.hpp"
#include "base/metrics.hpp"
#include "config/config.hpp"
#include "storage/kv/kv_damage.hpp"
#include "storage/metadata/store.hpp"

namespace cairn::actors {

struct metadata_files {
  std::shared_ptr<storage::kv_damage> damage;
  std::unique_ptr<storage::kv_engine> engine;
  std::unique_ptr<storage::metadata::store> store;
  bool is_new = false; // nothing was ever applied
};
result<metadata_files> open_metadata_files(const config::settings& settings, file_system& files, node_metrics& metrics);

} // namespace cairn::actors
