#include "net/limits/rate_limiter.hpp"

#include <algorithm>
#include <utility>

namespace cairn::net {

namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr std::size_t piece_bytes_max = 256 << 10;
constexpr std::uint64_t pieces_per_second = 16, bursts_per_second = 4; // bursts: of bytes
constexpr std::size_t account_name_max = 128;                          // the longest access key; buckets are shorter
constexpr std::size_t accounts_step = 256;                             // charged at once
constexpr std::size_t sweep_at_min = 1024;
constexpr auto table_sweep_pause = 100ms;
static_assert(sizeof(rate_account) + account_name_max + 128 <= rate_limiter::account_bytes, "with nodes and pointers");

rate_limits limits_of(const config::rate_limit& from) {
  return {from.requests_per_second, from.transfers, from.bytes_per_second.bytes};
}

} // namespace

rate_account::rate_account(const rate_limits& limits) : limits_(limits), bytes_per_second_(limits.bytes_per_second) {}

token_rate rate_account::requests_rate() const {
  const double rate = std::max<std::uint32_t>(limits_.requests_per_second, 1);
  return {rate, rate};
}

token_rate rate_account::bytes_rate() const {
  const auto rate = static_cast<double>(std::max<std::uint64_t>(limits_.bytes_per_second, 1));
  return {rate, rate / bursts_per_second};
}

void rate_account::change(const rate_limits& limits) {
  const std::lock_guard lock{mutex_};
  limits_ = limits;
  bytes_per_second_ = limits.bytes_per_second;
}

std::optional<nanoseconds> rate_account::begin_request(steady_time now) {
  const std::lock_guard lock{mutex_};
  if (limits_.transfers > 0 && running_ >= limits_.transfers) return 1s;
  if (limits_.requests_per_second > 0 && !requests_.take(requests_rate(), now))
    return requests_.time_until(1, requests_rate(), now);
  ++running_;
  return std::nullopt;
}

void rate_account::end_request() {
  const std::lock_guard lock{mutex_};
  --running_;
}

bool rate_account::is_unused(steady_time now) {
  const std::lock_guard lock{mutex_};
  return running_ == 0 && requests_.full(requests_rate(), now) && bytes_.full(bytes_rate(), now);
}

nanoseconds rate_account::pause(steady_time now) {
  const std::lock_guard lock{mutex_};
  return limits_.bytes_per_second == 0 ? 0ns : bytes_.time_until(0, bytes_rate(), now);
}

void rate_account::count(std::size_t bytes, steady_time now) {
  const std::lock_guard lock{mutex_};
  if (limits_.bytes_per_second > 0) bytes_.spend(static_cast<double>(bytes), bytes_rate(), now);
}

void rate_ticket::end() {
  for (auto& account : accounts_)
    if (const auto ended = std::exchange(account, nullptr)) ended->end_request();
}

bool rate_ticket::paces() const {
  return std::any_of(accounts_.begin(), accounts_.end(),
                     [](const auto& account) { return account && account->bytes_per_second() > 0; });
}

std::size_t rate_ticket::piece_bytes() const {
  std::uint64_t bytes = piece_bytes_max;
  for (const auto& account : accounts_) {
    const auto rate = account ? account->bytes_per_second() : 0;
    if (rate > 0) bytes = std::min(bytes, std::max<std::uint64_t>(rate / pieces_per_second, 1));
  }
  return bytes;
}

nanoseconds rate_ticket::pause(steady_time now) const {
  nanoseconds longest{0};
  for (const auto& account : accounts_)
    if (account) longest = std::max(longest, account->pause(now));
  return longest;
}

void rate_ticket::count(std::size_t bytes, steady_time now) {
  for (const auto& account : accounts_)
    if (account) account->count(bytes, now);
}

rate_limiter::rate_limiter(std::shared_ptr<buffer_pool> memory) : memory_(std::move(memory)) {
  for (auto& t : tables_) t.sweep_at = sweep_at_min;
}

