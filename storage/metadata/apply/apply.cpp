#include "storage/metadata/apply/apply.hpp"

#include "storage/metadata/rows/names.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

// Checks of a put that need no row.
std::optional<error> malformed(const put_object& c) {
  if (!valid_key(c.key)) return error{errc::invalid_argument, "not a valid key"};
  if (const auto* bytes = std::get_if<std::string>(&c.content)) {
    if (bytes->size() != c.size) return error{errc::invalid_argument, "size differs from the inline bytes"};
    return std::nullopt;
  }
  const auto& written = std::get<written_blob>(c.content);
  if (written.blob.session != c.stamp.session) return error{errc::invalid_argument, "blob of another session"};
  if (written.length != c.size) return error{errc::invalid_argument, "size differs from the blob's length"};
  const auto chunks = chunks_of(written.length, written.chunk_size);
  if (!chunks) return error{errc::invalid_argument, "bad chunk size"};
  return malformed(written.unconfirmed, *chunks);
}

std::optional<error> unmet(const removal_condition& condition, const object_row& meant) {
  constexpr wall_ms second = 1000;
  const bool other_etag = condition.etag && *condition.etag != "*" && *condition.etag != to_string(meant.etag);
  const bool other_size = condition.size && *condition.size != meant.size;
  const bool other_time = condition.modified_seconds && *condition.modified_seconds != meant.modified / second;
  if (other_etag || other_size || other_time) return error{errc::precondition_failed, "the object is another one"};
  return std::nullopt;
}

} // namespace

std::optional<error> unmet(const write_condition& condition, const std::optional<object_row>& present) {
  if (condition.if_absent && present) return error{errc::precondition_failed, "the object exists"};
  if (condition.if_other && present && *condition.if_other == to_string(present->etag))
    return error{errc::precondition_failed, "the object has this ETag"};
  if (!condition.if_match) return std::nullopt;
  if (!present) return error{errc::precondition_failed, "the object does not exist"};
  if (*condition.if_match != "*" && *condition.if_match != to_string(present->etag))
    return error{errc::precondition_failed, "the object has another ETag"};
  return std::nullopt;
}

command_result command_applier::apply(const command& c, std::uint32_t ordinal) {
  ordinal_ = ordinal;
  return std::visit([&](const auto& kind) { return run(kind); }, c);
}

command_result command_applier::run(const begin_session& c) {
  if (!members_.note_start(c.node, c.incarnation))
    return refuse(errc::precondition_failed,
                  "an older incarnation than the cluster has seen: is this a restored disk?");
  if (const auto live = b_.load_u64(table::sessions, b_.keys.live_session(c.node))) {
    session_row* const row = b_.session(*live);
    if (row == nullptr) {
      b_.fail({errc::corrupt, "the live session of node " + cairn::to_string(c.node) + " has no row"});
      return {};
    }
    if (row->incarnation == c.incarnation) return {.version = row->id};
    end(*row);
  }
  if (members_.is_removed(c.node)) return refuse(errc::session_ended, "the node was removed from the cluster");
  const session_row* const begun = b_.add_session(
      {.id = b_.new_id(), .node = c.node, .incarnation = c.incarnation, .acknowledged_epoch = members_.epoch()});
  return {.version = begun->id};
}

command_result command_applier::run(const end_session& c) {
  session_row* const row = b_.session(c.session);
  if (row == nullptr) return refuse(errc::not_found, "no such session");
  if (!row->ended) end(*row);
  return {};
}

void command_applier::end(session_row& session) {
  session.ended = true;
  b_.erase(table::sessions, b_.keys.live_session(session.node));
  b_.queue_to_free(free_kind::session, session.id);
}

