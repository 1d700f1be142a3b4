// Encodings of commands (notation: rows.cpp; their results: command_results.cpp). A command, by its level:
//
//   below 8           level:u8 kind:u8 fields
//   8                 level:u8 kind:u8 authority base:u8 fields
//   9 to 13           level:u8 kind:u8 authority base:u8 with_asked:u8 [asked] fields
//   from 14 on        level:u8 kind:u8 authority base:u8 with_asked:u8 [asked] with_session:u8 [session] fields
//                     session: sts_session.hpp, from 16 on with tags; authority: authority.hpp; base: the command's
//                     level without the authority
//
// The kinds and their fields, and what they consist of:
//
//   0 begin_session   node:16 incarnation:u64
//   1 end_session     session:v
//   2 create_bucket   name:s now:u64 [owner:s [stamp [settings]]]
//                     owner: not empty unless a stamp follows; stamp: session not 0 unless settings follow
//   3 delete_bucket   name:s [stamp]
//   4 put_object      stamp bucket:s key:s now:u64 size:v etag headers content condition [extras]
//   5 delete_object   stamp bucket:s key:s now:u64 condition [fields:u8 [version_id] [version:v ordinal:v] [only_if]]
//                     fields: 1 version_id, 2 expected (version:v ordinal:v), 4 only_if, 8 bypasses_governance; not 0
//   6 abandon_blob    session:v blob chunks:v
//   7 reap            count:v (buried_at:v blob chunks:v)*
//   8 free_manifests  parts_max:v released_up_to:u64
//   9 to 18           see cluster_commands.cpp
//   19 to 26          see object_commands.cpp
//   27                see cluster_commands.cpp
//   28 to 30          see key_commands.cpp
//   31 to 33          see cluster_commands.cpp
//   34                see object_commands.cpp
//   35 to 37          see lock_commands.cpp
//   38 count_usage    rows_max:v
//   39                see object_commands.cpp
//   40, 42            see identity_commands.cpp
//   41                see key_commands.cpp
//   43, 44            see object_commands.cpp
//   stamp             session:v sequence:v acknowledged_below:v
//   content           0 bytes:s | 1 blob length:v chunk_size:v | 2 blob length:v chunk_size:v count:v (missing)+
//   condition         flags:u8 [if_match:s] [if_other:s]  flags: 1 if_absent, 2 if_match follows, 4 if_other follows
//   only_if           flags:u8 [etag:s] [size:v] [modified:u64]  flags: 1 etag, 2 size, 4 modified; not 0
//   settings          flags:u8 list(tags) ownership:u8 [grants]
//                     flags: 1 public_read, 2 public_write, 4 again, 8 lock, 16 grants, not with 1
//   batch             count:v (command:s)*
//
// The level of a command is the highest that applies:
//   1  kinds 0 to 8
//   2  kinds 9 to 18; a put_object with content 2
//   3  kinds 19 to 27; a put_object with extras (rows.cpp)
//   4  kinds 28 to 30; a create_bucket with an owner
//   5  kinds 31 and 32; a delete_object with version_id or expected; version_id in set_extras; versioning, lifecycle
//      and public_write in set_bucket
//   6  if_other; only_if; part_checksums of a complete_upload; the checksum of a copy_part; public_objects and tags in
//      set_bucket
//   7  the stamp of a create_bucket or delete_bucket
//   8  an authority other than the default; the settings of a create_bucket; ownership in set_bucket; the source of a
//      put_part; kind 33; an add_node with an invitation
//   9  what policies are asked (`asked` of an authority); kind 34
//   11 kinds 35 to 37; a lock in extras, settings of a create_bucket, or conditions of a policy; bypasses_governance
//   12 kind 38
//   13 kinds 39 and 40; an authority by the policies of a user; an ownership other than none in set_bucket, which a
//      member of an older build would not obey for lists that objects have already
//   14 kinds 41 and 42; the sealed secret of a create_key, or of a change_identity (`on` of CreateAccessKey); a kind 40
//      about roles, or with a policy about roles or sessions; an authority of a session
//   15 grants of access control lists, in extras, settings, set_extras or set_bucket; a kind 40 with a policy about
//      web identities
//   16 kinds 43 and 44; a kind 40 about identity providers, or with a policy about them or tags of sessions; an
//   authority of a session
//      with tags; grants to the bucket's owner, and public-read-write as grants; an ownership, in settings or
//      set_bucket, with which writers own their objects
// An optional last field that is absent is not encoded, so that older builds read the command.
#include "storage/metadata/commands/commands.hpp"

