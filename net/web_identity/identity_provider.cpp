#include "net/web_identity/identity_provider.hpp"

#include "base/json.hpp"
#include "base/log.hpp"
#include "config/rules.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

namespace cairn::net {

identity_provider::identity_provider(config::oidc_issuer issuer, document_fetcher fetch, const clock& time,
                                     std::vector<std::string> thumbprints)
    : issuer_(std::move(issuer)),
      trust_{issuer_.ca_file, std::move(thumbprints)},
      fetch_(std::move(fetch)),
      clock_(time) {}

identity_provider::~identity_provider() {
  stop();
  if (thread_.joinable()) thread_.join();
}

bool identity_provider::is_idle() {
  const std::lock_guard guard{mutex_};
  return !fetching_;
}

void identity_provider::stop() {
  std::vector<waiting> left;
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
    left.swap(waiting_);
  }
  for (const auto& one : left) one.then(error{errc::stopping, "the node is shutting down"});
}

namespace {

result<std::shared_ptr<const json_web_keys>> answer_of(key_cache::state state, const key_cache& cache) {
  if (state == key_cache::state::known) return cache.keys();
  if (state == key_cache::state::unknown) return error{errc::not_found, "the issuer has no such key"};
  return error{errc::connection_lost, "the issuer's keys could not be fetched"};
}

} // namespace

void identity_provider::keys_for(const signature_header& wanted, then_keys then) {
  std::unique_lock lock{mutex_};
  if (stopping_) {
    lock.unlock();
    return then(error{errc::stopping, "the node is shutting down"});
  }
  const auto state = cache_.ask(wanted, clock_.now());
  if (state != key_cache::state::wait) {
    const auto answer = answer_of(state, cache_);
    lock.unlock();
    return then(answer);
  }
  if (waiting_.size() >= waiting_max) {
    lock.unlock();
    return then(error{errc::slow_down, "too many requests wait for the issuer's keys"});
  }
  waiting_.push_back({wanted, std::move(then)});
  if (fetching_ || begin_thread()) return;
  cache_.failed(clock_.now());
  const auto refused = std::exchange(waiting_, {});
  lock.unlock();
  for (const auto& one : refused) one.then(error{errc::slow_down, "there is no thread to fetch the issuer's keys"});
}

// With the mutex.
bool identity_provider::begin_thread() {
  if (thread_.joinable()) thread_.join(); // it has ended, or is about to: it does nothing after its fetch
  try {
    thread_ = std::thread{[this] { run(); }};
  } catch (const std::system_error&) {
    return false;
  }
  fetching_ = true;
  return true;
}

void identity_provider::run() {
  std::unique_lock lock{mutex_};
  while (!stopping_ && !waiting_.empty()) {
    lock.unlock();
    const auto fetched = fetch_keys();
    lock.lock();
    const auto now = clock_.now();
    take(fetched, now);
    auto answered = std::exchange(waiting_, {});
    std::vector<result<std::shared_ptr<const json_web_keys>>> answers;
    answers.reserve(answered.size());
    // Right after a fetch nothing waits.
    for (const auto& one : answered) answers.push_back(answer_of(cache_.ask(one.wanted, now), cache_));
    lock.unlock();
    for (std::size_t i = 0; i < answered.size(); ++i) answered[i].then(std::move(answers[i]));
    answered.clear();
    lock.lock();
  }
  fetching_ = false;
}

result<fetched_document> identity_provider::fetch_keys() const {
  constexpr std::string_view well_known = "/.well-known/openid-configuration";
  auto url = issuer_.jwks_url;
  if (url.empty()) {
    const bool ends_in_slash = issuer_.issuer.ends_with('/');
    const auto base = issuer_.issuer.substr(0, issuer_.issuer.size() - (ends_in_slash ? 1 : 0));
    const auto found = fetch_(base + std::string{well_known}, trust_);
    if (!found) return found.error();
    auto said = read_discovery(found->body, issuer_.issuer);
    if (!said) return said.error();
    url = std::move(*said);
  }
  return fetch_(url, trust_);
}

// One line when the issuer begins to fail, and one when it is back: strangers may cause fetches.
void identity_provider::take(const result<fetched_document>& fetched, steady_time now) {
  std::optional<error> failed;
  if (fetched) {
    auto keys = json_web_keys::read(fetched->body);
    if (keys)
      cache_.fetched(std::move(*keys), fetched->max_age, now);
    else
      failed = keys.error();
  } else {
    failed = fetched.error();
  }
  if (failed) cache_.failed(now);
  if (std::exchange(failing_, failed.has_value()) == failed.has_value()) return;
  if (failed)
    log::info("the keys of an issuer of web identities can't be fetched",
              {{"issuer", issuer_.issuer}, {"error", to_string(*failed)}});
  else
    log::info("the keys of an issuer of web identities are fetched again", {{"issuer", issuer_.issuer}});
}

identity_providers::identity_providers(const std::vector<config::oidc_issuer>& issuers, document_fetcher fetch,
                                       const clock& time)
    : fetch_(std::move(fetch)), clock_(time) {
  for (const auto& one : issuers) configured_.push_back(std::make_shared<identity_provider>(one, fetch_, time));
}

std::shared_ptr<identity_provider> identity_providers::configured(std::string_view issuer) const {
  const auto found = std::find_if(configured_.begin(), configured_.end(),
                                  [issuer](const auto& one) { return one->issuer().issuer == issuer; });
  return found == configured_.end() ? nullptr : *found;
}

std::shared_ptr<identity_provider> identity_providers::made(const std::string& issuer,
                                                            const std::vector<std::string>& thumbprints) {
  const std::lock_guard guard{mutex_};
  auto found = std::find_if(made_.begin(), made_.end(), [&](const auto& one) {
    return one->issuer().issuer == issuer && one->trust().thumbprints == thumbprints;
  });
  if (found == made_.end()) {
    // Nobody else has those that go, nor gets them. One that is fetching would be waited for.
    for (auto old = made_.begin(); old != made_.end() && made_.size() >= made_max;)
      old = old->use_count() == 1 && (*old)->is_idle() ? made_.erase(old) : old + 1;
    made_.push_back(
        std::make_shared<identity_provider>(config::oidc_issuer{issuer, {}, {}, {}}, fetch_, clock_, thumbprints));
    if (stopping_) made_.back()->stop();
  } else {
    std::rotate(found, found + 1, made_.end());
  }
  return made_.back();
}

void identity_providers::stop() {
  for (const auto& one : configured_) one->stop();
  const std::lock_guard guard{mutex_};
  stopping_ = true;
  for (const auto& one : made_) one->stop();
}

result<std::string> read_discovery(std::string_view json, const std::string& issuer) {
  constexpr std::size_t depth_max = 16;
  const auto document = read_json(json, json_web_keys::bytes_max, depth_max);
  const auto* const object = document ? document->if_object() : nullptr;
  if (object == nullptr || has_repeated_members(json, *document) || !object->contains("issuer") ||
      text_of(object->at("issuer")) != issuer)
    return error{errc::invalid_argument, "its openid-configuration is not that of this issuer"};
  std::string url{object->contains("jwks_uri") ? text_of(object->at("jwks_uri")) : std::string_view{}};
  const bool encrypted = url.starts_with("https://") || !issuer.starts_with("https://");
  if (!encrypted || !config::is_https_url(url))
    return error{errc::invalid_argument, "its openid-configuration has no jwks_uri that may be used"};
  return url;
}

} // namespace cairn::net