command_result command_applier::create(const create_bucket& c) {
  if (!valid_bucket_name(c.name)) return refuse(errc::invalid_argument, "not a valid bucket name");
  if (auto why = creation_lapsed(c.by, b_.sender(c.by), c.name, b_.bucket(c.name))) return {.refused = std::move(why)};
  const auto& wanted = c.settings;
  if (wanted.has_list() && wanted.ownership == ownership::enforced) return refuse(errc::acl_not_supported);
  if (auto refused = malformed_list(wanted.grants, true)) return {.refused = std::move(refused)};
  if (const bucket_row* const present = b_.bucket(c.name)) return create_again(c, *present);
  const bucket_row fresh{.id = b_.new_id(),
                         .name = c.name,
                         .created = c.now,
                         .versioning = wanted.lock ? versioning::enabled : versioning::never,
                         .public_read = wanted.public_read,
                         .public_write = wanted.public_write,
                         .tags = wanted.tags,
                         .ownership = wanted.ownership,
                         .lock = {.enabled = wanted.lock},
                         .grants = wanted.grants};
  const auto owner = creator(c);
  if (!c.owner.empty())
    if (auto refused = give_bucket(c.owner, fresh.id)) return {.refused = std::move(refused)};
  b_.put_bucket(fresh);
  b_.usage_rows().bucket_made(fresh.id, owner);
  if (wanted.lock) b_.advance_lock_time(0);
  return {};
}

command_result command_applier::create_again(const create_bucket& c, const bucket_row& present) {
  const auto& wanted = c.settings;
  if (!wanted.again) return refuse(errc::bucket_exists);
  if (!c.owner.empty()) {
    const auto key = find_key(c.owner);
    if (!key || (key->user.empty() && (key->rights_on(present.id) & rights::owner) == 0))
      return refuse(errc::access_denied);
  }
  const bool other_tags = !wanted.tags.empty() && wanted.tags != present.tags;
  const bool other_ownership = wanted.ownership != ownership::not_given &&
                               ownership::of_account(wanted.ownership) != ownership::of_account(present.ownership);
  const bool other_lock = wanted.lock && !present.lock.enabled;
  if (other_tags || other_ownership || other_lock) return refuse(errc::bucket_exists);
  if (wanted.has_list() && present.ownership == ownership::enforced) return refuse(errc::acl_not_supported);
  bucket_row row = present;
  row.grants = wanted.grants;
  row.public_read = wanted.public_read;
  row.public_write = wanted.public_write;
  row.public_objects = false;
  if (row.list_is_public() && (row.public_block & public_block::block_acls) != 0) return refuse(errc::access_denied);
  b_.put_bucket(row);
  return {};
}

command_result command_applier::erase(const delete_bucket& c) {
  const auto admitted_to = admitted(c.by, c.name);
  if (!admitted_to) return {.refused = admitted_to.error()};
  const bucket_row* const bucket = *admitted_to;
  for (const table t : {table::current, table::names, table::upload_names}) {
    const auto empty = b_.unwrap(b_.tree(t, bucket->id).empty(b_.kv));
    if (empty && !*empty) return refuse(errc::bucket_not_empty);
  }
  drop_grants(bucket->id);
  b_.usage_rows().bucket_gone(bucket->id);
  b_.erase_bucket(c.name);
  return {};
}

template <class Command>
command_result command_applier::once(const Command& c, command_result (command_applier::*how)(const Command&)) {
  if (c.stamp.session == 0) return (this->*how)(c);
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  return remember(c.stamp, (this->*how)(c));
}

command_result command_applier::changed(const commit_stamp& stamp,
                                        const std::function<std::optional<error>()>& change) {
  bool may_bury = false;
  if (auto answer = answered(stamp, may_bury)) return *answer;
  if (auto refused = change()) return remember(stamp, {.refused = std::move(refused)});
  return remember(stamp, {.version = b_.index()});
}

command_result command_applier::run(const create_bucket& c) {
  return once(c, &command_applier::create);
}

command_result command_applier::run(const delete_bucket& c) {
  return once(c, &command_applier::erase);
}

