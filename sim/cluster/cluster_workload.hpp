// Users of a simulated cluster: each puts (also conditionally), gets, heads, deletes, lists, uploads in parts
// (cluster_uploads.cpp), copies, changes access rights or the bucket's quota, or locks versions
// (cluster_more_work.cpp), one operation after the other, through any node that serves, on a few shared keys.
// Operations and answers go into a history; the bytes of reads are checked at once. An operation whose node crashes has
// an unknown outcome.
#pragma once

#include "sim/cluster/cluster_node.hpp"
#include "sim/node/slow_client.hpp"
#include "sim/node/slow_uploader.hpp"
#include "sim/world/history.hpp"

namespace cairn::sim {

// Keys to which a lifecycle rule of the bucket applies (cluster_rules.hpp), in addition to the other keys.
struct expiring_work {
  static constexpr std::string_view prefix = "expiring-";
  std::size_t keys = 0;
  // The least time that an object (after its write) or an upload (after its begin) is kept; nullopt: for ever.
  std::optional<microseconds> expire_after, abort_after;
  std::optional<std::uint64_t> size_above; // objects that are not larger are kept
  bool removes_versions = false;           // noncurrent ones
};

struct cluster_work_plan {
  std::size_t keys = 3, users = 4;
  std::uint64_t operations = 80;
  std::uint64_t size_max = 200'000;
  double cancels = 0.03;           // probability that the client leaves during an operation
  microseconds pause_max{200'000}; // between the operations of a user
  double uploads = 0;              // probability that an operation is a multipart upload
  double copies = 0, access = 0;   // likewise: a copy; an operation on access keys or the bucket's public flag
  double renames = 0;              // likewise: a rename
  double policies = 0;             // likewise: one on the policy of the bucket or a user, or that needs it
  bool versioned = false;          // the bucket is versioned
  double locks = 0;                // and has object lock: probability that a put locks its version, or of an unlocking
  // The smallest of the quotas that the bucket gets, or its owner, if it is not empty.
  storage::metadata::bucket_quota quota{};
  bool quota_of_owner = false;
  bool bit_rot = false;       // a read may find no good copy while nodes are down
  bool changed_bytes = false; // or find all copies damaged
  bool failing_disks = false;
  expiring_work expiring;
};

using disk_check = std::function<bool()>; // restarts nodes with failed disks; true: a disk failed since the last call

// Counts the tries of what a failing disk may prevent. Those during which a disk failed say nothing about the cluster
// and do not count.
class tries_beside_faults {
public:
  // After a try that failed: whether there is another one.
  bool again(const disk_check& check_nodes) {
    failed_ = check_nodes() ? 0 : failed_ + 1;
    return failed_ < failed_max && ++rounds_ < rounds_max;
  }

private:
  static constexpr int failed_max = 5, rounds_max = 30;
  int failed_ = 0, rounds_ = 0;
};

class cluster_workload {
public:
  cluster_workload(world& w, checks& c, std::vector<std::unique_ptr<cluster_node>>& nodes, cluster_work_plan plan);

  void make_bucket(const disk_check& check_nodes); // waits until the bucket exists
  void begin();
  void crashing(const cluster_node& node);    // call before the node crashes
  void expect_no_failures() { calm_ = true; } // for operations that begin from now on
  // Commits an operator's command and waits for it. The error, if any, is that of the last of several tries.
  result<void> operate(const storage::metadata::command& c);
  // The same while disks may fail: a try during which one failed does not count.
  result<void> operate_with_retries(const storage::metadata::command& c, const disk_check& check_nodes);
  result<void> try_once(cluster_node& through, const storage::metadata::command& c);
  // While nothing else runs: completes or aborts the uploads that were left.
  void settle_uploads();
  bool done() const noexcept { return busy_ == 0; }
  std::string waiting() const; // text: the operations without an answer
  // While nothing else runs: reads every key through every node; all nodes must agree.
  void verify();
  void verify_versions(); // reads acknowledged versions
  // Looks for all locked versions, and removes them after `pass_retentions` has passed last_retention().
  void verify_locks(const std::function<void()>& pass_retentions);
  wall_ms last_retention() const;
  // While nothing else runs: what fits into a quota exactly is taken, a byte or a version more is refused.
  void verify_quota();
  void judge(); // checks the history
  // From now on rules may delete everything to which they apply.
  void all_due();
  std::string summary() const;

  cluster_node* any_node(); // a node that serves; null: none
  static inline const std::string bucket_name = "bucket";

  struct part {
    content_number number = 0; // the pattern of its bytes
    std::uint64_t size = 0;
    storage::metadata::md5_digest digest{};
  };

private:
  static constexpr std::uint64_t size_min = 16; // distinct contents have distinct bytes
  static constexpr std::size_t nobody = ~std::size_t{0};
  struct content {
    std::uint64_t size = 0;
    std::string etag;
    std::vector<std::pair<content_number, std::uint64_t>> pieces; // patterns and their lengths
  };
  struct part_upload {
    storage::metadata::upload_name name;
    content_number whole = absent;
    std::vector<part> parts;
    std::string digests; // of all parts
    std::size_t stored = 0;
    int tries = 0;
    bool begun = false, finishing = false;
    steady_time asked; // when the upload was requested
  };
  using parts_ptr = std::shared_ptr<part_upload>;
  struct user {
    std::uint64_t operation = 0; // number of the current operation; answers to earlier ones are ignored
    std::size_t node = 0;
    std::vector<history::number> recorded;
    std::string what, key;                 // key: of a put
    storage::metadata::object_lock lock{}; // of a put
    bool busy = false, calm = false;
    std::shared_ptr<slow_uploader> upload;
    std::shared_ptr<slow_client> download;
    parts_ptr parts;
  };
  struct kept_version {
    std::string key;
    storage::metadata::version_id id;
    content_number content = absent;
    storage::metadata::object_lock lock{};
  };

