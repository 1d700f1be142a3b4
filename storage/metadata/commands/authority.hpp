// The authorization of a client's command. A gateway authorizes a request by its head, but the command may follow hours
// later, when the body is complete. So the command carries the basis of that decision, and it is authorized again with
// the rows at the time when it is applied. It is refused if the access key was deleted, a right was revoked, the bucket
// is no longer public, a grant of an access control list was taken back, a policy of the bucket or of the sender's user
// denies the request or none allows it any more, or the bucket was replaced by another one of the same name. Pure
// functions, which gateways use for their decision, too.
#pragma once

#include "storage/metadata/commands/sts_session.hpp"
#include "storage/metadata/rows/key_rows.hpp"
#include "storage/policy/request.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace cairn::storage::metadata {

enum class allowed_by : std::uint8_t {
  internal,      // a command of the cluster itself, or a client's command below feature level 8
  configuration, // the root key or auth.anonymous: configuration of the gateway; only a bucket's policy denies more
  key,           // an access key's rights
  anybody,       // the bucket is public, or its list grants it to all that sign
  policy,        // the bucket's policy, or a list's grant to one user, to an access key
  identity,      // the policies of the user to whom the access key belongs (from feature level 13 on)
};

// What a bucket's policy is asked about a request (from feature level 9 on).
struct asked_access {
  policy::context with;
  std::vector<policy::action> actions;          // on the bucket or the object; all are needed; at most 5
  policy::action source = policy::action::none; // of a copy: on the object that it reads
  bool by_acl = false;                          // what lists grant to all users may allow it
  friend bool operator==(const asked_access&, const asked_access&) = default;
};

struct authority {
  allowed_by by = allowed_by::internal;
  std::string key;         // access key that signed the request; empty: the root key, or unsigned
  std::uint8_t rights = 0; // for allowed_by::key: the required rights on the bucket, for members below level 9
  bucket_id bucket = 0;    // the bucket that was authorized; 0: any bucket with the name
  bucket_id source = 0;    // of a copy: the source's bucket; 0: any
  std::shared_ptr<const asked_access> asked{}; // null: below level 9, or not a client's
  // Of temporary credentials, whose access key `key` has no row (from feature level 14 on); null: these are none.
  std::shared_ptr<const sts_session> session{};

  bool is_given() const { return by != allowed_by::internal || bucket != 0; }
  friend bool operator==(const authority& a, const authority& b) {
    return a.by == b.by && a.key == b.key && a.rights == b.rights && a.bucket == b.bucket && a.source == b.source &&
           (a.asked == b.asked || (a.asked && b.asked && *a.asked == *b.asked)) &&
           (a.session == b.session || (a.session && b.session && *a.session == *b.session));
  }
};

// ── one action ──

// The rights of an access key that allow the action; 0: none is needed.
std::uint8_t rights_for(policy::action a);

struct judged_object {
  std::string_view key{};
  const object_row* row = nullptr; // null: not looked up yet, unless it is missing
  bool missing = false;
  bool is_source = false;    // a copy reads it: public access may allow that, whatever the request's own operation
  bool without_list = false; // what the object's own access control list grants does not count
};

enum class ruling : std::uint8_t { allowed, denied, undecided }; // undecided: depends on the object's row or the body
struct verdict {
  ruling made = ruling::denied;
  allowed_by how = allowed_by::internal;  // allowed: configuration, key, anybody, policy or identity
  std::string why{};                      // denied by a statement of a policy: which
  std::optional<std::size_t> statement{}; // of the bucket's policy: the one that allowed or denied
  bool by_identity = false;               // `why` is a policy of the sender's user
};
// "The bucket's policy denies this by statement 1." Of a verdict with `why`.
std::string denial_text(const verdict& v);

// Decides about one action on the bucket or an object in it, by the sender's rights or the policies of its user, access
// control lists and the bucket's policy. `key`: the sender's row; null: the root key, or nobody. Needs `asked`.
verdict judge(const authority& a, policy::action action, const access_key_row* key, const bucket_row& bucket,
              const judged_object& object);

// The same without a bucket: the creation of one, the list of all. Of a user's key only.
verdict judge_without_bucket(const authority& a, policy::action action, const access_key_row& key,
                             std::string_view bucket_name);

// ── owners of objects ──

// Who will own an object that the sender writes now, where its bucket's ownership lets writers own what they write: the
// id of the user or the access key of nobody to whom only a list or a policy of the bucket allows that (AWS, S3 user
// guide, "Controlling ownership of objects": another account). Empty: the account, for which all others act.
std::string writer_of(const authority& a, const access_key_row* key, const bucket_row& bucket,
                      const judged_object& object);
// Keeps the list as that of the object's owner: with no more grants than `private` or `public_read` need.
void settle_list(object_extras& extras);

// ── commands ──

// Why the command must be refused: no_such_access_key, no_such_bucket, access_denied. nullopt: it is authorized. `key`
// and `bucket` are the present rows; null if there is none. With `undecided` the object's row is needed, and the call
// is repeated with it.
std::optional<error> lapsed(const authority& a, const access_key_row* key, const bucket_row* bucket,
                            const judged_object& object, bool& undecided);
// With what is asked changed, if a policy is asked.
authority with_asked(const authority& a, const std::function<void(asked_access&)>& change);
// The authority to remove what a rename takes away: its other actions are judged by themselves.
authority as_removal(const authority& a);
// The same check for the object that a copy reads.
std::optional<error> source_lapsed(const authority& a, const access_key_row* key, const bucket_row* source,
                                   const judged_object& object);
// The same check for the completion of an upload that makes its object public, whoever began it.
std::optional<error> publication_lapsed(const authority& a, const access_key_row* key, const bucket_row& bucket,
                                        const judged_object& object);
// The same check for all settings that an upload gives its object: they are judged as those of a put at that time.
std::optional<error> settings_lapsed(const authority& a, const access_key_row* key, const bucket_row& bucket,
                                     const judged_object& object, const object_extras& set);
// The same check for the creation of a bucket. `present`: a bucket of the name, whose policy may deny it.
std::optional<error> creation_lapsed(const authority& a, const access_key_row* key, std::string_view name,
                                     const bucket_row* present);

//   authority  by:u8 key:s rights:u8 bucket:v source:v
//   asked      by_acl:u8 source:u8 count:u8 (action:u8)* context
void write_authority(byte_writer& w, const authority& a);
authority read_authority(byte_reader& r);
void write_asked(byte_writer& w, const asked_access& a);
std::shared_ptr<const asked_access> read_asked(byte_reader& r);

} // namespace cairn::storage::metadata