std::optional<command_result> command_applier::answered(const commit_stamp& stamp, bool& may_bury) {
  may_bury = false;
  const std::string outcome = b_.keys.outcome(stamp.session, stamp.sequence);
  if (auto before = b_.load<command_result>(table::outcomes, outcome, decode_result)) return before;
  session_row* const session = b_.session(stamp.session);
  if (session == nullptr) return refuse(errc::session_ended, "no such session");
  if (session->ended) {
    may_bury = true;
    return refuse(errc::session_ended);
  }
  // The command was applied and its result received: this is a delayed duplicate, and nobody waits for its result.
  if (stamp.sequence < std::max(session->acknowledged_below, stamp.acknowledged_below))
    return refuse(errc::invalid_argument, "a commit of this sequence was acknowledged before");
  may_bury = true;
  if (stamp.acknowledged_below <= session->acknowledged_below) return std::nullopt;

  const std::string prefix = b_.keys.of_session(stamp.session);
  const std::string end = b_.keys.outcome(stamp.session, stamp.acknowledged_below);
  const auto cursor = b_.kv.cursor(id_of(table::outcomes));
  auto found = cursor->seek(b_.keys.outcome(stamp.session, session->acknowledged_below));
  for (; found && found->key.starts_with(prefix) && found->key < end; found = cursor->next())
    b_.erase(table::outcomes, std::string{found->key});
  session->acknowledged_below = stamp.acknowledged_below;
  return std::nullopt;
}

command_result command_applier::remember(const commit_stamp& stamp, command_result answer) {
  b_.put(table::outcomes, b_.keys.outcome(stamp.session, stamp.sequence), encode(answer));
  return answer;
}

result<const bucket_row*> command_applier::admitted(const authority& by, const std::string& name, std::string_view key,
                                                    const std::optional<version_id>& version) {
  const bucket_row* const bucket = b_.bucket(name);
  const access_key_row* const signer = b_.sender(by);
  bool undecided = false;
  if (auto why = lapsed(by, signer, bucket, {.key = key}, undecided)) return *why;
  if (!undecided) return bucket;
  const std::string text{key};
  std::optional<object_row> row;
  if (valid_key(text)) row = version ? versions_.find(*bucket, text, *version) : versions_.live(*bucket, text);
  if (auto why = lapsed(by, signer, bucket, {key, row ? &*row : nullptr, !row}, undecided)) return *why;
  if (undecided) return error{errc::access_denied};
  return bucket;
}

object_extras command_applier::with_owner(const authority& by, const bucket_row& bucket, const std::string& key,
                                          object_extras extras) {
  const bool gives_away =
      bucket.ownership == ownership::preferred && extras.grants == policy::bucket_owner_full_control();
  extras.owner = gives_away ? std::string{} : writer_of(by, b_.sender(by), bucket, {.key = key});
  settle_list(extras);
  return extras;
}

std::optional<error> command_applier::forbidden_list(const bucket_row& bucket, const object_extras& extras) {
  if (!extras.has_list()) return std::nullopt;
  if (bucket.ownership == ownership::enforced) return error{errc::acl_not_supported};
  return extras.list_is_public() ? blocked_list(bucket) : std::nullopt;
}

std::optional<error> command_applier::malformed_list(const std::optional<policy::acl_grants>& grants, bool of_bucket) {
  if (!grants || (well_formed(*grants) && !(of_bucket && names_bucket_owner(*grants)))) return std::nullopt;
  return error{errc::invalid_argument, "not an access control list"};
}

std::optional<error> command_applier::blocked_list(const bucket_row& bucket) {
  if ((bucket.public_block & public_block::block_acls) == 0) return std::nullopt;
  return error{errc::access_denied, "The bucket's public access block refuses public access control lists."};
}

command_result command_applier::made(const bucket_row& bucket) const {
  object_row row;
  row.ordinal = ordinal_;
  row.null_version = bucket.versioning != versioning::enabled;
  return {.version = b_.index(), .more = encode_version_outcome(row, bucket.versioning != versioning::never)};
}

