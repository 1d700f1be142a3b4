// Carries users, groups and policies of a source over: reads both sides, plans, and asks the target for each step. Run
// again, it goes on with what is missing. Secrets of keys that the target makes are added to a file, which only its
// owner may read, before anything else happens.
#pragma once

#include "cli/client/command_support.hpp"
#include "cli/import/identities/identity_set.hpp"

#include <cstdint>
#include <functional>

namespace cairn::cli {

struct identity_import_options {
  s3_endpoint from;         // of the source's IAM, or of its admin API
  std::string minio_export; // a folder; empty: the source is asked
  std::string key_file;     // for new keys; empty: none are made
  bool minio_admin = false; // the source's admin API is asked, not its IAM
  bool overwrite = false, dry_run = false;
};

struct identity_result {
  std::string account = {};         // of the source
  std::uint64_t done = 0, same = 0; // steps; users, groups and policies for which nothing was to be done
  std::vector<identity_remark> left = {}, differences = {}, failures = {};
};

// `say` is told each step that was done, or in a dry run would be. Errors: one of the sides cannot be read.
result<identity_result> import_identities(const identity_import_options& options, const s3_endpoint& to,
                                          const std::function<void(const std::string&)>& say);

} // namespace cairn::cli
