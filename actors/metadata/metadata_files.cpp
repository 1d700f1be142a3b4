#include "actors/metadata/metadata_files.hpp"

#include "cluster/cluster_identity.hpp"

namespace cairn::actors {

result<metadata_files> open_metadata_files(const config::settings& settings, file_system& files,
                                           node_metrics& metrics) {
  metadata_files out;
  auto options = storage::metadata::engine_options(settings.metadata_dir());
  options.damage = out.damage = std::make_shared<storage::kv_damage>(options.directory, &metrics.metadata_damaged);
  const auto identity = cluster::load_cluster_identity(files, settings.node.data_dir);
  if (!identity) return identity.error();
  options.opens_damaged = identity->has_value() && !settings.cluster.listen.host.empty();
  auto engine = storage::open_lmdb(options);
  if (!engine) return engine.error();
  out.engine = std::move(*engine);
  auto store = storage::metadata::store::open(*out.engine);
  if (!store && options.opens_damaged && !out.damage->first().empty()) {
    out.damage->unreadable();
    out.store = storage::metadata::store::over(*out.engine);
    return out;
  }
  if (!store) return store.error();
  out.store = std::move(*store);
  auto view = out.store->read();
  if (!view) return view.error();
  out.is_new = (*view)->applied() == 0 && out.damage->first().empty();
  return out;
}

} // namespace cairn::actors
