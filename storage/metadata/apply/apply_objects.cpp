#include "storage/metadata/apply/apply.hpp"
#include "storage/metadata/rows/names.hpp"
#include "storage/policy/policy.hpp"

namespace cairn::storage::metadata {

namespace {

constexpr std::string_view checksum_prefix = "x-amz-checksum-";

} // namespace

result<object_row> command_applier::find_version(const authority& by, const object_version& wanted) {
  const bucket_row* const bucket = b_.bucket(wanted.bucket);
  const access_key_row* const signer = b_.sender(by);
  if (auto why = source_lapsed(by, signer, bucket, {.key = wanted.key})) return *why;
  if (!valid_key(wanted.key)) return error{errc::no_such_key};
  auto row = versions_.find(*bucket, wanted.key, version_place{wanted.version, wanted.ordinal});
  if (row) {
    if (auto why = source_lapsed(by, signer, bucket, {.key = wanted.key, .row = &*row})) return *why;
    return std::move(*row);
  }
  // Where lists of objects count for named grantees alone, a source that is not there is refused like one without any.
  if ((bucket->public_block & public_block::ignore_acls) != 0)
    if (auto why = source_lapsed(by, signer, bucket, {.key = wanted.key, .without_list = true})) return *why;
  return error{versions_.live(*bucket, wanted.key) ? errc::stale_source : errc::no_such_key};
}

std::optional<error> command_applier::copy(const copy_object& c) {
  if (!valid_key(c.key)) return error{errc::invalid_argument, "not a valid key"};
  const auto admitted_to = admitted(c.by, c.bucket, c.key);
  if (!admitted_to) return admitted_to.error();
  const bucket_row* const bucket = *admitted_to;
  const auto given = c.extras.value_or(object_extras{});
  if (auto refused = malformed_list(given.grants)) return refused;
  const auto wanted = with_owner(c.by, *bucket, c.key, given);
  if (auto refused = forbidden_list(*bucket, wanted)) return refused;
  const auto present = versions_.live(*bucket, c.key);
  if (auto refused = unmet(c.condition, present)) return refused;
  const auto source = find_version(c.by, c.source);
  if (!source) return source.error();
  if (source->content == content_kind::delete_marker) return error{errc::delete_marker};

  object_row row = *source;
  if (c.extras) {
    row.extras = wanted;
  } else {
    row.extras.lock = {}; // is not copied, nor are grants
    row.extras.grants.reset();
    row.extras.owner = wanted.owner;
  }
  if (auto refused = lock_new(*bucket, row.extras, c.now)) return refused;
  if (auto refused = above_quota(*bucket, c.key, row.size, present)) return refused;
  row.modified = c.now;
  if (c.headers) {
    row.headers = *c.headers;
    for (const auto& header : source->headers.standard)
      if (header.first.starts_with(checksum_prefix)) row.headers.standard.push_back(header);
  }
  row.origin.reset();
  share(*source, *bucket, c.key, std::move(row), present);
  return std::nullopt;
}

void command_applier::share(const object_row& source, const bucket_row& bucket, const std::string& key, object_row row,
                            const std::optional<object_row>& present) {
  row.row_id = versions_.row_id(bucket, key, present);
  row.version = b_.index();
  row.ordinal = ordinal_;
  if (!row.origin && row.etag.parts > 0 && b_.has_effects_of(feature_level_of_upload_origins)) row.origin.emplace();
  // The source may be the object that is replaced: add the new reference before the old one is dropped.
  if (source.content == content_kind::manifest) blobs_.share_manifest(source.manifest);
  if (source.content == content_kind::inline_bytes) {
    const std::string bytes{b_.kv.get(id_of(table::inline_data), b_.keys.inline_data(source)).value_or("")};
    b_.put(table::inline_data, b_.keys.inline_data(row), bytes);
  }
  versions_.put(bucket, key, std::move(row), present);
}

command_result command_applier::run(const copy_object& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  if (auto refused = copy(c)) return remember(c.stamp, {.refused = std::move(refused)});
  return remember(c.stamp, made(*b_.bucket(c.bucket)));
}

std::optional<error> command_applier::rename(const rename_object& c) {
  if (!valid_key(c.key)) return error{errc::invalid_argument, "not a valid key"};
  const auto& from = c.source.key;
  const auto admitted_to = admitted(c.by, c.source.bucket, c.key);
  if (!admitted_to) return admitted_to.error();
  if (const auto removes = admitted(as_removal(c.by), c.source.bucket, from); !removes) return removes.error();
  const bucket_row* const bucket = *admitted_to;
  if (bucket->versioning != versioning::never)
    return error{errc::invalid_bucket_state, "An object of a bucket that has or had versioning cannot be renamed."};
  const auto present = versions_.live(*bucket, c.key);
  if (c.token && present && present->origin == c.token) return std::nullopt; // done before
  const auto source = find_version(c.by, c.source);
  if (!source) return source.error();
  if (auto refused = unmet(c.condition, present)) return refused;
  if (from == c.key) return std::nullopt;
  object_row row = *source;
  row.origin = c.token;
  share(*source, *bucket, c.key, std::move(row), present);
  versions_.remove(*bucket, from, {b_.index(), ordinal_}, 0, *source);
  return std::nullopt;
}

command_result command_applier::run(const rename_object& c) {
  return changed(c.stamp, [&] { return rename(c); });
}

std::optional<error> command_applier::change(const set_extras& c, log_index& version) {
  const auto admitted_to = admitted(c.by, c.bucket, c.key, c.version);
  if (!admitted_to) return admitted_to.error();
  const bucket_row* const bucket = *admitted_to;
  if (!valid_key(c.key)) return error{errc::no_such_key};
  auto row = c.version ? versions_.find(*bucket, c.key, *c.version) : versions_.live(*bucket, c.key);
  if (!row) return error{c.version ? errc::no_such_version : errc::no_such_key};
  if (row->content == content_kind::delete_marker) return error{errc::delete_marker};
  if (c.tags) row->extras.tags = *c.tags;
  if (c.public_read || c.grants) {
    if (auto refused = malformed_list(c.grants)) return refused;
    row->extras.public_read = !c.grants && *c.public_read;
    row->extras.grants = c.grants;
    settle_list(row->extras);
    if (auto refused = forbidden_list(*bucket, row->extras)) return refused;
  }
  versions_.rewrite(*bucket, c.key, *row);
  version = row->version;
  return std::nullopt;
}

command_result command_applier::run(const set_extras& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  log_index version = 0;
  auto refused = change(c, version);
  return remember(c.stamp, {.version = version, .refused = std::move(refused)});
}

std::optional<error> command_applier::change(const set_bucket& c) {
  const auto bucket = admitted(c.by, c.name);
  if (!bucket) return bucket.error();
  if (c.versioning && *c.versioning != versioning::enabled && *c.versioning != versioning::suspended)
    return error{errc::invalid_argument, "versioning is enabled or suspended"};
  if (c.ownership && *c.ownership > ownership::last) return error{errc::invalid_argument, "no such ownership"};
  bucket_row row = **bucket;
  if (row.lock.enabled && c.versioning && *c.versioning != versioning::enabled)
    return error{errc::invalid_bucket_state,
                 "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."};
  if (c.public_read) {
    row.public_read = *c.public_read;
    row.public_write = row.public_read && c.public_write.value_or(false);
    row.public_objects = row.public_read && c.public_objects.value_or(true);
    row.grants.reset();
  }
  if (c.grants) {
    if (auto refused = malformed_list(c.grants, true)) return refused;
    row.public_read = row.public_write = row.public_objects = false;
    row.grants = c.grants;
  }
  if (c.cors) row.cors = *c.cors;
  if (c.versioning) row.versioning = *c.versioning;
  if (c.lifecycle) row.lifecycle = *c.lifecycle;
  if (c.tags) row.tags = *c.tags;
  if (c.ownership) row.ownership = *c.ownership;
  if (row.has_list() && row.ownership == ownership::enforced) return error{errc::acl_not_supported};
  if ((c.public_read || c.grants) && row.list_is_public())
    if (auto refused = blocked_list(row)) return refused;
  b_.put_bucket(row);
  return std::nullopt;
}

std::optional<error> command_applier::change(const set_bucket_access& c) {
  const auto bucket = admitted(c.by, c.name);
  if (!bucket) return bucket.error();
  if (c.public_block &&
      (*c.public_block > public_block::all || (*c.public_block != 0 && (*c.public_block & public_block::given) == 0)))
    return error{errc::invalid_argument, "no such public access block"};
  bucket_row row = **bucket;
  if (c.public_block) row.public_block = *c.public_block;
  if (c.policy) {
    if (!c.policy->empty()) {
      const auto compiled = policy::policy::compile(*c.policy, policy::owner_kind::bucket, c.name);
      if (!compiled) return compiled.error();
      if ((row.public_block & public_block::block_policy) != 0 && compiled->is_public())
        return error{errc::access_denied, "The bucket's public access block refuses public policies."};
    }
    row.policy = bucket_policy{*c.policy};
  }
  b_.put_bucket(row);
  return std::nullopt;
}

command_result command_applier::run(const set_bucket& c) {
  return changed(c.stamp, [&] { return change(c); });
}

command_result command_applier::run(const set_bucket_access& c) {
  return changed(c.stamp, [&] { return change(c); });
}

} // namespace cairn::storage::metadata
