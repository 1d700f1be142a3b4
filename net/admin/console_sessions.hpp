// Who is signed in to the console of this node, and until when. A session is named by 256 random bits, which only the
// browser's cookie has: this class keeps their SHA-256. Sessions end at sign-out, without a request for
// `session_idle_max`, at `session_age_max`, and with the process. Bounded: a further session ends the one that was used
// least recently, of the same key first. Pure but for the clock and randomness it is given; thread-safe.
#pragma once

#include "base/digest.hpp"
#include "base/seams.hpp"

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::net {

constexpr std::chrono::minutes session_idle_max{30};
constexpr std::chrono::hours session_age_max{12};
constexpr std::size_t sessions_max = 256, sessions_of_key_max = 16;

struct console_session {
  std::string csrf;         // changes must have it in a header: pages of other origins cannot read it
  std::string key;          // the access key; empty: signed in with the admin token
  bool is_operator = false; // the root key or the admin token: may do everything
};

class console_sessions {
public:
  console_sessions(const cairn::clock& clock, random_source& random) : clock_(clock), random_(random) {}

  struct begun {
    std::string id; // of the cookie
    console_session session;
  };
  begun begin(std::string key, bool is_operator);
  std::optional<console_session> find(std::string_view id); // and restarts its idle time
  void end(std::string_view id);
  std::size_t count() const;

private:
  struct entry {
    console_session session;
    steady_time began, used;
  };
  bool over(const entry& e, steady_time now) const;
  void make_room(const std::string& key);
  std::string random_hex();

  const cairn::clock& clock_;
  random_source& random_;
  mutable std::mutex mutex_;
  std::map<sha256_digest, entry> sessions_; // by the hash of the id
};

// The value of the cookie `name` in the header Cookie; empty: there is none.
std::string_view cookie_of(std::string_view header, std::string_view name);

// Whether the headers Origin and Host say that a page of this port sends the request; `encrypted`: it came by TLS.
// Browsers send Origin with every change.
bool is_same_origin(std::optional<std::string_view> origin, std::string_view host, bool encrypted);
// Whether the header Sec-Fetch-Site, if there is one, says so. Pages of other ports of a host are of the same site
// only.
bool is_own_page(std::optional<std::string_view> fetch_site);

} // namespace cairn::net
