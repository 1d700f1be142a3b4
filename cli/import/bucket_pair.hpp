// One bucket of the source and the bucket of the target that it goes to: requests about their settings and listings,
// with the transport's retries. Used by one thread at a time.
#pragma once

#include "cli/import/documents/bucket_settings.hpp"
#include "cli/import/source_server.hpp"
#include "cli/import/version_listing.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace cairn::cli {

class bucket_pair {
public:
  // `stops`: of its listings.
  bucket_pair(source_server& source, http_client& target, std::string source_name, std::string target_name,
              version_listing::stop_request stops)
      : source_(source),
        target_(target),
        source_name_(std::move(source_name)),
        target_name_(std::move(target_name)),
        stops_(std::move(stops)) {}

  // Asks the source for its versioning and object lock. A source without an answer to that has none; `why` says what
  // it answered about versioning.
  struct source_state {
    versioning_state versioning = versioning_state::none;
    std::string why = {};
    bool locks = false;
  };
  result<source_state> look_at_source();
  result<bool> target_exists();
  result<void> create_target();
  result<void> set_versioning(versioning_state state);
  // Object lock without a default retention; the one that the source has comes with the settings.
  result<void> enable_lock();
  // How much the target's clock is ahead of the source's, by the Date of their latest answers; 0: unknown.
  std::int64_t target_ahead_ns() const { return target_ahead_ns_; }

  version_listing source_listing(versioning_state versioning) const;
  version_listing target_listing(bool exists) const;

  // Sends the settings that the source has to the target; with `dry_run` only says what would be. `account`: of the
  // source, as of documents/policy_document.hpp.
  std::vector<setting_outcome> carry_settings(bool dry_run, std::string_view account);
  // Asks the source's admin API, which only MinIO has. nullopt: there is none.
  std::optional<setting_outcome> minio_quota() const;

private:
  result<http_response> ask_source(const std::string& query) const;
  result<http_response> put_target(const std::string& query, const std::string& document);

  source_server& source_;
  http_client& target_;
  std::string source_name_, target_name_;
  version_listing::stop_request stops_;
  std::int64_t source_date_s_ = 0, target_ahead_ns_ = 0;
};

// The versions that the target has of one key, without a walk through its listing.
result<std::vector<stored_version>> target_history(http_client& client, const object_path& path,
                                                   const version_listing::stop_request& stops);

} // namespace cairn::cli
