#include "config/suggest.hpp"

#include "config/keys.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

namespace cairn::config {

namespace {

// A longer name is not a misspelt key, so it is not compared.
constexpr std::size_t name_bytes_max = 64;

constexpr auto too_far = std::numeric_limits<std::size_t>::max();

// Near: at most two edits, or a third of a long name.
bool is_near(std::size_t distance, std::string_view name) {
  return distance <= std::max<std::size_t>(2, name.size() / 3);
}

std::string keys_of(std::string_view section) {
  std::string out;
  for (const auto& k : keys())
    if (k.section == section) out.append(out.empty() ? "" : ", ").append(k.name);
  return out;
}

} // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i + 1);
    for (std::size_t j = 0; j < b.size(); ++j) {
      const auto replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = std::exchange(row[j + 1], std::min({replaced, row[j] + 1, row[j + 1] + 1}));
    }
  }
  return row[b.size()];
}

std::string suggest_key(std::string_view full_name) {
  const auto dot = full_name.find('.');
  const auto section = full_name.substr(0, dot);
  const auto name = dot == std::string_view::npos ? full_name : full_name.substr(dot + 1);
  std::string best;
  std::size_t best_distance = too_far;
  const auto offer = [&](std::size_t distance, const key& k) {
    if (distance >= best_distance) return;
    best_distance = distance;
    best = k.full_name();
  };
  for (const auto& k : keys()) {
    if (name.size() > name_bytes_max) break;
    const auto distance = edit_distance(name, k.name);
    if (!is_near(distance, k.name)) continue;
    if (k.section == section)
      offer(distance, k);
    else if (distance == 0)
      offer(1, k); // the right name in the wrong section is preferred to two edits in this section
  }
  if (!best.empty()) return "did you mean " + best + "?";
  const auto known = keys_of(section);
  if (known.empty()) return "write it as section.key; `cairn config reference` lists them";
  return '[' + std::string(section) + "] has " + known;
}

std::string suggest_section(std::string_view name) {
  std::string_view best;
  std::size_t best_distance = too_far;
  std::string all;
  for (const auto& s : sections()) {
    all.append(all.empty() ? "" : ", ").append(s.name);
    if (name.size() > name_bytes_max) continue;
    const auto distance = edit_distance(name, s.name);
    if (distance >= best_distance || !is_near(distance, s.name)) continue;
    best_distance = distance;
    best = s.name;
  }
  if (best.empty()) return "the sections are " + all;
  return "did you mean [" + std::string(best) + "]?";
}

} // namespace cairn::config
