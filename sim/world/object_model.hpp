// What the objects of a bucket may be, as far as their clients can know. A key holds one of a set of contents (0:
// absent): an acknowledged write leaves one, a write whose outcome nobody was told leaves both. Writes of one key don't
// overlap. A read may see what was possible at any moment between its beginning and its answer.
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
  void acknowledged(const std::string& key, content_number value); // it is this from now on
  void refused(const std::string& key, content_number value);      // it did not happen and never will
  void unknown(const std::string& key);                            // it may have happened, or still will

  std::uint64_t begin_read(const std::string& key);
  void observed(std::uint64_t read, content_number value);
  void end_read(std::uint64_t read) { reads_.erase(read); } // without having seen anything

  // After a restart nothing is on its way: what is seen now is what it is.
  void crashed();
  void settle(const std::string& key, content_number value);

  const std::set<content_number>& possible(const std::string& key) const { return keys_.at(key).possible; }
  // Changes whenever the key's possibilities do.
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
