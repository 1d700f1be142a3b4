// The effect of each command on the tables. A function of the tables and the command alone: no clock, no randomness, no
// iteration over a hash map, so that every voter of a cluster gets the same bytes. The result of a stamped command is
// stored (table `outcomes`), including the text of a refusal: so these texts are part of the replicated state too.
#pragma once

#include "storage/metadata/apply/batch.hpp"
#include "storage/metadata/apply/blobs.hpp"
#include "storage/metadata/apply/identities.hpp"
#include "storage/metadata/apply/members.hpp"
#include "storage/metadata/apply/versions.hpp"

#include <functional>

namespace cairn::storage::metadata {

// precondition_failed if the condition does not hold for the present object; nullopt if it holds.
std::optional<error> unmet(const write_condition& condition, const std::optional<object_row>& present);

class command_applier {
public:
  explicit command_applier(batch& b)
      : b_(b), blobs_(b), versions_(b, blobs_), members_(b), repairs_(b), identities_(b) {}

  // `ordinal`: the command's position in its batch, from 0.
  command_result apply(const command& c, std::uint32_t ordinal);

private:
  command_result run(const begin_session& c);
  command_result run(const end_session& c);
  command_result run(const create_bucket& c);
  command_result run(const delete_bucket& c);
  command_result run(const put_object& c);
  command_result run(const delete_object& c);
  command_result run(const abandon_blob& c);
  command_result run(const reap& c);
  command_result run(const free_manifests& c);
  command_result run(const count_usage& c);
  command_result run(const create_cluster& c) { return members_.create(c); }
  command_result run(const add_node& c) { return members_.add(c); }
  command_result run(const set_node& c) { return members_.set(c); }
  command_result run(const invite_node& c) { return members_.invite(c); }
  command_result run(const remove_node& c);
  command_result run(const set_targets& c) { return members_.set_targets(c); }
  command_result run(const moved& c) { return members_.move(c); }
  command_result run(const confirm_replicas& c);
  command_result run(const note_down& c) { return members_.note(c); }
  command_result run(const note_up& c) { return members_.note(c); }
  command_result run(const acknowledge_epoch& c);
  command_result run(const begin_upload& c); // this and the following: apply_uploads.cpp
  command_result run(const put_part& c);
  command_result run(const copy_part& c);
  command_result run(const complete_upload& c);
  command_result run(const abort_upload& c);
  command_result run(const copy_object& c); // this and the following: apply_objects.cpp
  command_result run(const rename_object& c);
  command_result run(const set_extras& c);
  command_result run(const set_bucket& c);
  command_result run(const set_bucket_access& c);
  command_result run(const set_object_lock& c); // this and the following: apply_locks.cpp
  command_result run(const set_bucket_lock& c);
  command_result run(const advance_lock_time& c);
  command_result run(const hold_deletions& c);
  command_result run(const set_bucket_quota& c); // this and the following: apply_quotas.cpp
  command_result run(const set_user_quota& c);
  command_result run(const set_bucket_owner& c);
  command_result run(const raise_feature_level& c); // apply.cpp
  command_result run(const give_up_chunks& c);
  command_result run(const create_key& c); // this and the following: apply_keys.cpp
  command_result run(const delete_key& c);
  command_result run(const change_key& c);
  command_result run(const seal_keys& c);
  command_result run(const change_identity& c);
  command_result run(const renew_token_key& c);

  void end(session_row& session);
  // The result, if the stamp alone decides it: the command was applied before, its session has ended, or its sequence
  // is acknowledged. nullopt: the command may run. `may_bury`: the blob of a command that is refused now is dead.
  std::optional<command_result> answered(const commit_stamp& stamp, bool& may_bury);
  command_result remember(const commit_stamp& stamp, command_result answer);
  // The result of a command whose refusal, if any, `change` returns; not called when the command was answered before.
  command_result changed(const commit_stamp& stamp, const std::function<std::optional<error>()>& change);
  template <class Command>
  command_result once(const Command& c, command_result (command_applier::*how)(const Command&));
  command_result create(const create_bucket& c);
  command_result create_again(const create_bucket& c, const bucket_row& present);
  command_result erase(const delete_bucket& c);

