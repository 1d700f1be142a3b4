// Random commands on a few names, so that they conflict. Includes invalid, late and repeated ones.
#pragma once

#include "storage/metadata/store.hpp"

#include <random>

namespace cairn::storage::metadata {

class random_commands {
public:
  explicit random_commands(std::uint32_t seed) : random_(seed) {}

  std::vector<command> batch() {
    std::vector<command> commands;
    for (unsigned i = 1 + random_() % 20; i > 0; --i) commands.push_back(next());
    return commands;
  }
  void saw(const std::vector<command>& commands, const applied_batch& applied) {
    const std::size_t first = command{create_cluster{}}.index(), last = command{moved{}}.index();
    for (std::size_t i = 0; i < commands.size(); ++i) {
      const command_result& answer = applied.results[i];
      if (answer.refused) continue;
      if (std::holds_alternative<begin_session>(commands[i])) sessions_.push_back(answer.version);
      if (const auto* begun = std::get_if<begin_upload>(&commands[i]))
        uploads_.push_back({begun->bucket, begun->key, answer.version, begun->nonce});
      if (const auto* put = std::get_if<put_object>(&commands[i]))
        objects_.push_back({put->bucket, put->key, applied.index, std::uint32_t(i)});
      if (commands[i].index() >= first && commands[i].index() <= last) epoch_ = answer.version;
    }
  }
  void saw(view& rows) {
    buried_ = rows.buried(5).value();
    repairs_ = rows.repairs(node(), {}, 5).value();
  }
  command founding() const {
    return create_cluster{.id = {9}, .name = "cluster", .now = 1, .first = {.id = {1}, .address = "node:1"}};
  }

private:
  command next() {
    if (!sent_.empty() && random_() % 12 == 0) return sent_[random_() % sent_.size()];
    command c = fresh();
    if (random_() % 3 == 0) say_authority(c);
    sent_.push_back(c);
    return c;
  }
  void say_authority(command& c) {
    authority by{.by = allowed_by(random_() % 6), .rights = std::uint8_t(random_() % 8)};
    if (random_() % 2 == 0) by.key = key_id();
    if (random_() % 8 == 0) by.bucket = random_() % 100;
    if (random_() % 8 == 0) by.source = random_() % 100;
    if (!by.is_given()) by = {}; // as gateways send it
    if (by.by != allowed_by::internal && random_() % 2 == 0) {
      asked_access asked{.actions = {random_() % 2 == 0 ? policy::action::put_object : policy::action::delete_object},
                         .source = policy::action::get_object,
                         .by_acl = random_() % 2 == 0};
      asked.with.kind = by.key.empty() ? policy::sender::anonymous : policy::sender::key;
      by.asked = std::make_shared<const asked_access>(std::move(asked));
    }
    std::visit(
        [&by](auto& one) {
          if constexpr (requires { one.by; }) one.by = std::move(by);
        },
        c);
  }
  object_lock lock() {
    object_lock l;
    if (random_() % 2 == 0) l.retained = {retention_mode(1 + random_() % 2), wall_ms(random_())};
    if (l.empty() || random_() % 4 == 0) l.hold = legal_hold(1 + random_() % 2);
    return l;
  }
  std::optional<upload_origin> token() {
    if (random_() % 2 == 0) return std::nullopt;
    return upload_origin{~std::uint64_t{0} - random_() % 4, 7};
  }
  policy::acl_grants grants() {
    policy::acl_grants list;
    for (unsigned i = random_() % 4; i > 0; --i) {
      const auto to = policy::grantee(1 + random_() % 5);
      add_grant(list, to, to == policy::grantee::user ? key_id() : std::string{}, std::uint8_t(1 + random_() % 31));
    }
    return list;
  }
  command of_locks_and_quotas() {
    switch (random_() % 7) {
      case 5: {
        set_user_quota c{.stamp = stamp(), .user = key_id()};
        if (random_() % 2 == 0) c.bytes_max = random_() % 2 == 0 ? 0 : 20'000'000 + random_() % 20'000'000;
        if (random_() % 2 == 0) c.versions_max = random_() % 2 == 0 ? 0 : 5 + random_() % 10;
        return c;
      }
      case 6: return set_bucket_owner{.stamp = stamp(), .name = bucket(), .user = random_() % 4 == 0 ? "" : key_id()};
      case 0: return advance_lock_time{.time = wall_ms(random_())};
      case 1: {
        set_bucket_lock c{.stamp = stamp(), .name = bucket()};
        if (random_() % 2 == 0) c.lock = {true, retention_mode(1 + random_() % 2), period_unit(random_() % 2), 1};
        return c;
      }
      case 2: {
        set_bucket_quota c{.stamp = stamp(), .name = bucket()};
        if (random_() % 2 == 0) c.bytes_max = random_() % 2 == 0 ? 0 : 20'000'000 + random_() % 20'000'000;
        if (random_() % 2 == 0) c.versions_max = random_() % 2 == 0 ? 0 : 5 + random_() % 10;
        return c;
      }
      default: {
        const object_version of = object();
        set_object_lock c{.stamp = stamp(), .bucket = of.bucket, .key = of.key, .now = wall_ms(random_())};
        if (random_() % 2 == 0) c.version = version_id{version_place{of.version, of.ordinal}};
        if (random_() % 2 == 0) c.retained = random_() % 4 == 0 ? retention{} : lock().retained;
        if (random_() % 2 == 0) c.hold = legal_hold(1 + random_() % 2);
        c.bypasses_governance = random_() % 4 == 0;
        return c;
      }
    }
  }
  command fresh() {
    if (random_() % 16 == 0) return of_locks_and_quotas();
    if (random_() % 4 == 0) return of_the_cluster();
    if (random_() % 3 == 0) return of_objects();
    if (random_() % 12 == 0) return of_keys();
    if (random_() % 12 == 0) return of_identities();
    switch (random_() % 24) {
      case 0: return begin_session{.node = {std::uint8_t(random_() % 3)}, .incarnation = random_() % 5};
      case 1: return end_session{.session = session()};
      case 2:
      case 3: {
        create_bucket c{.name = bucket(), .now = wall_ms(random_())};
        c.settings.lock = random_() % 4 == 0;
        if (random_() % 4 == 0) c.settings.grants = grants();
        c.settings.ownership = random_() % 4 == 0 ? std::uint8_t(random_() % 6) : std::uint8_t{0};
        return c;
      }
      case 4: return delete_bucket{.name = bucket()};
      case 5:
      case 6:
      case 7:
        return delete_object{
            .stamp = stamp(), .bucket = bucket(), .key = key(), .now = wall_ms(random_()), .condition = condition()};
      case 8:
      case 9: {
        const session_id s = session();
        return abandon_blob{.session = s, .blob = blob(s), .chunks = std::uint32_t(random_() % 9)};
      }
      case 10: {
        reap c{.blobs = buried_};
        if (!c.blobs.empty()) c.blobs.resize(random_() % c.blobs.size() + 1);
        return c;
      }
      case 11:
        return free_manifests{.parts_max = std::uint32_t(random_() % 5),
                              .released_up_to = random_() % 4 == 0 ? random_() % 100 : ~0ull};
      default: return put();
    }
  }
  command of_the_cluster() {
    switch (random_() % 14) {
      case 0: return random_() % 4 == 0 ? founding() : remove_node{.node = node()};
      case 1:
        return add_node{.node = {.id = {std::uint8_t(random_() % 6)},
                                 .address = "node:2",
                                 .weight = std::uint32_t(random_() % 20),
                                 .incarnation = random_() % 4}};
      case 2: {
        set_node c{.node = node()};
        if (random_() % 2 == 0) c.weight = std::uint32_t(random_() % 20);
        if (random_() % 2 == 0) c.state = node_state(1 + random_() % 4);
        if (random_() % 2 == 0) c.zone = std::string(random_() % 66, 'z');
        return c;
      }
      case 3:
      case 4: {
        set_targets c{.epoch = epoch_ + (random_() % 4 != 0)};
        for (std::uint32_t p = random_() % 100; p < partition_count && c.targets.size() < 8; p += 1 + random_() % 200) {
          owner_list target;
          for (unsigned n = 1 + random_() % 3; n > 0; --n) target.add(node());
          c.targets.push_back({partition_id(p), target});
        }
        return c;
      }
      case 5: {
        moved c{.epoch = epoch_ - random_() % 2};
        for (std::uint32_t p = random_() % 100; p < partition_count && c.partitions.size() < 20;
             p += 1 + random_() % 50)
          c.partitions.push_back(partition_id(p));
        return c;
      }
      case 6: return confirm_replicas{.repairs = repairs_};
      case 7: return note_down{.node = node(), .now = wall_ms(random_() % 9)};
      case 8: return note_up{.node = node(), .incarnation = random_() % 9};
      case 9: return hold_deletions{.held = random_() % 2 == 0};
      case 10: return raise_feature_level{.level = std::uint8_t(4 + random_() % 3)};
      case 12: {
        invite_node c{.what = {.expires = wall_ms(random_() % 9)}, .now = wall_ms(random_() % 5)};
        (random_() % 2 == 0 ? c.what.token[0] : c.what.node[0]) = std::uint8_t(1 + random_() % 5);
        return c;
      }
      case 11: {
        give_up_chunks c;
        for (const auto& r : repairs_) c.chunks.push_back({r.blob, r.missing.first, r.missing.count});
        return c;
      }
      default: return acknowledge_epoch{.session = session(), .epoch = epoch_ + (random_() % 9 == 0)};
    }
  }
  command of_objects() {
    switch (random_() % 14) {
      case 0:
      case 1: {
        begin_upload c{.stamp = stamp(), .bucket = bucket(), .key = key(), .nonce = random_() % 2, .headers = {}};
        if (random_() % 4 == 0) c.extras.grants = grants();
        return c;
      }
      case 2: {
        const bool proven = random_() % 2 == 0;
        return copy_part{.stamp = stamp(),
                         .upload = upload(),
                         .number = part_number(),
                         .source = object(),
                         .offset = random_() % 1000,
                         .length = random_() % 8'000'000,
                         .checksum_name = proven ? "crc32" : "",
                         .checksum = proven ? "AAAAAA==" : ""};
      }
      case 3:
      case 4: {
        complete_upload c{.stamp = stamp(), .upload = upload(), .condition = condition()};
        for (std::uint32_t number = part_number(); number < 5; number += 1 + random_() % 2) c.parts.push_back({number});
        c.etag.parts = std::uint32_t(c.parts.size());
        c.part_checksums = random_() % 2 == 0;
        return c;
      }
      case 5: return abort_upload{.stamp = stamp(), .upload = upload()};
      case 6:
      case 7: {
        copy_object c{.stamp = stamp(), .source = object(), .bucket = bucket(), .key = key(), .condition = condition()};
        if (random_() % 2 == 0) c.extras.emplace().public_read = true;
        if (random_() % 4 == 0) c.extras.emplace().grants = grants();
        return c;
      }
      case 8: {
        if (random_() % 2 == 0)
          return rename_object{
              .stamp = stamp(), .source = object(), .key = key(), .condition = condition(), .token = token()};
        set_extras c{.stamp = stamp(), .bucket = bucket(), .key = key()};
        if (random_() % 2 == 0) c.tags.emplace().emplace_back("k", "v");
        if (random_() % 4 == 0) c.grants = grants();
        return c;
      }
      case 9: {
        set_bucket c{.stamp = stamp(), .name = bucket()};
        if (random_() % 4 == 0)
          c.grants = grants();
        else
          c.public_read = random_() % 2 == 0;
        if (random_() % 2 == 0) c.versioning = std::uint8_t(random_() % 3);
        if (random_() % 2 == 0) c.public_objects = random_() % 2 == 0;
        if (random_() % 4 == 0) c.tags.emplace().emplace_back("k", "v");
        if (random_() % 4 == 0) c.ownership = std::uint8_t(random_() % 7);
        return c;
      }
      case 10:
      case 11: {
        const object_version of = object();
        delete_object c{.stamp = stamp(), .bucket = of.bucket, .key = of.key};
        c.version = random_() % 4 == 0 ? version_id{} : version_id{version_place{of.version, of.ordinal}};
        if (random_() % 4 == 0) c.expected = version_place{of.version, of.ordinal};
        if (random_() % 4 == 0) c.version.reset();
        c.now = wall_ms(random_());
        c.bypasses_governance = random_() % 8 == 0;
        if (random_() % 3 == 0) c.only_if = removal_condition{.size = random_() % 2, .modified_seconds = {}};
        return c;
      }
      default: return part();
    }
  }
  std::string key_id() { return std::string("CK") + char('a' + random_() % 3) + (random_() % 30 == 0 ? "!" : ""); }
  // Names of users, groups and policies are the same, and those of users are those of keys.
  command of_identities() {
    using policy::action;
    constexpr auto first = static_cast<unsigned>(action::iam_add_user_to_group),
                   last = static_cast<unsigned>(action::last);
    change_identity c{.stamp = stamp(), .now = wall_ms(random_())};
    do {
      c.what = static_cast<action>(first + random_() % (last - first + 1));
    } while (!changes_identities(c.what));
    c.name = key_id();
    c.other = key_id();
    c.id = "ID";
    const bool of_key = c.what == action::iam_create_access_key;
    c.on = random_() % 2 == 0;
    c.text = of_key ? c.on ? sealed_secret() : "secret"
                    : R"({"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}})";
    c.version = 1 + random_() % 4;
    if (is_of_sessions(c.what)) c.version = 3600;
    if (c.what == action::iam_create_role || c.what == action::iam_update_assume_role_policy)
      c.text =
          c.on
              ? R"({"Statement":{"Effect":"Allow","Action":"sts:*","Principal":{"Federated":"arn:aws:iam:::oidc-provider/a.b"}}})"
              : R"({"Statement":{"Effect":"Allow","Action":"sts:AssumeRole","Principal":"*"}})";
    if (random_() % 4 == 0) c.tags.emplace_back("team", "blue");
    if (is_of_providers(c.what)) {
      c.name = "idp.example.org/" + c.name;
      c.client_ids = {key_id(), key_id()};
      if (c.on) c.thumbprints = {std::string(thumbprint_digits, "0aF"[random_() % 3])};
    }
    return c;
  }
  static std::string sealed_secret() {
    return std::string(1, '\x01') + std::string(secrets::sealing_overhead_bytes, 's');
  }
  command of_keys() {
    const std::string id = key_id();
    switch (random_() % 7) {
      case 6: return seal_keys{.stamp = stamp(), .keys = {{id, sealed_secret()}, {key_id(), sealed_secret()}}};
      case 0:
      case 1: {
        create_key c{.stamp = stamp(), .id = id, .secret = "s", .creates_buckets = random_() % 2 == 0};
        c.sealed = random_() % 4 == 0;
        if (c.sealed) c.secret = sealed_secret();
        return c;
      }
      case 2: return delete_key{.stamp = stamp(), .id = id};
      case 3: return create_bucket{.name = bucket(), .now = 1, .owner = id};
      default: {
        change_key c{.stamp = stamp(), .id = id, .bucket = bucket()};
        c.allowed = std::uint8_t(random_() % 8);
        c.denied = std::uint8_t(random_() % 8);
        return c;
      }
    }
  }
  command part() {
    put_part c{.stamp = stamp(), .upload = upload(), .number = part_number()};
    c.size = random_() % 5 == 0 ? 0 : 5'000'000 + random_() % 1'000'000;
    written_blob w{.blob = blob(c.stamp.session), .length = c.size, .chunk_size = 65536u << random_() % 4};
    if (random_() % 2 == 0) w.unconfirmed = unconfirmed(c.size / w.chunk_size);
    if (c.size > 0) c.content = w;
    if (random_() % 4 == 0) c.source = object();
    return c;
  }
  std::uint32_t part_number() { return std::uint32_t(random_() % 20 == 0 ? random_() % 20'000 : 1 + random_() % 4); }
  template <class Value>
  Value recent(const std::vector<Value>& all) {
    return all.empty() ? Value{} : all[all.size() - 1 - random_() % std::min<std::size_t>(4, all.size())];
  }
  upload_name upload() { return recent(uploads_); }
  object_version object() { return recent(objects_); }
  node_number node() { return node_number(random_() % 6); }
  std::vector<missing_chunks> unconfirmed(std::uint64_t chunks) {
    std::vector<missing_chunks> missing;
    for (node_number n = 0; n < 6; ++n) {
      if (random_() % 3 != 0) continue;
      const auto first = std::uint32_t(random_() % (chunks + 1));
      missing.push_back({n, first, std::uint32_t(1 + random_() % (chunks + 1))});
      if (first + missing.back().count > chunks && random_() % 8 != 0) missing.pop_back();
    }
    return missing;
  }
  command put() {
    put_object c{.stamp = stamp(), .bucket = bucket(), .key = key(), .now = wall_ms(random_())};
    c.etag.digest[0] = std::uint8_t(random_() % 3);
    c.condition = condition();
    if (random_() % 8 == 0) c.extras.lock = lock();
    if (random_() % 8 == 0) c.extras.grants = grants();
    if (random_() % 2 == 0) {
      const std::string bytes(random_() % 5000, 'i');
      c.size = bytes.size();
      c.content = bytes;
    } else {
      c.size = random_() % 10'000'000;
      written_blob w{.blob = blob(c.stamp.session), .length = c.size, .chunk_size = 65536u << random_() % 4};
      if (random_() % 2 == 0) w.unconfirmed = unconfirmed(c.size / w.chunk_size);
      c.content = w;
    }
    return c;
  }
  write_condition condition() {
    write_condition c;
    if (random_() % 6 == 0) c.if_absent = true;
    if (random_() % 6 == 0) c.if_other = to_string(metadata::etag{});
    if (random_() % 6 == 0)
      c.if_match = random_() % 2 == 0 ? "*" : to_string(etag{.digest = {std::uint8_t(random_() % 3)}});
    return c;
  }
  commit_stamp stamp() {
    ++sequence_;
    return {.session = session(),
            .sequence = sequence_,
            .acknowledged_below = sequence_ > 10 ? sequence_ - random_() % 10 : 0};
  }
  session_id session() {
    return sessions_.empty() || random_() % 20 == 0
               ? 1000
               : sessions_[sessions_.size() - 1 - random_() % std::min<std::size_t>(3, sessions_.size())];
  }
  blob_id blob(session_id of) {
    return {.session = random_() % 20 == 0 ? 77 : of,
            .number = random_() % 4 == 0 ? random_() % (blobs_ + 1) : ++blobs_};
  }
  std::string bucket() { return std::string("bucket-") + char('a' + random_() % 3) + (random_() % 30 == 0 ? "!" : ""); }
  std::string key() {
    static constexpr std::size_t lengths[] = {0, 1, 2, 400, 401, 800, 801, 1024, 1025};
    return std::string(lengths[random_() % 9 == 0 ? random_() % std::size(lengths) : 1 + random_() % 6],
                       char('a' + random_() % 3));
  }

  std::mt19937 random_;
  std::vector<session_id> sessions_;
  std::vector<buried_blob> buried_;
  std::vector<repair_row> repairs_;
  std::vector<upload_name> uploads_;
  std::vector<object_version> objects_;
  layout_epoch epoch_ = 0;
  std::vector<command> sent_;
  std::uint64_t sequence_ = 0, blobs_ = 0;
};

} // namespace cairn::storage::metadata