#include "storage/policy/policy.hpp"

#include <algorithm>
#include <concepts>

namespace cairn::storage::metadata {

namespace {

constexpr std::uint8_t with_version = 1, with_expected = 2, with_only_if = 4, with_bypass = 8; // of delete_object

bool read_present_stamp(byte_reader& r, commit_stamp& s) {
  s = read_stamp(r);
  return s.session != 0;
}

// write(w, command) and read(r, command): one pair per kind.
void write(byte_writer& w, const begin_session& c) {
  w.raw(c.node).u64(c.incarnation);
}
void read(byte_reader& r, begin_session& c) {
  r.raw(c.node);
  c.incarnation = r.u64();
}

void write(byte_writer& w, const end_session& c) {
  w.varint(c.session);
}
void read(byte_reader& r, end_session& c) {
  c.session = r.varint();
}

constexpr std::uint8_t with_public_read = 1, with_public_write = 2, with_again = 4, with_lock = 8,
                       with_grants = 16; // of settings

void write(byte_writer& w, const bucket_settings& s) {
  w.u8(static_cast<std::uint8_t>((s.public_read ? with_public_read : 0) | (s.public_write ? with_public_write : 0) |
                                 (s.again ? with_again : 0) | (s.lock ? with_lock : 0) | (s.grants ? with_grants : 0)));
  write_pairs(w, s.tags);
  w.u8(s.ownership);
  if (s.grants) policy::write_grants(w, *s.grants);
}
void read(byte_reader& r, bucket_settings& s) {
  const std::uint8_t flags = r.u8();
  s.public_read = (flags & with_public_read) != 0;
  s.public_write = (flags & with_public_write) != 0;
  s.again = (flags & with_again) != 0;
  s.lock = (flags & with_lock) != 0;
  s.tags = read_pairs(r);
  s.ownership = r.u8();
  if ((flags & with_grants) != 0) s.grants = policy::read_grants(r);
  const bool known = flags < 2 * with_grants && s.ownership <= ownership::last;
  if (!known || !s.is_given() || (s.public_write && !s.public_read) || (s.public_read && s.grants)) r.fail();
}

void write(byte_writer& w, const create_bucket& c) {
  w.string(c.name);
  write_time(w, c.now);
  const bool has_settings = c.settings.is_given(), stamped = c.stamp.session != 0 || has_settings;
  if (stamped || !c.owner.empty()) w.string(c.owner);
  if (stamped) write_stamp(w, c.stamp);
  if (has_settings) write(w, c.settings);
}
void read(byte_reader& r, create_bucket& c) {
  c.name = r.string();
  c.now = read_time(r);
  if (!r.ok() || r.finished()) return;
  c.owner = r.string();
  if (r.finished()) {
    if (c.owner.empty()) r.fail();
    return;
  }
  c.stamp = read_stamp(r);
  if (r.ok() && !r.finished()) return read(r, c.settings);
  if (c.stamp.session == 0) r.fail();
}

void write(byte_writer& w, const delete_bucket& c) {
  w.string(c.name);
  if (c.stamp.session != 0) write_stamp(w, c.stamp);
}
void read(byte_reader& r, delete_bucket& c) {
  c.name = r.string();
  if (r.ok() && !r.finished() && !read_present_stamp(r, c.stamp)) r.fail();
}

void write(byte_writer& w, const put_object& c) {
  write_stamp(w, c.stamp);
  w.string(c.bucket).string(c.key);
  write_time(w, c.now);
  w.varint(c.size);
  write_etag(w, c.etag);
  write_headers(w, c.headers);
  write_content(w, c.content);
  write_condition_of(w, c.condition);
  if (!c.extras.empty()) write_extras(w, c.extras);
}
void read(byte_reader& r, put_object& c) {
  c.stamp = read_stamp(r);
  c.bucket = r.string();
  c.key = r.string();
  c.now = read_time(r);
  c.size = r.varint();
  c.etag = read_etag(r);
  c.headers = read_headers(r);
  c.content = read_content(r);
  c.condition = read_condition(r);
  if (!r.ok() || r.finished()) return;
  c.extras = read_extras(r);
  if (c.extras.empty()) r.fail();
}

void write(byte_writer& w, const delete_object& c) {
  write_stamp(w, c.stamp);
  w.string(c.bucket).string(c.key);
  write_time(w, c.now);
  write_condition_of(w, c.condition);
  if (!c.version && !c.expected && !c.only_if && !c.bypasses_governance) return;
  w.u8(static_cast<std::uint8_t>((c.version ? with_version : 0) | (c.expected ? with_expected : 0) |
                                 (c.only_if ? with_only_if : 0) | (c.bypasses_governance ? with_bypass : 0)));
  if (c.version) write_version_id(w, *c.version);
  if (c.expected) w.varint(c.expected->version).varint(c.expected->ordinal);
  if (c.only_if) write_removal_condition(w, *c.only_if);
}
void read(byte_reader& r, delete_object& c) {
  c.stamp = read_stamp(r);
  c.bucket = r.string();
  c.key = r.string();
  c.now = read_time(r);
  c.condition = read_condition(r);
  if (!r.ok() || r.finished()) return;
  const std::uint8_t fields = r.u8();
  if (fields == 0 || fields >= 2 * with_bypass) r.fail();
  c.bypasses_governance = (fields & with_bypass) != 0;
  if ((fields & with_version) != 0) c.version = read_version_id(r);
  if ((fields & with_expected) != 0) {
    c.expected.emplace();
    c.expected->version = r.varint();
    c.expected->ordinal = r.varint32();
  }
  if ((fields & with_only_if) != 0) c.only_if = read_removal_condition(r);
}

void write(byte_writer& w, const abandon_blob& c) {
  w.varint(c.session);
  write_blob_id(w, c.blob);
  w.varint(c.chunks);
}
void read(byte_reader& r, abandon_blob& c) {
  c.session = r.varint();
  c.blob = read_blob_id(r);
  c.chunks = r.varint32();
}

constexpr std::size_t buried_bytes_min = 18;

void write(byte_writer& w, const reap& c) {
  w.varint(c.blobs.size());
  for (const buried_blob& b : c.blobs) {
    w.varint(b.buried_at);
    write_blob_id(w, b.blob);
    w.varint(b.chunks);
  }
}
void read(byte_reader& r, reap& c) {
  c.blobs.resize(r.count(buried_bytes_min));
  for (buried_blob& b : c.blobs) {
    b.buried_at = r.varint();
    b.blob = read_blob_id(r);
    b.chunks = r.varint32();
  }
}

void write(byte_writer& w, const free_manifests& c) {
  w.varint(c.parts_max).u64(c.released_up_to);
}
void read(byte_reader& r, free_manifests& c) {
  c.parts_max = r.varint32();
  c.released_up_to = r.u64();
}

void write(byte_writer& w, const count_usage& c) {
  w.varint(c.rows_max);
}
void read(byte_reader& r, count_usage& c) {
  c.rows_max = r.varint32();
}

template <class Kind>
constexpr bool has_authority = requires(Kind c) {
  { c.by } -> std::same_as<authority&>;
};

authority authority_of(const command& c) {
  return std::visit(
      []<class Kind>(const Kind& kind) {
        if constexpr (has_authority<Kind>)
          return kind.by;
        else
          return authority{};
      },
      c);
}

template <std::size_t Kind = 0>
bool read_kind(std::size_t kind, byte_reader& r, command& into, authority by) {
  if constexpr (Kind < std::variant_size_v<command_kind>) {
    if (kind != Kind) return read_kind<Kind + 1>(kind, r, into, std::move(by));
    auto& read_into = into.emplace<Kind>();
    if constexpr (has_authority<std::decay_t<decltype(read_into)>>)
      read_into.by = std::move(by);
    else if (by.is_given())
      r.fail();
    read(r, read_into);
    return true;
  }
  return false;
}

bool is_of_level_6(const delete_object& c) {
  return c.condition.if_other || c.only_if;
}
bool is_of_level_6(const put_object& c) {
  return c.condition.if_other.has_value();
}
bool is_of_level_6(const copy_object& c) {
  return c.condition.if_other.has_value();
}
bool is_of_level_6(const complete_upload& c) {
  return c.condition.if_other || c.part_checksums;
}
bool is_of_level_6(const copy_part& c) {
  return !c.checksum.empty();
}
bool is_of_level_6(const set_bucket& c) {
  return c.public_objects || c.tags;
}
template <class Other>
bool is_of_level_6(const Other&) {
  return false;
}

bool is_of_level_7(const command& c) {
  const auto* const made = std::get_if<create_bucket>(&c);
  const auto* const gone = std::get_if<delete_bucket>(&c);
  return (made != nullptr && made->stamp.session != 0) || (gone != nullptr && gone->stamp.session != 0);
}

bool is_of_level_8(const command& c) {
  const auto* const made = std::get_if<create_bucket>(&c);
  const auto* const settings = std::get_if<set_bucket>(&c);
  const auto* const added = std::get_if<add_node>(&c);
  const auto* const part = std::get_if<put_part>(&c);
  return (part != nullptr && part->source) || (made != nullptr && made->settings.is_given()) ||
         (settings != nullptr && settings->ownership) || std::holds_alternative<invite_node>(c) ||
         (added != nullptr && added->invited);
}

bool is_locked(const std::optional<object_extras>& extras) {
  return extras && !extras->lock.empty();
}

// Of the command's list; null: it sets none.
const policy::acl_grants* grants_of(const command& c) {
  const auto* const found = std::visit(
      []<class Kind>(const Kind& kind) -> const std::optional<policy::acl_grants>* {
        if constexpr (std::is_same_v<Kind, create_bucket>)
          return &kind.settings.grants;
        else if constexpr (std::is_same_v<Kind, copy_object>)
          return kind.extras ? &kind.extras->grants : nullptr;
        else if constexpr (requires { kind.extras.grants; })
          return &kind.extras.grants;
        else if constexpr (requires { kind.grants.has_value(); })
          return &kind.grants;
        else
          return nullptr;
      },
      c);
  return found != nullptr && *found ? &**found : nullptr;
}

bool is_of_level_16(const command& c) {
  const auto* const grants = grants_of(c);
  if (grants != nullptr && (policy::names_bucket_owner(*grants) || *grants == policy::public_read_write())) return true;
  if (const auto* made = std::get_if<create_bucket>(&c)) return ownership::writers_own(made->settings.ownership);
  const auto* const settings = std::get_if<set_bucket>(&c);
  return settings != nullptr && ownership::writers_own(settings->ownership.value_or(ownership::not_given));
}

bool is_of_level_11(const command& c) {
  constexpr std::size_t first_kind = 35;
  if (c.index() >= first_kind) return true;
  if (const auto* put = std::get_if<put_object>(&c)) return !put->extras.lock.empty();
  if (const auto* begun = std::get_if<begin_upload>(&c)) return !begun->extras.lock.empty();
  if (const auto* copied = std::get_if<copy_object>(&c)) return is_locked(copied->extras);
  if (const auto* removal = std::get_if<delete_object>(&c)) return removal->bypasses_governance;
  if (const auto* made = std::get_if<create_bucket>(&c)) return made->settings.lock;
  // Earlier builds would refuse the policy, and so have another state.
  const auto* access = std::get_if<set_bucket_access>(&c);
  return access != nullptr && access->policy && policy::names_object_lock(*access->policy);
}

bool gives_ownership(const command& c) {
  const auto* const settings = std::get_if<set_bucket>(&c);
  return settings != nullptr && settings->ownership.value_or(ownership::not_given) != ownership::not_given;
}

bool has_sealed_secret(const command& c) {
  if (const auto* made = std::get_if<create_key>(&c)) return made->sealed;
  const auto* const change = std::get_if<change_identity>(&c);
  return std::holds_alternative<seal_keys>(c) ||
         (change != nullptr && change->what == policy::action::iam_create_access_key && change->on);
}

std::uint8_t base_level_of(const command& c) {
  if (std::holds_alternative<rename_object>(c)) return feature_level_of_renames;
  if (is_of_level_16(c)) return feature_level_of_object_owners;
  if (std::holds_alternative<set_user_quota>(c) || std::holds_alternative<set_bucket_owner>(c))
    return feature_level_of_user_quotas;
  if (grants_of(c) != nullptr) return feature_level_of_acl_grants;
  if (has_sealed_secret(c)) return feature_level_of_sealed_secrets;
  if (gives_ownership(c)) return feature_level_of_ownership;
  if (std::holds_alternative<set_bucket_quota>(c)) return feature_level_of_quotas;
  if (std::holds_alternative<renew_token_key>(c)) return feature_level_of_sessions;
  if (const auto* identity = std::get_if<change_identity>(&c)) return identity_level(*identity);
  if (std::holds_alternative<count_usage>(c)) return feature_level_of_usage;
  if (is_of_level_11(c)) return feature_level_of_object_lock;
  if (std::holds_alternative<set_bucket_access>(c)) return feature_level_of_policies;
  if (is_of_level_8(c)) return 8;
  if (is_of_level_7(c)) return 7;
  if (std::visit([](const auto& kind) { return is_of_level_6(kind); }, c)) return 6;
  constexpr std::size_t level_1_kinds = 9, level_2_kinds = 19, level_3_kinds = 28, level_4_kinds = 31;
  if (c.index() >= level_3_kinds) return c.index() < level_4_kinds ? 4 : 5;
  const auto* const extras = std::get_if<set_extras>(&c);
  const auto* const settings = std::get_if<set_bucket>(&c);
  if ((extras != nullptr && extras->version) ||
      (settings != nullptr && (settings->versioning || settings->lifecycle || settings->public_write)))
    return 5;
  if (c.index() >= level_1_kinds) return c.index() < level_2_kinds ? 2 : 3;
  const auto* const bucket = std::get_if<create_bucket>(&c);
  if (bucket != nullptr && !bucket->owner.empty()) return 4;
  const auto* const removal = std::get_if<delete_object>(&c);
  if (removal != nullptr && (removal->version || removal->expected)) return 5;
  const auto* const put = std::get_if<put_object>(&c);
  if (put != nullptr && !put->extras.empty()) return 3;
  const auto* const written = put != nullptr ? std::get_if<written_blob>(&put->content) : nullptr;
  return written != nullptr && !written->unconfirmed.empty() ? 2 : 1;
}

} // namespace

command::command() = default;
command::command(const command& other) = default;
command::command(command&& other) noexcept = default;
command& command::operator=(const command& other) = default;
command& command::operator=(command&& other) noexcept = default;
command::~command() = default;

std::uint8_t level_of(const command& c) {
  const auto by = authority_of(c);
  const auto base = base_level_of(c);
  if (by.session && !by.session->tags.empty()) return std::max(base, feature_level_of_session_tags);
  if (by.session) return std::max(base, feature_level_of_sessions);
  if (by.by == allowed_by::identity) return std::max(base, feature_level_of_identities);
  if (by.asked || by.by == allowed_by::policy) return std::max(base, feature_level_of_policies);
  return by.is_given() ? std::max(base, feature_level_of_authority) : base;
}

std::string encode(const command& c) {
  byte_writer w{256};
  const std::uint8_t level = level_of(c);
  w.u8(level).u8(static_cast<std::uint8_t>(c.index()));
  if (level >= feature_level_of_authority) {
    const auto by = authority_of(c);
    write_authority(w, by);
    w.u8(base_level_of(c));
    if (level >= feature_level_of_policies) w.boolean(by.asked != nullptr);
    if (by.asked) write_asked(w, *by.asked);
    if (level >= feature_level_of_sessions) w.boolean(by.session != nullptr);
    if (by.session) write_session(w, *by.session, level >= feature_level_of_session_tags);
  }
  std::visit([&](const auto& kind) { write(w, kind); }, c);
  return w.take();
}

result<command> decode_command(std::string_view bytes) {
  byte_reader r{bytes};
  const std::uint8_t level = r.u8();
  const std::uint8_t kind = r.u8();
  if (r.ok() && level > feature_level)
    return error{errc::unsupported, "command of feature level " + std::to_string(level)};
  command c;
  authority by;
  std::uint8_t base = level;
  if (level >= feature_level_of_authority) {
    by = read_authority(r);
    base = r.u8();
    if (level >= feature_level_of_policies && r.boolean()) by.asked = read_asked(r);
    if (level >= feature_level_of_sessions && r.boolean())
      by.session = std::make_shared<const sts_session>(read_session(r, level >= feature_level_of_session_tags));
  }
  if (level == 0 || !read_kind(kind, r, c, std::move(by)) || !r.finished() || level != level_of(c) ||
      base != base_level_of(c))
    return error{errc::corrupt, "command does not follow its grammar"};
  return c;
}

std::string encode(std::span<const command> batch) {
  byte_writer w{batch.size() * 256 + 8};
  w.varint(batch.size());
  for (const command& c : batch) w.string(encode(c));
  return w.take();
}

result<std::vector<command>> decode_batch(std::string_view bytes) {
  byte_reader r{bytes};
  const std::size_t count = r.count(3);
  std::vector<command> batch;
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    const std::string_view one = r.string();
    if (!r.ok()) break;
    auto decoded = decode_command(one);
    if (!decoded) return decoded.error();
    batch.push_back(std::move(*decoded));
  }
  if (!r.finished()) return error{errc::corrupt, "batch of commands does not follow its grammar"};
  return batch;
}

} // namespace cairn::storage::metadata
