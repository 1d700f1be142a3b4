// The applied index of a member's metadata, stored outside of it: the file `data_dir`/applied. A log that ends before
// this index was restored from an older image: the node no longer knows what it acknowledged and for whom it voted, and
// must not start.
//
//   file = "cairn-applied 1 " uuid of the cluster " " index "\n"
//
// The file is replaced atomically and durably, now and then: it may be older than the metadata, never newer. Errors:
// corrupt, io_error, no_space.
#pragma once

#include "base/file_system.hpp"
#include "base/ids.hpp"
#include "base/seams.hpp"

namespace cairn {

// 0: there is no record, or it is another cluster's.
result<log_index> load_applied_record(file_system& files, const std::string& data_dir, const uuid& cluster);
result<void> save_applied_record(file_system& files, const std::string& data_dir, const uuid& cluster,
                                 log_index applied);

// When the file is to be replaced: at most every five seconds, and only if there is something new. Not thread-safe.
class applied_record_pace {
public:
  explicit applied_record_pace(log_index kept) : kept_(kept) {}
  bool due(log_index applied, steady_time now) {
    if (applied <= kept_ || now < next_) return false;
    kept_ = applied;
    next_ = now + std::chrono::seconds{5};
    return true;
  }

private:
  log_index kept_;
  steady_time next_;
};

} // namespace cairn
