#include "sim/world/object_model.hpp"

namespace cairn::sim {

void object_model::begin_write(const std::string& key, content_number value) {
  auto& k = keys_.at(key);
  checks_.expect(!k.writing, "the workload wrote a key twice at once");
  k.writing = true;
  ++k.changes;
  k.pending_is_new = k.possible.insert(value).second;
  for (auto& [id, r] : reads_) {
    if (r.key == key) r.allowed.insert(value);
  }
}

void object_model::acknowledged(const std::string& key, content_number value) {
  auto& k = keys_.at(key);
  k.writing = false;
  ++k.changes;
  k.possible = {value};
}

void object_model::refused(const std::string& key, content_number value) {
  auto& k = keys_.at(key);
  k.writing = false;
  ++k.changes;
  if (k.pending_is_new) k.possible.erase(value);
}

void object_model::unknown(const std::string& key) {
  auto& k = keys_.at(key);
  k.writing = false;
  ++k.changes;
}

std::uint64_t object_model::begin_read(const std::string& key) {
  reads_[next_read_] = {key, keys_.at(key).possible};
  return next_read_++;
}

void object_model::observed(std::uint64_t read, content_number value) {
  const auto at = reads_.find(read);
  if (at == reads_.end()) return;
  if (!at->second.allowed.contains(value)) {
    std::string allowed;
    for (const auto v : at->second.allowed) allowed += " " + std::to_string(v);
    checks_.fail("read of " + at->second.key + " saw content " + std::to_string(value) + ", possible were" + allowed);
  }
  reads_.erase(at);
}

void object_model::crashed() {
  reads_.clear();
  for (auto& [key, k] : keys_) {
    k.writing = false;
    ++k.changes;
  }
}

void object_model::settle(const std::string& key, content_number value) {
  auto& k = keys_.at(key);
  if (!k.possible.contains(value)) {
    checks_.fail("after a restart " + key + " is content " + std::to_string(value) + ", which it can't be");
  }
  k.possible = {value};
}

} // namespace cairn::sim