  bool may_be_gone(const kept_version& v) const;
  void later(std::size_t u);
  void next(std::size_t u);
  void start(std::size_t u, cluster_node& node, const std::string& key);
  void put(std::size_t u, cluster_node& node, const std::string& key);
  void put_ended(std::size_t u, content_number number, std::optional<result<actors::put_outcome>> outcome);
  void get(std::size_t u, cluster_node& node, const std::string& key, bool with_body);
  void watch_get(std::size_t u, std::uint64_t operation);
  void get_ended(std::size_t u);
  void remove(std::size_t u, cluster_node& node, const std::string& key);
  void list(std::size_t u, cluster_node& node);
  void admit(std::size_t u, cluster_node& node, std::function<void(const storage::metadata::judgement&)> then);
  void listed(user& it, const storage::metadata::listing& page);
  void condition(operation& o, storage::metadata::write_condition& c, const std::string& key);
  void write_failed(const user& it, const error& why);
  // Adds the delete of a rule for a content that `key` may have: it may take effect at any time once it is due.
  void may_expire(const std::string& key, content_number value);
  bool may_be_aborted(const part_upload& job) const; // by a rule
  void tolerate(const user& it, const error& why);
  bool in_time(std::size_t u, std::uint64_t operation) const { return users_[u].operation == operation; }
  void ended(std::size_t u);
  content_number new_content(const std::string& key, std::uint64_t size);
  content_number add_content(const std::string& key, content whole);
  bool has_bytes(content_number number, std::uint64_t offset, bytes_view bytes) const;
  static bool may_have_happened(errc code);
  std::shared_ptr<slow_client> start_get(cluster_node& node, const std::string& key, bool with_body, bool may_leave,
                                         std::optional<storage::metadata::version_id> version = {},
                                         storage::metadata::judgement judged = {});
  content_number content_of(const storage::metadata::object_row& row);
  content_number verify_key(cluster_node& node, const std::string& key);

  void copy(std::size_t u, cluster_node& node, const std::string& key, bool renames);
  void rename_found(std::size_t u, const std::string& from, const std::string& key,
                    const storage::metadata::object_row& source);
  void copy_found(std::size_t u, const std::string& from, const std::string& key,
                  const storage::metadata::object_row& source);
  void about_access(std::size_t u, cluster_node& node);
  void change_access(std::size_t u, cluster_node& node, const std::string& what, const operation& o,
                     storage::metadata::command c);
  void read_access(std::size_t u, cluster_node& node, const std::string& what, const std::string& id,
                   std::function<content_number(const actors::found_access&)> seen);
  void prepare_policies(const disk_check& check_nodes);
  void make_user(const disk_check& check_nodes);
  void about_policy(std::size_t u, cluster_node& node);
  void about_user(std::size_t u, cluster_node& node);
  void about_role(std::size_t u, cluster_node& node);
  void use_policy(std::size_t u, cluster_node& node, const std::string& what, storage::metadata::authority by,
                  storage::policy::action wanted);

  void limit_bucket(const disk_check& check_nodes);
  void about_quota(std::size_t u, cluster_node& node);
  void check_quota();
  storage::metadata::command quota_command(std::optional<std::uint64_t> bytes,
                                           std::optional<std::uint64_t> versions) const;
  std::optional<storage::metadata::usage> limited_usage(cluster_node& node) const;
  result<void> put_bytes(const std::string& bucket, const std::string& key, std::size_t size);

  void lock_bucket(const disk_check& check_nodes);
  storage::metadata::object_lock draw_lock();
  void about_locks(std::size_t u, cluster_node& node);

  parts_ptr new_parts(const std::string& key);
  void upload_in_parts(std::size_t u, cluster_node& node, const std::string& key);
  void send_command(std::size_t u, cluster_node& node, storage::metadata::command c,
                    std::function<void(const result<actors::committed>&)> then);
  void next_part(std::size_t u);
  void part_ended(std::size_t u, const result<actors::put_outcome>& outcome);
  void finish_parts(std::size_t u, cluster_node& node);
  void complete_parts(std::size_t u, cluster_node& node);
  void abort_parts(std::size_t u, cluster_node& node);
  void not_ended(const user& it, const error& why);
  void forget_upload(user& it);
  std::size_t list_uploads(cluster_node& node);

  world& w_;
  checks& checks_;
  std::vector<std::unique_ptr<cluster_node>>& nodes_;
  const cluster_work_plan plan_;
  std::vector<std::string> keys_;
  std::map<content_number, content> contents_;
  std::map<std::string, content_number> by_etag_;
  std::map<std::string, std::vector<content_number>> written_; // by key
  std::vector<user> users_;
  history history_;
  std::map<errc, std::uint64_t> failures_;
  std::uint64_t left_ = 0, next_operation_ = 1, stored_ = 0, whole_reads_ = 0, completed_uploads_ = 0, copies_ = 0,
                renames_ = 0, access_numbers_ = 0, locks_held_ = 0, over_quota_ = 0;
  std::vector<kept_version> versions_, locked_;
  content_number next_content_ = 1;
  std::vector<parts_ptr> left_uploads_, aborted_uploads_;
  std::size_t uncertain_uploads_ = 0; // that may still exist
  std::size_t busy_ = 0;
  bool calm_ = false;
  std::vector<std::pair<std::string, content_number>> not_due_; // in the order of their writes
  bool all_due_ = false;
};

} // namespace cairn::sim
