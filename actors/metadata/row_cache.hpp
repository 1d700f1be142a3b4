// A cache of hot rows by (bucket, key), bounded by bytes, least recently used first out. A bucket's own row has the
// empty key, an access key's row the empty bucket. Rows of access keys come with the policies of the key's user, so a
// change of a user, a group or a policy is one of all access keys: its name is empty in both parts. So is it one of the
// list of all users' ids, which has a name that no access key has.
//
// The cache never serves a row that a commit made stale, and a reader never sees a commit that a later reader does not
// see: while a command that changes a name is being applied, the name is neither served nor filled, and a row that was
// read from a snapshot during or before that time is not kept. A plain class of the metadata actor. Byte counts are
// estimates that include the entry's overhead.
#pragma once

#include "actors/protocol/messages.hpp"

#include <list>
#include <string_view>
#include <unordered_map>

namespace cairn::actors {

struct row_name {
  std::string_view bucket, key;
  friend bool operator==(const row_name&, const row_name&) = default;
};
struct row_name_hash {
  std::size_t operator()(const row_name& n) const noexcept {
    const std::hash<std::string_view> h;
    return h(n.bucket) * 0x9E3779B97F4A7C15ull ^ h(n.key);
  }
};

struct cached_row {
  found_object object; // without a hold
  std::shared_ptr<const storage::metadata::bucket_row> bucket;
  std::shared_ptr<const storage::metadata::access_key_row> access_key;
  user_id_list user_ids{};
};
constexpr row_name user_ids_name{{}, "/ids of users"};

class row_cache {
public:
  explicit row_cache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Valid until the next call of another function.
  const cached_row* find(row_name name);

  // Surround a look-up in a snapshot: begin_miss before (it returns a ticket), finish_miss after.
  std::uint64_t begin_miss(row_name name);
  void finish_miss(std::uint64_t ticket, std::optional<cached_row> row); // nullopt: no row to keep

  // Surround the application of a command that changes the row of this name, until snapshots show it.
  void begin_change(row_name name);
  void end_change(row_name name);
  // Whether a row of this name is being changed: snapshots may have an older one than what was applied.
  bool is_changing(row_name name) const {
    return all_changing_ > 0 || changing_.contains(name) || (name.bucket.empty() && changing_.contains(row_name{}));
  }
  // The same for all names at once: the whole state is being replaced.
  void begin_change_of_all();
  void end_change_of_all() { --all_changing_; }

  std::size_t bytes() const noexcept { return bytes_; }
  std::size_t rows() const noexcept { return rows_.size(); }

private:
  struct full_name {
    std::string bucket, key;
    row_name view() const noexcept { return {bucket, key}; }
  };
  struct row {
    full_name name;
    cached_row value;
    std::size_t bytes;
  };
  struct miss {
    full_name name;
    bool stale;
  };
  void drop(std::list<row>::iterator at);
  void drop_access_keys();

  const std::size_t bytes_max_;
  std::size_t bytes_ = 0;
  std::list<row> order_;                                                       // most recently used first
  std::unordered_map<row_name, std::list<row>::iterator, row_name_hash> rows_; // names point into order_
  std::unordered_map<std::uint64_t, miss> misses_;
  std::unordered_multimap<row_name, std::uint64_t, row_name_hash> misses_by_name_; // names point into misses_
  std::list<full_name> changing_names_;
  struct change {
    std::list<full_name>::iterator name;
    std::size_t count;
  };
  std::unordered_map<row_name, change, row_name_hash> changing_; // names point into changing_names_
  std::size_t all_changing_ = 0;
  std::uint64_t next_ticket_ = 1;
};

} // namespace cairn::actors
