#include "storage/metadata/commands/authority.hpp"

#include "storage/metadata/commands/identity.hpp"
#include "storage/policy/policy.hpp"

#include <algorithm>
#include <array>

namespace cairn::storage::metadata {

namespace {

using policy::action;

constexpr std::size_t asked_actions_max = 5; // PutObject with an access list, tags, a retention and a legal hold

bool is_other(bucket_id judged, const bucket_row* bucket) {
  return bucket == nullptr || (judged != 0 && bucket->id != judged);
}

// The access key that signed the request was deleted, or it is inactive.
bool signer_deleted(const authority& a, const access_key_row* key) {
  if (key != nullptr) return !key->active;
  return !a.key.empty() || a.by == allowed_by::key || a.by == allowed_by::policy || a.by == allowed_by::identity;
}

error denied_by_policy(const verdict& v) {
  return {errc::access_denied, denial_text(v)};
}

// The user that lists name by its id, or the access key of nobody. Roles are no grantees.
std::string_view grantee_of(const access_key_row* key) {
  if (key == nullptr) return {};
  if (key->of_user) return key->of_user->user.is_role() ? std::string_view{} : key->of_user->user.id;
  return key->user.empty() ? std::string_view{key->id} : std::string_view{};
}

struct acl_ruling {
  ruling made = ruling::denied;
  allowed_by how = allowed_by::anybody;
};

// Whether the sender writes for itself and not for the account: nothing but a list or a policy of the bucket allows it.
bool writes_for_itself(const authority& a, const access_key_row* key, const bucket_row& bucket,
                       const judged_object& object) {
  const auto put = judge(a, action::put_object, key, bucket, object);
  return put.made != ruling::denied && (put.how == allowed_by::policy || put.how == allowed_by::anybody);
}

// A new object has the list and the tags that its request sets; what the present one's list grants does not count.
// Where writers own their objects, they also set these, as do anonymous ones, whose objects the account owns.
acl_ruling rules_of_new(const authority& a, const access_key_row* key, const bucket_row& bucket,
                        const judged_object& object) {
  const bool anonymous = a.asked->with.kind == policy::sender::anonymous;
  if (!ownership::writers_own(bucket.ownership) || (!anonymous && grantee_of(key).empty())) return {};
  if (!writes_for_itself(a, key, bucket, object)) return {};
  return {ruling::allowed, anonymous ? allowed_by::anybody : allowed_by::policy};
}

// What access control lists allow: that of the bucket, or that of the object, whose owner may always read and set it.
// They have no effect where the bucket's owner owns its objects. Grants to all users count for operations that public
// access may allow.
acl_ruling acl_rules(const authority& a, action wanted, const access_key_row* key, const bucket_row& bucket,
                     const judged_object& object) {
  const auto need = policy::acl_need_of(wanted);
  const auto& others = a.asked->actions;
  if ((wanted == action::put_object_acl || wanted == action::put_object_tagging) &&
      std::find(others.begin(), others.end(), action::put_object) != others.end())
    return rules_of_new(a, key, bucket, object);
  if (need.permission == 0 || bucket.ownership == ownership::enforced) return {};
  const bool about_list = need.permission >= policy::permission::read_acp,
             is_signed = a.asked->with.kind != policy::sender::anonymous,
             to_groups = (bucket.public_block & public_block::ignore_acls) == 0,
             to_all = to_groups && (a.asked->by_acl || object.is_source || about_list);
  if (!is_signed && !to_all) return {};
  const auto held = [&](const std::optional<policy::acl_grants>& grants, std::uint8_t canned, bool owns = false) {
    if (grants) return policy::held_by(*grants, {is_signed, grantee_of(key), owns});
    return policy::held_permissions{.as_anybody = canned, .as_user = owns ? policy::permission::all : std::uint8_t{0}};
  };
  const auto by = [&](const policy::held_permissions& of) -> acl_ruling {
    if ((of.as_user & need.permission) != 0) return {ruling::allowed, allowed_by::policy};
    const std::uint8_t open = (to_all ? of.as_anybody : 0) | (to_groups ? of.as_signer : 0);
    return {(open & need.permission) != 0 ? ruling::allowed : ruling::denied};
  };
  using policy::permission::read, policy::permission::write;
  if (!need.of_object)
    return by(held(bucket.grants, (bucket.public_read ? read : 0) | (bucket.public_write ? write : 0)));
  if (bucket.public_objects && to_all && need.permission == read) return {ruling::allowed};
  if (object.missing || object.without_list) return {};
  if (object.row == nullptr) return {ruling::undecided};
  const auto& extras = object.row->extras;
  const bool owns = !extras.owner.empty() && extras.owner == grantee_of(key);
  return by(held(extras.grants, extras.public_read ? read : std::uint8_t{0}, owns));
}

// The owner of a bucket can always remove its policy, and read and replace it.
bool is_about_policy(action a) {
  return a == action::get_bucket_policy || a == action::put_bucket_policy || a == action::delete_bucket_policy;
}

policy::request request_of(const authority& a, action wanted, const access_key_row* key, std::string_view bucket,
                           const judged_object& object) {
  const bool of_object = policy::is_of_object(wanted);
  return {.act = wanted,
          .bucket = bucket,
          .key = object.key,
          .access_key = a.key,
          .with = &a.asked->with,
          .existing_tags = of_object && object.row != nullptr ? &object.row->extras.tags : nullptr,
          .object_missing = object.missing || !of_object,
          .user = key != nullptr && key->of_user ? &key->of_user->user : nullptr};
}

verdict denied_by_identity(std::string why) {
  return {.why = std::move(why), .by_identity = true};
}

// The conditions that the headers of a put with this list would set.
void set_list(const object_extras& set, policy::context& with) {
  using policy::context_key;
  constexpr std::array headers{std::pair{policy::permission::read, context_key::x_amz_grant_read},
                               std::pair{policy::permission::write, context_key::x_amz_grant_write},
                               std::pair{policy::permission::read_acp, context_key::x_amz_grant_read_acp},
                               std::pair{policy::permission::write_acp, context_key::x_amz_grant_write_acp},
                               std::pair{policy::permission::full_control, context_key::x_amz_grant_full_control}};
  std::erase_if(with.values, [&](const auto& v) {
    return v.key == context_key::x_amz_acl ||
           std::any_of(headers.begin(), headers.end(), [&v](const auto& one) { return one.second == v.key; });
  });
  const auto canned = set.public_read ? "public-read" : policy::canned_name(*set.grants);
  if (!canned.empty()) return with.set(context_key::x_amz_acl, std::string{canned});
  for (const auto& [permission, header] : headers)
    if (auto text = policy::header_text(*set.grants, permission, set.owner); !text.empty())
      with.set(header, std::move(text));
}

// What a put with these settings asks for. An access control list that the request itself has is without effect.
std::shared_ptr<const asked_access> asked_as_put(const asked_access& sent, const object_extras& set) {
  auto put = std::make_shared<asked_access>();
  put->with = sent.with;
  put->by_acl = sent.by_acl;
  put->actions.push_back(action::put_object);
  if (set.has_list()) {
    set_list(set, put->with);
    if (set.owner.empty() || set.gives_rights()) put->actions.push_back(action::put_object_acl);
  }
  if (!set.tags.empty()) {
    put->with.set_request_tags(set.tags);
    put->actions.push_back(action::put_object_tagging);
  }
  const auto& retained = set.lock.retained;
  const bool retains = retained.mode != retention_mode::none;
  put->with.set_object_lock(mode_text(retained.mode), retains ? policy::date_text(retained.until) : std::string{},
                            retained.until, hold_text(set.lock.hold));
  if (retains) put->actions.push_back(action::put_object_retention);
  if (set.lock.hold != legal_hold::never_set) put->actions.push_back(action::put_object_legal_hold);
  return put;
}

// Commands of gateways below level 9 say too little for a policy; such a gateway may have sent one before the cluster's
// level was raised.
std::optional<error> lapsed_before_policies(const authority& a, const access_key_row* key, const bucket_row& bucket) {
  if (a.by == allowed_by::internal) return std::nullopt;
  if (key != nullptr && key->of_user) return error{errc::access_denied, "This access key belongs to a user."};
  if (!bucket.policy.empty() || (bucket.public_block & public_block::ignore_acls) != 0)
    return error{errc::access_denied, "The bucket got a policy while the request was under way."};
  if (a.by == allowed_by::key && (key->rights_on(bucket.id) & a.rights) != a.rights)
    return error{errc::access_denied, "This access key may not do this with the bucket any more."};
  if (a.by == allowed_by::anybody && !bucket.public_write)
    return error{errc::access_denied, "The bucket is not public any more."};
  return std::nullopt;
}

} // namespace

std::uint8_t rights_for(action a) {
  using rights::read, rights::write, rights::owner;
  switch (a) {
    case action::none:
    case action::create_bucket:
    case action::list_all_my_buckets: return 0;
    case action::get_object:
    case action::get_object_acl:
    case action::get_object_attributes:
    case action::get_object_legal_hold:
    case action::get_object_retention:
    case action::get_object_tagging:
    case action::get_object_version:
    case action::get_object_version_acl:
    case action::get_object_version_attributes:
    case action::get_object_version_tagging:
    case action::get_accelerate_configuration:
    case action::get_bucket_acl:
    case action::get_bucket_cors:
    case action::get_bucket_location:
    case action::get_bucket_logging:
    case action::get_bucket_notification:
    case action::get_bucket_object_lock_configuration:
    case action::get_bucket_ownership_controls:
    case action::get_bucket_policy:
    case action::get_bucket_policy_status:
    case action::get_bucket_public_access_block:
    case action::get_bucket_request_payment:
    case action::get_bucket_tagging:
    case action::get_bucket_versioning:
    case action::get_bucket_website:
    case action::get_encryption_configuration:
    case action::get_lifecycle_configuration:
    case action::get_replication_configuration:
    case action::list_bucket:
    case action::list_bucket_versions: return read;
    case action::abort_multipart_upload:
    case action::delete_object:
    case action::delete_object_tagging:
    case action::list_bucket_multipart_uploads:
    case action::list_multipart_upload_parts:
    case action::put_object:
    case action::put_object_legal_hold:
    case action::put_object_retention:
    case action::put_object_tagging: return write;
    case action::delete_object_version:
    case action::delete_object_version_tagging:
    case action::put_object_version_tagging: return write | owner;
    default: return owner;
  }
}

std::string denial_text(const verdict& v) {
  return (v.by_identity ? "A policy of the user denies this: " : "The bucket's policy denies this by ") + v.why + ".";
}

verdict judge(const authority& a, action wanted, const access_key_row* key, const bucket_row& bucket,
              const judged_object& object) {
  const bool by_configuration = a.by == allowed_by::configuration, of_user = key != nullptr && key->of_user;
  const std::uint8_t held = key != nullptr ? key->rights_on(bucket.id) : std::uint8_t{0}, right = rights_for(wanted);
  const bool owns = by_configuration || (held & rights::owner) != 0;
  const auto asked = request_of(a, wanted, key, bucket.name, object);
  identity_decision own;
  if (of_user) own = ask_identity(*key->of_user, asked);
  if (own.outcome == policy::effect::deny) return denied_by_identity(std::move(own.why));
  policy::decision told;
  if (!bucket.policy.empty()) {
    const auto* const rules = bucket.policy.compiled();
    if (rules != nullptr) told = rules->evaluate(asked);
    const bool denies = rules == nullptr || told.outcome == policy::effect::deny;
    if (denies && !(owns && is_about_policy(wanted)))
      return rules ? verdict{ruling::denied, {}, policy::name_of(*rules, told.statement), told.statement}
                   : verdict{ruling::denied, {}, "text that this node can't read"};
    if (denies) told.outcome = policy::effect::none;
  }
  const bool told_waits = told.outcome == policy::effect::undecided,
             own_waits = own.outcome == policy::effect::undecided;
  const auto unless_it_waits = [waits = told_waits || own_waits](allowed_by how) -> verdict {
    return {waits ? ruling::undecided : ruling::allowed, how};
  };
  if (by_configuration) return unless_it_waits(allowed_by::configuration);
  if (own.outcome == policy::effect::allow) return unless_it_waits(allowed_by::identity);
  if (right != 0 && (held & right) == right) return unless_it_waits(allowed_by::key);
  const auto by_acl = acl_rules(a, wanted, key, bucket, object);
  if (by_acl.made == ruling::allowed) return unless_it_waits(by_acl.how);
  const bool restricted = a.asked->with.kind == policy::sender::anonymous && !bucket.policy.empty() &&
                          (bucket.public_block & public_block::restrict_buckets) != 0 &&
                          told.outcome != policy::effect::none && bucket.policy.compiled()->is_public();
  if (told.outcome == policy::effect::allow && !restricted)
    return {own_waits ? ruling::undecided : ruling::allowed,
            key != nullptr ? allowed_by::policy : allowed_by::anybody,
            {},
            told.statement};
  if (told_waits && !restricted) return {ruling::undecided, key != nullptr ? allowed_by::policy : allowed_by::anybody};
  if (own_waits) return {ruling::undecided, allowed_by::identity};
  if (by_acl.made == ruling::undecided) return {ruling::undecided, allowed_by::anybody};
  return {};
}

verdict judge_without_bucket(const authority& a, action wanted, const access_key_row& key,
                             std::string_view bucket_name) {
  auto told = ask_identity(*key.of_user, request_of(a, wanted, &key, bucket_name, {.missing = true}));
  if (told.outcome == policy::effect::deny) return denied_by_identity(std::move(told.why));
  return told.outcome == policy::effect::allow ? verdict{ruling::allowed, allowed_by::identity} : verdict{};
}

std::string writer_of(const authority& a, const access_key_row* key, const bucket_row& bucket,
                      const judged_object& object) {
  const auto id = grantee_of(key);
  if (!ownership::writers_own(bucket.ownership) || id.empty() || !a.asked) return {};
  return writes_for_itself(a, key, bucket, object) ? std::string{id} : std::string{};
}

void settle_list(object_extras& extras) {
  if (!extras.grants || (extras.owner.empty() && !policy::names_bucket_owner(*extras.grants))) return;
  const policy::acl_grant own{policy::grantee::owner, {}, policy::permission::full_control};
  auto settled = policy::of_owner(*extras.grants, extras.owner);
  extras.public_read = settled == policy::acl_grants{{policy::grantee::all_users, {}, policy::permission::read}, own};
  if (extras.public_read || settled == policy::acl_grants{own})
    extras.grants.reset();
  else
    extras.grants = std::move(settled);
}

std::optional<error> lapsed(const authority& a, const access_key_row* key, const bucket_row* bucket,
                            const judged_object& object, bool& undecided) {
  undecided = false;
  if (signer_deleted(a, key)) return error{errc::no_such_access_key};
  if (is_other(a.bucket, bucket)) return error{errc::no_such_bucket};
  if (!a.asked) return lapsed_before_policies(a, key, *bucket);
  for (const auto wanted : a.asked->actions) {
    const auto found = judge(a, wanted, key, *bucket, object);
    if (found.made == ruling::undecided) undecided = true;
    if (found.made != ruling::denied) continue;
    if (!found.why.empty()) return denied_by_policy(found);
    return error{errc::access_denied, a.key.empty() ? "The bucket is not public any more."
                                                    : "This access key may not do this with the bucket any more."};
  }
  return std::nullopt;
}

authority with_asked(const authority& a, const std::function<void(asked_access&)>& change) {
  auto other = a;
  if (!a.asked) return other;
  auto asked = std::make_shared<asked_access>(*a.asked);
  change(*asked);
  other.asked = std::move(asked);
  return other;
}

authority as_removal(const authority& a) {
  return with_asked(a, [](asked_access& asked) { asked.actions = {action::delete_object}; });
}

std::optional<error> source_lapsed(const authority& a, const access_key_row* key, const bucket_row* source,
                                   const judged_object& object) {
  if (signer_deleted(a, key)) return error{errc::no_such_access_key};
  if (is_other(a.source, source)) return error{errc::no_such_bucket};
  const error refused{errc::access_denied, "This access key may not read the source's bucket any more."};
  if (!a.asked) {
    if (key != nullptr && key->of_user) return refused;
    if (a.by != allowed_by::internal && !source->policy.empty()) return refused;
    const bool judged = a.by == allowed_by::key || a.by == allowed_by::anybody;
    const bool may_read = key != nullptr && (key->rights_on(source->id) & rights::read) != 0;
    return judged && !may_read && !source->public_objects ? std::optional{refused} : std::nullopt;
  }
  auto read = object;
  read.is_source = true;
  const auto found = judge(a, a.asked->source, key, *source, read);
  if (found.made == ruling::allowed) return std::nullopt;
  if (found.made == ruling::undecided && object.row == nullptr && !object.missing) return std::nullopt;
  return found.why.empty() ? refused : denied_by_policy(found);
}

std::optional<error> publication_lapsed(const authority& a, const access_key_row* key, const bucket_row& bucket,
                                        const judged_object& object) {
  const error refused{errc::access_denied, "This upload makes its object public, which needs the right to do that."};
  if (!a.asked) {
    const bool may = a.by == allowed_by::internal || a.by == allowed_by::configuration ||
                     (key != nullptr && (key->rights_on(bucket.id) & rights::owner) != 0);
    return may ? std::nullopt : std::optional{refused};
  }
  const auto found = judge(a, action::put_object_acl, key, bucket, object);
  if (found.made == ruling::allowed) return std::nullopt;
  return found.why.empty() ? refused : denied_by_policy(found);
}

std::optional<error> settings_lapsed(const authority& a, const access_key_row* key, const bucket_row& bucket,
                                     const judged_object& object, const object_extras& set) {
  if (set.empty()) return std::nullopt;
  // The rights that a lock and tags need are those of the upload itself.
  if (!a.asked) return set.has_list() ? publication_lapsed(a, key, bucket, object) : std::nullopt;
  authority put = a;
  put.asked = asked_as_put(*a.asked, set);
  for (const auto wanted : put.asked->actions) {
    const auto found = judge(put, wanted, key, bucket, object);
    if (found.made == ruling::allowed) continue;
    if (!found.why.empty()) return denied_by_policy(found);
    return error{errc::access_denied, "The settings of this upload's object need " +
                                          std::string{policy::to_string(wanted)} +
                                          ", which this request is not allowed."};
  }
  return std::nullopt;
}

std::optional<error> creation_lapsed(const authority& a, const access_key_row* key, std::string_view name,
                                     const bucket_row* present) {
  if (signer_deleted(a, key)) return error{errc::no_such_access_key};
  const error refused{errc::access_denied, "This access key may not create buckets any more."};
  const bool of_user = key != nullptr && key->of_user;
  if (a.by == allowed_by::anybody || (key != nullptr && !of_user && !key->creates_buckets)) return refused;
  if (of_user && !a.asked) return refused;
  if (!a.asked) return std::nullopt;
  for (const auto wanted : {action::create_bucket, action::put_bucket_acl}) { // a second creation resets the list
    if (wanted == action::put_bucket_acl && present == nullptr) break;
    if (of_user) {
      const auto own = judge_without_bucket(a, wanted, *key, name);
      if (own.made != ruling::allowed) return own.why.empty() ? refused : denied_by_policy(own);
    }
    if (present == nullptr || present->policy.empty()) continue;
    const auto told =
        present->policy.compiled() == nullptr
            ? policy::decision{policy::effect::deny, 0}
            : present->policy.compiled()->evaluate(request_of(a, wanted, key, present->name, {.missing = true}));
    if (told.outcome == policy::effect::deny) return error{errc::access_denied, "The bucket's policy denies this."};
  }
  return std::nullopt;
}

void write_authority(byte_writer& w, const authority& a) {
  w.u8(static_cast<std::uint8_t>(a.by)).string(a.key).u8(a.rights).varint(a.bucket).varint(a.source);
}

authority read_authority(byte_reader& r) {
  authority a;
  const std::uint8_t by = r.u8();
  if (by > static_cast<std::uint8_t>(allowed_by::identity)) r.fail();
  a.by = static_cast<allowed_by>(by);
  a.key = r.string();
  a.rights = r.u8();
  if (a.rights > rights::all) r.fail();
  a.bucket = r.varint();
  a.source = r.varint();
  return a;
}

void write_asked(byte_writer& w, const asked_access& a) {
  w.boolean(a.by_acl).u8(static_cast<std::uint8_t>(a.source)).u8(static_cast<std::uint8_t>(a.actions.size()));
  for (const auto one : a.actions) w.u8(static_cast<std::uint8_t>(one));
  policy::write_context(w, a.with);
}

std::shared_ptr<const asked_access> read_asked(byte_reader& r) {
  const auto read_action = [&r] {
    const std::uint8_t number = r.u8();
    if (number > static_cast<std::uint8_t>(action::last)) r.fail();
    return static_cast<action>(number);
  };
  auto a = std::make_shared<asked_access>();
  a->by_acl = r.boolean();
  a->source = read_action();
  const std::uint8_t count = r.u8();
  if (count > asked_actions_max) r.fail();
  for (std::uint8_t i = 0; i < count && r.ok(); ++i) a->actions.push_back(read_action());
  a->with = policy::read_context(r);
  return a;
}

} // namespace cairn::storage::metadata
