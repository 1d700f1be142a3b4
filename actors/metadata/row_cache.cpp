#include "actors/metadata/row_cache.hpp"

namespace cairn::actors {

namespace {

constexpr std::size_t cached_row_overhead_bytes = 400; // list and hash nodes, control blocks
constexpr std::size_t policy_bytes_each = 6;           // memory for a byte of a policy: its text and its compiled form

std::size_t text_bytes(const std::vector<std::pair<std::string, std::string>>& headers) {
  std::size_t n = 0;
  for (const auto& [name, value] : headers) n += name.size() + value.size() + 2 * sizeof(std::string);
  return n;
}

std::size_t bytes_of(const std::vector<storage::metadata::cors_rule>& rules) {
  std::size_t n = 0;
  for (const auto& rule : rules) {
    n += sizeof rule + rule.id.size();
    for (const auto* texts : {&rule.origins, &rule.methods, &rule.headers, &rule.exposed})
      for (const auto& text : *texts) n += sizeof(std::string) + text.size();
  }
  return n;
}

std::size_t bytes_of(const std::vector<storage::metadata::lifecycle_rule>& rules) {
  std::size_t n = 0;
  for (const auto& rule : rules) n += sizeof rule + rule.id.size() + rule.prefix.size() + text_bytes(rule.tags);
  return n;
}

std::size_t bytes_of(const cached_row& r) {
  std::size_t n = cached_row_overhead_bytes;
  if (const auto& row = r.object.row) {
    n += sizeof *row + row->headers.content_type.size() + text_bytes(row->headers.standard) +
         text_bytes(row->headers.user) + bytes_of(row->extras.grants) + row->extras.owner.size();
  }
  if (r.object.inline_bytes) n += r.object.inline_bytes->capacity();
  if (r.object.parts) n += r.object.parts->capacity() * sizeof(storage::metadata::manifest_part);
  if (r.bucket) {
    n += sizeof *r.bucket + r.bucket->name.size() + bytes_of(r.bucket->cors) + bytes_of(r.bucket->lifecycle) +
         text_bytes(r.bucket->tags) + bytes_of(r.bucket->grants);
  }
  if (r.user_ids)
    for (const auto& id : *r.user_ids) n += sizeof(std::string) + id.size();
  if (const auto& key = r.access_key) {
    n += sizeof *key + key->id.size() + key->secret.size() + key->label.size();
    n += key->grants.capacity() * sizeof(storage::metadata::bucket_grant);
    if (key->of_user)
      for (const auto& one : key->of_user->policies) n += policy_bytes_each * one.document.text().size();
  }
  return n;
}

} // namespace

const cached_row* row_cache::find(row_name name) {
  const auto at = rows_.find(name);
  if (at == rows_.end()) return nullptr;
  order_.splice(order_.begin(), order_, at->second);
  return &at->second->value;
}

void row_cache::drop(std::list<row>::iterator at) {
  bytes_ -= at->bytes;
  rows_.erase(at->name.view());
  order_.erase(at);
}

std::uint64_t row_cache::begin_miss(row_name name) {
  const auto ticket = next_ticket_++;
  const auto at =
      misses_.emplace(ticket, miss{{std::string{name.bucket}, std::string{name.key}}, is_changing(name)}).first;
  misses_by_name_.emplace(at->second.name.view(), ticket);
  return ticket;
}

void row_cache::finish_miss(std::uint64_t ticket, std::optional<cached_row> value) {
  const auto at = misses_.find(ticket);
  CAIRN_ASSERT(at != misses_.end());
  const auto [first, last] = misses_by_name_.equal_range(at->second.name.view());
  for (auto i = first; i != last; ++i) {
    if (i->second != ticket) continue;
    misses_by_name_.erase(i);
    break;
  }
  auto done = std::move(at->second);
  misses_.erase(at);
  if (done.stale || !value || rows_.contains(done.name.view())) return;
  const auto bytes = bytes_of(*value) + done.name.bucket.size() + done.name.key.size();
  if (bytes > bytes_max_ / 8) return;
  order_.push_front({std::move(done.name), std::move(*value), bytes});
  rows_.emplace(order_.front().name.view(), order_.begin());
  bytes_ += bytes;
  while (bytes_ > bytes_max_) drop(std::prev(order_.end()));
}

void row_cache::drop_access_keys() {
  for (auto at = order_.begin(); at != order_.end();) {
    const auto here = at++;
    if (here->value.access_key || here->value.user_ids) drop(here);
  }
  for (auto& [ticket, m] : misses_) m.stale = m.stale || m.name.bucket.empty();
}

void row_cache::begin_change(row_name name) {
  if (name == row_name{}) drop_access_keys();
  if (const auto at = rows_.find(name); at != rows_.end()) drop(at->second);
  const auto [first, last] = misses_by_name_.equal_range(name);
  for (auto i = first; i != last; ++i) misses_.at(i->second).stale = true;
  if (const auto at = changing_.find(name); at != changing_.end()) {
    ++at->second.count;
    return;
  }
  changing_names_.push_front({std::string{name.bucket}, std::string{name.key}});
  changing_.emplace(changing_names_.front().view(), change{changing_names_.begin(), 1});
}

void row_cache::begin_change_of_all() {
  ++all_changing_;
  while (!order_.empty()) drop(order_.begin());
  for (auto& [ticket, m] : misses_) m.stale = true;
}

void row_cache::end_change(row_name name) {
  const auto at = changing_.find(name);
  CAIRN_ASSERT(at != changing_.end());
  if (--at->second.count > 0) return;
  const auto stored = at->second.name;
  changing_.erase(at);
  changing_names_.erase(stored);
}

} // namespace cairn::actors
