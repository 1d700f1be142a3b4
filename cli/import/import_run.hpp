// Carries out `cairn import s3`: passes over the buckets, each one walk through the listings of source and target side
// by side, which import_plan compares key by key and whose copies run on the threads of a worker_pool. The versions of
// one key are copied one after the other, oldest first; after one that fails no later one is. A run keeps nothing on
// this machine: run again, it continues with what the target lacks.
#pragma once

#include "cli/import/identities/identity_import.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cairn::cli {

struct import_options {
  s3_endpoint from, to;
  bool virtual_hosted = false;                              // how the source's buckets are addressed
  std::vector<std::pair<std::string, std::string>> buckets; // source and target; empty: all of the source
  unsigned jobs = 8;
  bool dry_run = false, continuous = false, overwrite = false, remove = false, without_tags = false,
       access_lists = false, minio_admin = false;         // minio_admin: the source is asked for quotas
  bool strict = false;                                    // what the target does not have, or refuses, is a failure
  std::optional<identity_import_options> identities = {}; // nothing: buckets only
  bool json = false, quiet = false, verbose = false;
  std::chrono::seconds pause{10}; // between the passes of `continuous`
};

// SIGINT or SIGTERM ends the run when the objects that are being copied are done; a second one ends the process.
// Errors: invalid_argument; io_error when something failed, differs, or was interrupted, after that was printed.
result<void> run_import(const import_options& options);

} // namespace cairn::cli
