// Carries out put -r, get -r, cp -r and sync: lists both sides, decides with sync_merge, and transfers on the threads
// of a worker_pool. A file that fails is reported at the end and stops no other; when the server cannot be reached any
// more, the run ends early.
#pragma once

#include "cli/client/command_support.hpp"
#include "cli/client/object_path.hpp"
#include "cli/sync/name_filter.hpp"

#include <cstdint>
#include <string>

namespace cairn::cli {

// One side: a local folder, or the objects whose keys begin with a prefix.
struct sync_place {
  bool remote = false;
  std::string folder;       // local
  object_path objects = {}; // remote: the key is "" or ends in '/'
};

sync_place local_place(std::string folder);
// BUCKET/PREFIX; a PREFIX without its '/' gets one.
result<sync_place> remote_place(const std::string& text);

struct sync_options {
  bool compare = false; // what is the same on both sides stays
  bool remove = false, checksum = false, size_only = false, dry_run = false, follow_links = true;
  bool quiet = false, verbose = false;
  unsigned jobs = 8;
  std::uint64_t part_bytes = 0; // part_plan.hpp
  name_filter filter = {};
};

// Errors: invalid_argument for places that cannot be synchronized; not_found for a source that is not there or, being
// remote, holds nothing; io_error when something failed, after that was printed.
result<void> run_sync(const s3_endpoint& endpoint, const sync_place& from, const sync_place& to,
                      const sync_options& options);

} // namespace cairn::cli