std::optional<error> command_applier::unusable(const written_blob& written) {
  if (blobs_.is_taken(written.blob)) return error{errc::blob_dead};
  if (!members_.durable(written))
    return error{errc::no_quorum, "owners changed meanwhile, and the new ones have not got all chunks"};
  return std::nullopt;
}

command_result command_applier::run(const put_object& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) {
    if (may_bury) bury_content(c.stamp, c.content);
    return *answer;
  }
  const auto bucket = admitted(c.by, c.bucket, c.key);
  const auto* const written = std::get_if<written_blob>(&c.content);
  std::optional<object_row> present;
  std::optional<error> refused = malformed(c);
  if (!refused && !bucket) refused = bucket.error();
  if (!refused) refused = malformed_list(c.extras.grants);
  object_extras extras;
  if (!refused) extras = with_owner(c.by, **bucket, c.key, c.extras);
  if (!refused) refused = forbidden_list(**bucket, extras);
  if (!refused) refused = lock_new(**bucket, extras, c.now);
  if (!refused && written != nullptr) refused = unusable(*written);
  if (!refused) {
    present = versions_.live(**bucket, c.key);
    refused = unmet(c.condition, present);
  }
  if (!refused) refused = above_quota(**bucket, c.key, c.size, present);
  if (refused) {
    bury_content(c.stamp, c.content);
    return remember(c.stamp, {.refused = std::move(refused)});
  }
  store(**bucket, c, extras, present);
  return remember(c.stamp, made(**bucket));
}

void command_applier::store(const bucket_row& bucket, const put_object& c, const object_extras& extras,
                            const std::optional<object_row>& present) {
  object_row row{.row_id = versions_.row_id(bucket, c.key, present),
                 .version = b_.index(),
                 .ordinal = ordinal_,
                 .size = c.size,
                 .etag = c.etag,
                 .modified = c.now,
                 .headers = c.headers,
                 .extras = extras};
  if (const auto* bytes = std::get_if<std::string>(&c.content)) {
    row.content = content_kind::inline_bytes;
    b_.put(table::inline_data, b_.keys.inline_data(row), *bytes);
  } else {
    row.content = content_kind::manifest;
    row.manifest = blobs_.add_manifest(with_possible_owners(std::get<written_blob>(c.content)), c.etag.digest);
  }
  versions_.put(bucket, c.key, row, present);
}

written_blob command_applier::with_possible_owners(written_blob written) {
  std::erase_if(written.unconfirmed, [&](const missing_chunks& m) { return !members_.may_own(m.node); });
  return written;
}

command_result command_applier::run(const delete_object& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  const auto bucket = admitted(c.by, c.bucket, c.key, c.version);
  if (!valid_key(c.key)) return remember(c.stamp, refuse(errc::invalid_argument, "not a valid key"));
  if (!bucket) return remember(c.stamp, {.refused = bucket.error()});
  std::uint64_t outcome = 0;
  if (auto refused = remove(**bucket, c, outcome)) return remember(c.stamp, {.refused = std::move(refused)});
  return remember(c.stamp, {.version = b_.index(), .more = outcome});
}

