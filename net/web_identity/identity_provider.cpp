#include "net/web_identity/identity_provider.hpp"

#include "base/json.hpp"
#include "base/log.hpp"
#include "config/rules.hpp"

#include <algorithm>
#include <utility>

namespace cairn::net {

identity_provider::identity_provider(config::oidc_issuer issuer, document_fetcher fetch, const clock& time)
    : issuer_(std::move(issuer)), fetch_(std::move(fetch)), clock_(time), thread_([this] { run(); }) {}

identity_provider::~identity_provider() {
  stop();
  thread_.join();
}

void identity_provider::stop() {
  std::vector<waiting> left;
  {
    const std::lock_guard guard{mutex_};
    stopping_ = true;
    left.swap(waiting_);
  }
  wake_.notify_one();
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
  lock.unlock();
  wake_.notify_one();
}

void identity_provider::run() {
  std::unique_lock lock{mutex_};
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
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
}

result<fetched_document> identity_provider::fetch_keys() const {
  constexpr std::string_view well_known = "/.well-known/openid-configuration";
  auto url = issuer_.jwks_url;
  if (url.empty()) {
    const bool ends_in_slash = issuer_.issuer.ends_with('/');
    const auto base = issuer_.issuer.substr(0, issuer_.issuer.size() - (ends_in_slash ? 1 : 0));
    const auto found = fetch_(base + std::string{well_known}, issuer_.ca_file);
    if (!found) return found.error();
    auto said = read_discovery(found->body, issuer_.issuer);
    if (!said) return said.error();
    url = std::move(*said);
  }
  return fetch_(url, issuer_.ca_file);
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

identity_providers::identity_providers(const std::vector<config::oidc_issuer>& issuers, const document_fetcher& fetch,
                                       const clock& time) {
  for (const auto& one : issuers) all_.push_back(std::make_shared<identity_provider>(one, fetch, time));
}

std::shared_ptr<identity_provider> identity_providers::find(std::string_view issuer) const {
  const auto found =
      std::find_if(all_.begin(), all_.end(), [issuer](const auto& one) { return one->issuer().issuer == issuer; });
  return found == all_.end() ? nullptr : *found;
}

void identity_providers::stop() {
  for (const auto& one : all_) one->stop();
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