  // The bucket, if the command's authority is still valid for it, or for the object with this key (`version`: nullopt:
  // the live one), whose row is read if the decision depends on it. The pointer is valid as long as that of
  // batch::bucket.
  result<const bucket_row*> admitted(const authority& by, const std::string& name, std::string_view key = {},
                                     const std::optional<version_id>& version = {});
  // The settings of an object that the command writes now, with its owner and the list as it is kept.
  object_extras with_owner(const authority& by, const bucket_row& bucket, const std::string& key, object_extras extras);
  // acl_not_supported, access_denied (the bucket's public access block), or nullopt.
  static std::optional<error> forbidden_list(const bucket_row& bucket, const object_extras& extras);
  static std::optional<error> blocked_list(const bucket_row& bucket); // of a list that makes something public
  static std::optional<error> malformed_list(const std::optional<policy::acl_grants>& grants, bool of_bucket = false);
  // By which retentions are judged. `now`: of the command, which counts on a standalone node alone.
  wall_ms lock_time(wall_ms now);
  bool may_bypass_governance(const authority& by, const bucket_row& bucket, const std::string& key,
                             const object_row& row);
  // access_denied: the version must not be removed by this command.
  std::optional<error> held(const bucket_row& bucket, const delete_object& c, const object_row& row);
  // no_object_lock: the extras have a lock that the bucket's versions can't have.
  static std::optional<error> unlockable(const bucket_row& bucket, const object_extras& extras);
  // The same, and adds the bucket's default retention for a version that is written now.
  std::optional<error> lock_new(const bucket_row& bucket, object_extras& extras, wall_ms now);
  // quota_exceeded: with a new version of the key, of `size` bytes, the bucket would be above its quota. `present`: the
  // result of version_ledger::live.
  std::optional<error> above_quota(const bucket_row& bucket, const std::string& key, std::uint64_t size,
                                   const std::optional<object_row>& present);
  void store(const bucket_row& bucket, const put_object& c, const object_extras& extras,
             const std::optional<object_row>& present);
  std::optional<error> remove(const bucket_row& bucket, const delete_object& c, std::uint64_t& outcome);
  // The result of a command that made a new version of an object in this bucket.
  command_result made(const bucket_row& bucket) const;
  void bury_content(const commit_stamp& stamp, const written_content& content);
  written_blob with_possible_owners(written_blob written);
  std::optional<error> unusable(const written_blob& written); // blob_dead or no_quorum: a commit must not name it
  // The version that a command was prepared for. Errors: no_such_bucket, no_such_key, stale_source, access_denied,
  // no_such_access_key.
  result<object_row> find_version(const authority& by, const object_version& wanted);

  result<upload_row> find_upload(const authority& by, const upload_name& name);
  std::optional<uploaded_part> find_part(upload_id id, std::uint32_t number);
  std::optional<error> add_part(const put_part& c);
  void replace_part(upload_id id, const uploaded_part& part);
  result<uploaded_part> shared_part(const copy_part& c);
  std::optional<error> complete(const complete_upload& c);
  // access_denied, acl_not_supported: the object must not get the settings with which its upload began.
  std::optional<error> forbidden_settings(const complete_upload& c, const bucket_row& bucket, const upload_row& upload,
                                          const std::optional<object_row>& present);
  // The manifest parts of the chosen parts; adds their length to `size`.
  result<std::vector<manifest_part>> take_parts(const complete_upload& c, std::uint64_t& size);
  void close_upload(const bucket_row& bucket, const upload_row& upload);
  std::optional<error> copy(const copy_object& c);
  std::optional<error> rename(const rename_object& c);
  // Stores `row`, whose bytes are those of `source`, as the newest version of the key.
  void share(const object_row& source, const bucket_row& bucket, const std::string& key, object_row row,
             const std::optional<object_row>& present);
  std::optional<error> change(const set_extras& c, log_index& version);
  std::optional<error> change(const set_bucket& c);
  std::optional<error> change(const set_bucket_access& c);
  std::optional<error> change(const set_object_lock& c, log_index& version);
  std::optional<error> change(const set_bucket_lock& c);
  std::optional<error> change(const set_bucket_quota& c);
  std::optional<error> change(const set_user_quota& c);
  std::optional<error> change(const set_bucket_owner& c);
  std::string creator(const create_bucket& c);              // who will own the bucket: usage_row::owner
  result<std::string> owner_named(const std::string& name); // a user, or an access key of nobody. no_such_identity

  std::optional<access_key_row> find_key(const std::string& id);
  std::optional<error> create(const create_key& c);
  std::optional<error> change(const change_key& c);
  std::optional<error> give_bucket(const std::string& key_id, bucket_id bucket);
  void drop_grants(bucket_id bucket);

  batch& b_;
  blob_ledger blobs_;
  version_ledger versions_;
  member_ledger members_;
  repair_ledger repairs_;
  identity_ledger identities_;
  std::uint32_t ordinal_ = 0;
};

} // namespace cairn::storage::metadata
