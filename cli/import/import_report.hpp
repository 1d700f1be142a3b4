// What an import did and what differs, as text and as JSON. A run makes passes over the buckets: what was copied adds
// up, what differs is that of the latest pass. Thread-safe; keeps a bounded number of lines.
#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/client/object_path.hpp"
#include "cli/import/documents/bucket_settings.hpp"
#include "cli/import/identities/identity_import.hpp"

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::cli {

struct bucket_result {
  std::string source, target;
  versioning_state versioning = versioning_state::none;
  std::vector<setting_outcome> settings = {};
};

struct import_counts {
  std::uint64_t objects = 0, delete_markers = 0, bytes = 0; // copied; versions are objects here
  std::uint64_t deleted = 0, vanished = 0, unproven = 0, locks = 0;
  // Of the latest pass:
  std::uint64_t same = 0, differ = 0, failed = 0, target_only_keys = 0, target_only_versions = 0;
};

class import_report {
public:
  enum class pass_kind : std::uint8_t { copy, compare }; // a comparison keeps the failures of the copies
  void begin_pass(pass_kind kind);

  void copied_object(std::uint64_t bytes, bool proven);
  void copied_delete_marker();
  void deleted();
  void locked();   // a version that was there
  void vanished(); // between listing and reading
  void same(const std::string& source_bucket, std::size_t target_only_versions);
  void differs(const object_path& source, std::string why);
  void failed(const std::string& what, const error& why);
  void only_in_target(const std::string& source_bucket, const object_path& target);
  // The source's listing of this bucket is in no order: what was told of it is void, and what only the target has
  // stays unknown.
  void without_order(const std::string& source_bucket);
  void lost(const std::string& what);    // something of an object that its copy has not
  void bucket(bucket_result done);       // replaces that of an earlier pass
  void identities(identity_result done); // of the latest pass

  // Many copies in a row failed because a server did not answer.
  bool server_unreachable(unsigned jobs) const;
  import_counts counts() const;
  bool all_well() const;       // nothing failed, nothing of the source is missing
  bool something_left() const; // that the target does not have, or refused

  std::string text(bool dry_run) const;
  json_object json() const;

private:
  struct difference {
    std::string bucket, key, why;
  };
  import_counts total() const; // with the mutex
  static constexpr std::size_t lines_max = 1000;

  mutable std::mutex mutex_;
  import_counts counts_; // without what is in walked_
  std::uint64_t unreachable_in_a_row_ = 0;
  std::vector<difference> differences_, target_only_;
  struct walked {
    std::uint64_t same = 0, target_only_keys = 0, target_only_versions = 0;
  };
  std::map<std::string, walked> walked_; // by the source's bucket
  std::set<std::string> unordered_;
  std::vector<std::string> failures_;
  std::map<std::string, std::uint64_t> lost_;
  std::vector<bucket_result> buckets_;
  std::optional<identity_result> identities_;
  std::uint64_t identity_steps_ = 0; // of all passes
};

} // namespace cairn::cli
