#include "net/wire/eviction.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr nanoseconds patience_at_half = 30s, patience_when_spent = patience_min;
constexpr double spent = 7.0 / 8; // the share of a single party

double used(const memory_pressure& p) {
  return p.limit_bytes == 0 ? 1 : double(p.in_use_bytes) / double(p.limit_bytes);
}

} // namespace

std::vector<std::size_t> places_to_clear(const std::vector<connection_place>& places, std::size_t wanted) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i].kind != standing::active) order.push_back(i);
  const auto count = std::min(wanted, order.size());
  const auto before = [&places](std::size_t a, std::size_t b) {
    const auto &x = places[a], &y = places[b];
    if (x.kind != y.kind) return x.kind < y.kind;
    if (x.connections_of_party != y.connections_of_party) return x.connections_of_party > y.connections_of_party;
    return x.since > y.since;
  };
  std::partial_sort(order.begin(), order.begin() + std::ptrdiff_t(count), order.end(), before);
  order.resize(count);
  return order;
}

nanoseconds patience_under(const memory_pressure& pressure) {
  if (pressure.has_waiters || used(pressure) >= spent) return patience_when_spent;
  const double part = std::clamp((used(pressure) - 0.5) / (spent - 0.5), 0.0, 1.0);
  return nanoseconds{
      std::int64_t(double(patience_at_half.count()) * (1 - part) + double(patience_when_spent.count()) * part)};
}

std::vector<std::size_t> holders_to_end(const std::vector<memory_holder>& holders, const memory_pressure& pressure) {
  std::vector<std::size_t> chosen;
  if (!pressure.has_waiters && used(pressure) <= 0.5) return chosen;
  const auto patience = patience_under(pressure);
  const bool nearly_spent = pressure.has_waiters || used(pressure) >= spent;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    const auto& h = holders[i];
    if (h.held_bytes > 0 && (h.since >= patience || (nearly_spent && h.bytes_per_second < slow_rate)))
      chosen.push_back(i);
  }
  const auto cost = [&holders](std::size_t i) {
    return double(holders[i].since.count()) * double(holders[i].held_by_party);
  };
  std::sort(chosen.begin(), chosen.end(), [&cost](std::size_t a, std::size_t b) { return cost(a) > cost(b); });
  const auto target = pressure.limit_bytes / 8 * 3;
  auto left = pressure.in_use_bytes;
  std::size_t count = 0;
  while (count < chosen.size() && left > target) left -= std::min(left, holders[chosen[count++]].held_bytes);
  chosen.resize(count);
  return chosen;
}

} // namespace cairn::net