std::optional<error> command_applier::remove(const bucket_row& bucket, const delete_object& c, std::uint64_t& outcome) {
  const bool versioned = bucket.versioning != versioning::never;
  if (c.version) {
    const auto meant = versions_.find(bucket, c.key, *c.version);
    if (c.expected && (!meant || place_of(*meant) != *c.expected)) return error{errc::stale_source};
    if (auto refused = unmet(c.condition, meant)) return refused;
    if (c.only_if && meant)
      if (auto refused = unmet(*c.only_if, *meant)) return refused;
    if (meant)
      if (auto refused = held(bucket, c, *meant)) return refused;
    const auto gone = versions_.erase(bucket, c.key, *c.version);
    if (gone) outcome = encode_version_outcome(*gone, versioned);
    return std::nullopt;
  }
  const std::optional<object_row> present = versions_.live(bucket, c.key);
  if (c.expected && (!present || place_of(*present) != *c.expected)) return error{errc::stale_source};
  if (auto refused = unmet(c.condition, present)) return refused;
  if (c.only_if) {
    const auto newest = present ? present : versions_.newest_hidden(bucket, c.key);
    if (!newest) return std::nullopt;
    if (auto refused = unmet(*c.only_if, *newest)) return refused;
  }
  const auto marker = versions_.remove(bucket, c.key, {b_.index(), ordinal_}, c.now, present);
  if (marker) outcome = encode_version_outcome(*marker, versioned);
  return std::nullopt;
}

// Buries the blob of a refused put, unless it belongs to another session.
void command_applier::bury_content(const commit_stamp& stamp, const written_content& content) {
  const auto* const written = std::get_if<written_blob>(&content);
  if (written == nullptr || written->blob.session != stamp.session) return;
  if (const auto chunks = chunks_of(written->length, written->chunk_size))
    blobs_.bury_uncommitted(written->blob, *chunks);
}

command_result command_applier::run(const abandon_blob& c) {
  if (c.blob.session != c.session) return refuse(errc::invalid_argument, "blob of another session");
  const session_row* const session = b_.session(c.session);
  if (session == nullptr) return refuse(errc::session_ended, "no such session");
  const auto row = b_.load<blob_row>(table::blobs, b_.keys.blob(c.blob), decode_blob);
  if (row && row->buried_at == 0) return {};
  if (!session->ended) blobs_.mark_abandoned(c.blob);
  blobs_.bury_uncommitted(c.blob, c.chunks);
  return {};
}

command_result command_applier::run(const reap& c) {
  for (const buried_blob& buried : c.blobs) blobs_.reap(buried);
  return {};
}

command_result command_applier::run(const free_manifests& c) {
  return {.more = blobs_.free_step(c.parts_max, c.released_up_to)};
}

command_result command_applier::run(const count_usage& c) {
  return {.more = b_.usage_rows().count_step(c.rows_max) ? 1u : 0u};
}

command_result command_applier::run(const remove_node& c) {
  std::optional<uuid> removed;
  command_result answer = members_.remove(c, removed);
  const auto live = removed ? b_.load_u64(table::sessions, b_.keys.live_session(*removed)) : std::nullopt;
  if (session_row* const session = live ? b_.session(*live) : nullptr) end(*session);
  return answer;
}

command_result command_applier::run(const confirm_replicas& c) {
  for (const repair_row& repair : c.repairs) repairs_.confirm(repair);
  return {};
}

command_result command_applier::run(const hold_deletions& c) {
  b_.hold_deletions(c.held);
  return {};
}

command_result command_applier::run(const raise_feature_level& c) {
  b_.raise_feature_level(c.level);
  return {};
}

command_result command_applier::run(const give_up_chunks& c) {
  for (const lost_chunks& lost : c.chunks) {
    const auto row = b_.load<blob_row>(table::blobs, b_.keys.blob(lost.blob), decode_blob);
    const auto chunks = row && row->references > 0 ? chunks_of(row->length, row->chunk_size).value_or(0) : 0;
    if (lost.count > 0 && lost.first < chunks && lost.count <= chunks - lost.first) repairs_.give_up(lost);
  }
  return {};
}

command_result command_applier::run(const acknowledge_epoch& c) {
  session_row* const session = b_.session(c.session);
  if (session == nullptr || session->ended) return refuse(errc::session_ended);
  if (c.epoch > members_.epoch()) return refuse(errc::invalid_argument, "there is no such epoch yet");
  session->acknowledged_epoch = std::max(session->acknowledged_epoch, c.epoch);
  return {};
}

} // namespace cairn::storage::metadata
