// Which keys of one issuer a token may be checked with now, and when the issuer is asked again: when the keys are not
// fresh any more, and for a key that is not known, but not more often than every ten seconds, whatever strangers send.
// A key that is missing in the newest set is gone; while the issuer does not answer, the last set is used for a day. No
// clock and no socket; one owner.
#pragma once

#include "base/seams.hpp"
#include "net/web_identity/json_web_keys.hpp"

#include <chrono>
#include <memory>
#include <optional>

namespace cairn::net {

struct key_cache_limits {
  std::chrono::seconds pause{10};                                         // between two fetches
  std::chrono::seconds fresh_min{300}, fresh_max{24 * 3600}, fresh{3600}; // fresh: if the issuer does not say
  std::chrono::seconds usable{24 * 3600};                                 // after the last fetch
};

class key_cache {
public:
  explicit key_cache(key_cache_limits limits = {}) : limits_(limits) {}

  enum class state : std::uint8_t {
    known,       // by keys()
    unknown,     // no key of the issuer fits
    unreachable, // the issuer did not answer, and there are no keys that may be used
    wait,        // for the fetch that is under way, or must begin now
  };
  state ask(const signature_header& wanted, steady_time now);
  const std::shared_ptr<const json_web_keys>& keys() const { return keys_; }

  // The fetch has ended. `max_age`: as the issuer says; nullopt: it does not.
  void fetched(json_web_keys keys, std::optional<std::chrono::seconds> max_age, steady_time now);
  void failed(steady_time now);

private:
  const key_cache_limits limits_;
  std::shared_ptr<const json_web_keys> keys_; // null: none were fetched
  steady_time fresh_until_{}, usable_until_{};
  std::optional<steady_time> ended_; // the last fetch
  bool fetching_ = false;
};

} // namespace cairn::net
