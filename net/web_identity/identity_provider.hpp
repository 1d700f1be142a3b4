// An issuer of web identities (OpenID Connect), and its keys: fetches them when they are needed, from a thread of its
// own, one fetch at a time for all who wait. No request waits on its own thread, and more than waiting_max wait for no
// fetch. key_cache.hpp has the times.
#pragma once

#include "base/seams.hpp"
#include "config/config.hpp"
#include "net/web_identity/key_cache.hpp"

#include <condition_variable>
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
// GET of a URL; waits for the answer, for a bounded time. With https the certificate must be valid for the host's name,
// by the certificates of the file, or those of the system if it is empty. Redirects are errors.
using document_fetcher = std::function<result<fetched_document>(const std::string& url, const std::string& ca_file)>;

// The clock outlives it. Thread-safe.
class identity_provider {
public:
  static constexpr std::size_t waiting_max = 64;

  identity_provider(config::oidc_issuer issuer, document_fetcher fetch, const clock& time);
  ~identity_provider(); // waits for a fetch that is under way
  identity_provider(const identity_provider&) = delete;
  identity_provider& operator=(const identity_provider&) = delete;

  const config::oidc_issuer& issuer() const { return issuer_; }

  // Calls `then` with a set that has the key: at once, or later on the provider's thread; there it may only post.
  // not_found: the issuer has no such key. connection_lost: its keys could not be fetched. slow_down: too many wait.
  // stopping.
  using then_keys = std::function<void(result<std::shared_ptr<const json_web_keys>>)>;
  void keys_for(const signature_header& wanted, then_keys then);
  void stop(); // who waits is answered; idempotent

private:
  struct waiting {
    signature_header wanted;
    then_keys then;
  };
  void run();
  result<fetched_document> fetch_keys() const;
  void take(const result<fetched_document>& fetched, steady_time now);

  const config::oidc_issuer issuer_;
  const document_fetcher fetch_;
  const clock& clock_;
  std::mutex mutex_;
  std::condition_variable wake_;
  key_cache cache_;
  std::vector<waiting> waiting_;
  bool stopping_ = false, failing_ = false;
  std::thread thread_;
};

// The node's issuers.
class identity_providers {
public:
  identity_providers(const std::vector<config::oidc_issuer>& issuers, const document_fetcher& fetch, const clock& time);
  // Null: there is none of this name.
  std::shared_ptr<identity_provider> find(std::string_view issuer) const;
  void stop();

private:
  std::vector<std::shared_ptr<identity_provider>> all_;
};

// The address of the key set in an issuer's openid-configuration. invalid_argument: of another issuer, or without a
// https URL (http only if the issuer's is).
result<std::string> read_discovery(std::string_view json, const std::string& issuer);

} // namespace cairn::net
