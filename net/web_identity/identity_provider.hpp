// An issuer of web identities (OpenID Connect), and its keys: fetches them when they are needed, from a thread of its
// own, which ends with the fetch, one fetch at a time for all who wait. No request waits on its own thread, and more
// than waiting_max wait for no fetch. key_cache.hpp has the times.
#pragma once

#include "base/seams.hpp"
#include "config/config.hpp"
#include "net/web_identity/key_cache.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace cairn::net {

struct fetched_document {
  std::string body;                            // at most json_web_keys::bytes_max
  std::optional<std::chrono::seconds> max_age; // how long it may be cached, as the server says
};
// By what the certificate of an issuer's server is trusted.
struct issuer_trust {
  std::string ca_file;                    // PEM; empty: the system's certificates
  std::vector<std::string> thumbprints{}; // further ones: of certificates that the server sends, as IAM's API has them
  friend bool operator==(const issuer_trust&, const issuer_trust&) = default;
};
// GET of a URL; waits for the answer, for a bounded time. With https the certificate must be trusted, and valid for the
// host's name. Redirects are errors.
using document_fetcher = std::function<result<fetched_document>(const std::string& url, const issuer_trust& trust)>;

// The clock outlives it. Thread-safe.
class identity_provider {
public:
  static constexpr std::size_t waiting_max = 64;

  // `thumbprints`: of issuer_trust.
  identity_provider(config::oidc_issuer issuer, document_fetcher fetch, const clock& time,
                    std::vector<std::string> thumbprints = {});
  ~identity_provider(); // waits for a fetch that is under way
  identity_provider(const identity_provider&) = delete;
  identity_provider& operator=(const identity_provider&) = delete;

  const config::oidc_issuer& issuer() const { return issuer_; }
  const issuer_trust& trust() const { return trust_; }
  bool is_idle(); // no fetch is under way: it is destroyed at once

  // Calls `then` with a set that has the key: at once, or later on the provider's thread; there it may only post.
  // not_found: the issuer has no such key. connection_lost: its keys could not be fetched. slow_down: too many wait,
  // or there is no thread. stopping.
  using then_keys = std::function<void(result<std::shared_ptr<const json_web_keys>>)>;
  void keys_for(const signature_header& wanted, then_keys then);
  void stop(); // who waits is answered; idempotent

private:
  struct waiting {
    signature_header wanted;
    then_keys then;
  };
  bool begin_thread();
  void run();
  result<fetched_document> fetch_keys() const;
  void take(const result<fetched_document>& fetched, steady_time now);

  const config::oidc_issuer issuer_;
  const issuer_trust trust_;
  const document_fetcher fetch_;
  const clock& clock_;
  std::mutex mutex_;
  key_cache cache_;
  std::vector<waiting> waiting_;
  bool fetching_ = false, stopping_ = false, failing_ = false;
  std::thread thread_; // of the last fetch
};

// The node's issuers: those of its configuration, and those that IAM's API made, as far as tokens of them came. Of the
// latter the made_max that were used last keep their keys. Thread-safe.
class identity_providers {
public:
  static constexpr std::size_t made_max = 100;

  identity_providers(const std::vector<config::oidc_issuer>& issuers, document_fetcher fetch, const clock& time);
  // Null: the configuration has none of this name.
  std::shared_ptr<identity_provider> configured(std::string_view issuer) const;
  // Of IAM's API: the issuer's URL and thumbprints as its row has them.
  std::shared_ptr<identity_provider> made(const std::string& issuer, const std::vector<std::string>& thumbprints);
  void stop();

private:
  const document_fetcher fetch_;
  const clock& clock_;
  std::vector<std::shared_ptr<identity_provider>> configured_;
  std::mutex mutex_;
  bool stopping_ = false;
  std::vector<std::shared_ptr<identity_provider>> made_; // the one that was used last is the last
};

// The address of the key set in an issuer's openid-configuration. invalid_argument: of another issuer, or without a
// https URL (http only if the issuer's is).
result<std::string> read_discovery(std::string_view json, const std::string& issuer);

} // namespace cairn::net
