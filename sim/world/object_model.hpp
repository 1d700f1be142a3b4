// What the objects of a bucket may contain, as far as clients can know. A key has a set of possible contents (0:
// absent): an acknowledged write leaves one, a write with an unknown outcome leaves the old ones and the new one.
// Writes of one key do not overlap. A read may see any content that was possible at a moment between its begin and its
// answer.
#pragma once

#include "sim/world/checks.hpp"

#include <cstdint>
#include <map>
#include <set>
#include <string>

namespace cairn::sim {

using content_number = std::uint64_t;
constexpr content_number absent = 0;

class object_model {
public:
  explicit object_model(checks& c) : checks_(c) {}

  bool may_write(const std::string& key) const { return !keys_.at(key).writing; }
  void add_key(const std::string& key) { keys_[key].possible = {absent}; }
  void begin_write(const std::string& key, content_number value);
  void acknowledged(const std::string& key, content_number value); // the key has this content from now on
  void refused(const std::string& key, content_number value);      // the write had no effect and will have none
  void unknown(const std::string& key);                            // the write may have taken effect, or still will

  std::uint64_t begin_read(const std::string& key);
  void observed(std::uint64_t read, content_number value);
  void end_read(std::uint64_t read) { reads_.erase(read); } // without a result

  // After a restart no write is in flight: the content that is read now is the key's content.
  void crashed();
  void settle(const std::string& key, content_number value);

  const std::set<content_number>& possible(const std::string& key) const { return keys_.at(key).possible; }
  // Changes whenever the possible contents change.
  std::uint64_t changes(const std::string& key) const { return keys_.at(key).changes; }

private:
  struct key_state {
    std::set<content_number> possible;
    bool writing = false, pending_is_new = false;
    std::uint64_t changes = 0;
  };
  struct open_read {
    std::string key;
    std::set<content_number> allowed;
  };
  checks& checks_;
  std::map<std::string, key_state> keys_;
  std::map<std::uint64_t, open_read> reads_;
  std::uint64_t next_read_ = 1;
};

} // namespace cairn::sim