void rate_limiter::apply(const std::vector<config::rate_limit>& rates) {
  const std::lock_guard lock{mutex_};
  for (auto& t : tables_) {
    t.named.clear();
    t.prefixes.clear();
    t.others.reset();
  }
  for (const auto& rate : rates) {
    auto& t = tables_[static_cast<std::size_t>(rate.of)];
    const rule fresh{limits_of(rate), std::make_shared<rate_account>(limits_of(rate))};
    if (rate.name == config::each_party)
      t.others = fresh;
    else if (rate.of != config::rate_of::address)
      t.named.emplace(rate.name, fresh);
    else if (const auto prefix = config::parse_address_prefix(rate.name))
      t.prefixes.emplace_back(*prefix, fresh);
  }
  for (auto& t : tables_) {
    std::stable_sort(t.prefixes.begin(), t.prefixes.end(),
                     [](const auto& a, const auto& b) { return a.first.bits > b.first.bits; });
    for (const auto& [party, account] : t.accounts) {
      const auto* const r = rule_of(t, party);
      account->change(r != nullptr ? r->limits : rate_limits{});
    }
    t.active = t.others || !t.named.empty() || !t.prefixes.empty();
  }
}

// The name of an account; empty: the address is not known any more.
std::string rate_limiter::party_of(config::rate_of of, std::string_view name) {
  if (of != config::rate_of::address) return std::string{name.substr(0, account_name_max)};
  const auto address = config::parse_address_bytes(name);
  if (!address) return {};
  const auto party = config::party_of(*address);
  return {party.begin(), party.end()};
}

const rate_limiter::rule* rate_limiter::rule_of(const table& t, const std::string& party) {
  if (const auto found = t.named.find(party); found != t.named.end()) return &found->second;
  if (config::address_bytes address{}; !t.prefixes.empty()) {
    std::copy_n(party.begin(), std::min(party.size(), address.size()), address.begin());
    for (const auto& [prefix, r] : t.prefixes)
      if (prefix.contains(address)) return &r;
  }
  return t.others ? &*t.others : nullptr;
}

std::optional<nanoseconds> rate_limiter::admit(config::rate_of of, std::string_view name, std::size_t bytes,
                                               steady_time now, rate_ticket& ticket) {
  const auto kind = static_cast<std::size_t>(of);
  auto& t = tables_[kind];
  if (!limits(of)) return std::nullopt;
  const auto party = party_of(of, name);
  if (party.empty()) return std::nullopt;
  std::shared_ptr<rate_account> account;
  {
    const std::lock_guard lock{mutex_};
    const auto* const r = rule_of(t, party);
    if (r == nullptr || !r->limits.any()) return std::nullopt;
    account = account_of(t, *r, party, now);
  }
  if (const auto wait = account->begin_request(now)) return wait;
  account->count(bytes, now);
  if (const auto before = std::exchange(ticket.accounts_[kind], std::move(account))) before->end_request();
  return std::nullopt;
}

std::shared_ptr<rate_account> rate_limiter::account_of(table& t, const rule& r, const std::string& party,
                                                       steady_time now) {
  if (const auto found = t.accounts.find(party); found != t.accounts.end()) return found->second;
  if (t.accounts.size() >= t.sweep_at || !charge(accounts() + 1)) sweep(t, now);
  if (t.accounts.size() >= parties_max || !charge(accounts() + 1)) return r.rest;
  return t.accounts.emplace(party, std::make_shared<rate_account>(r.limits)).first->second;
}

// A full table is not searched for each request.
void rate_limiter::sweep(table& t, steady_time now) {
  if (t.swept && now >= *t.swept && now - *t.swept < table_sweep_pause) return;
  t.swept = now;
  // Nobody else gets a pointer to an account while the mutex is held.
  std::erase_if(t.accounts,
                [now](const auto& entry) { return entry.second.use_count() == 1 && entry.second->is_unused(now); });
  t.sweep_at = std::clamp(2 * t.accounts.size(), sweep_at_min, parties_max);
}

std::size_t rate_limiter::accounts() const {
  std::size_t sum = 0;
  for (const auto& t : tables_) sum += t.accounts.size();
  return sum;
}

// Also gives back what is not needed any more.
bool rate_limiter::charge(std::size_t accounts) {
  const auto wanted = (accounts + accounts_step - 1) / accounts_step * accounts_step * account_bytes;
  if (wanted == charge_.bytes()) return true;
  if (charge_.bytes() > 0) return charge_.resize(wanted);
  auto fresh = memory_->try_charge(wanted, nullptr);
  if (fresh) charge_ = std::move(*fresh);
  return fresh.has_value();
}

} // namespace cairn::net
