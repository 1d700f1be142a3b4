// The request that a policy evaluates: sender, action, bucket or object, and the values of condition keys. Values that
// a client's request brings along are a `context`, which its commands carry in the log (grammar: request.cpp); values
// that follow from the rest (aws:username, aws:CurrentTime) are computed.
#pragma once

#include "base/codec.hpp"
#include "base/seams.hpp"
#include "storage/policy/vocabulary.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::storage::policy {

// There is one account. In ARNs its number may be left out.
constexpr std::string_view account_id = "000000000000";
constexpr std::string_view canonical_owner = "cairn";

// "idp.example.org/team" → "arn:aws:iam::000000000000:oidc-provider/idp.example.org/team"
std::string provider_arn(std::string_view provider);

using tag_pairs = std::vector<std::pair<std::string, std::string>>;

enum class sender : std::uint8_t { anonymous, account, key }; // account: the root key

// To whom an access key belongs: a user, or a role in a session.
struct user_facts {
  std::string name, id, path = "/"; // path: begins and ends with a slash
  tag_pairs tags{};
  std::string role_session{}; // the name of the role's session; empty: it is a user
  wall_ms token_issued = 0;   // when the temporary credentials were made; 0: these are none
  bool is_role() const { return !role_session.empty(); }
  std::string path_and_name() const { return (path.empty() ? path : path.substr(1)) + name; }
  std::string arn() const;       // of the user, or of the role's session
  std::string owner_arn() const; // of the user, or of the role
  friend bool operator==(const user_facts&, const user_facts&) = default;
};

struct context_value {
  context_key key{};
  std::string name; // of a tag, or of an identity provider
  std::vector<std::string> values;
  friend bool operator==(const context_value&, const context_value&) = default;
};

struct context {
  sender kind = sender::anonymous;
  wall_ms time = 0; // when the request came
  std::vector<context_value> values;
  // False: the tags or the object lock of the request are in its body, which was not read yet.
  bool body_known = true;

  void set(context_key key, std::string value); // a further value, if the key has one: a repeated header
  void set_request_tags(const tag_pairs& tags);
  // The object lock that the request sets, as texts of S3; empty: not set. `until`: 0 if it has no date.
  void set_object_lock(std::string_view mode, std::string_view date, wall_ms until, std::string_view hold);
  friend bool operator==(const context&, const context&) = default;
};
constexpr std::size_t context_value_bytes_max = 2048; // longer values of headers are cut
constexpr std::size_t context_values_max = 64;

//   context  kind:u8 time:u64 count:v (key:u8 [name:s] count:v (value:s)*)*      name: of tags
void write_context(byte_writer& w, const context& c);
context read_context(byte_reader& r);

struct request {
  action act{};
  // key: of actions on objects; of IAM's actions, which have no bucket: "user/team/ann", "policy/readers"
  std::string_view bucket, key;
  std::string_view access_key; // of the sender
  const context* with = nullptr;
  const tag_pairs* existing_tags = nullptr; // of the object; null: not known yet
  bool object_missing = false;              // there is no such object: it has no tags
  const user_facts* user = nullptr;         // to whom the access key belongs; null: to nobody
  // Of a role's trust policy: whom the account stands for. Their own policies must allow the request, too.
  bool through_account = false;
  // Of a role's trust policy: who vouches for a web identity, which has no access key; empty: the sender is none.
  std::string_view provider{};

  std::string sender_arn() const; // empty: anonymous
  std::string resource() const;   // its ARN
  bool knows(context_key wanted) const;
  // The values of a key; none: the request does not have it.
  std::vector<std::string> values(const named_key& wanted) const;
  // The only value of a key.
  std::optional<std::string> value(const named_key& wanted) const;
};

// "2026-11-29T17:41:29Z", and what policies write dates in: the same with a fraction or an offset, a day alone, or
// seconds since 1970.
std::string date_text(wall_ms time);
std::optional<wall_ms> read_date(std::string_view text);

} // namespace cairn::storage::policy
