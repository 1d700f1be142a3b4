#include "storage/metadata/commands/commands.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::commands_test {
std::vector<command> one_of_each_before_clusters() {
  const commit_stamp stamp{.session = 1, .sequence = 2, .acknowledged_below = 2};
  put_object with_blob{.stamp = stamp, .bucket = "bucket", .key = "key", .now = 7, .size = 8};
  with_blob.etag.digest = {9};
  with_blob.headers = {.content_type = "a/b", .standard = {{"n", "v"}}, .user = {{"u", "w"}}};
  with_blob.content = written_blob{.blob = {1, 77}, .length = 8, .chunk_size = 65536};
  with_blob.condition = {.if_absent = true, .if_match = "etag"};
  return {begin_session{.node = {1, 2, 3}, .incarnation = 4},
          end_session{.session = 5},
          create_bucket{.name = "bucket", .now = 6},
          delete_bucket{.name = "bucket"},
          with_blob,
          put_object{.stamp = stamp, .bucket = "b", .key = "k", .size = 4, .content = "text"},
          delete_object{.stamp = stamp, .bucket = "b", .key = "k", .now = 10, .condition = {.if_match = "*"}},
          abandon_blob{.session = 1, .blob = {1, 2}, .chunks = 3},
          reap{.blobs = {{.buried_at = 1, .blob = {2, 3}, .chunks = 4}, {.buried_at = 5, .blob = {6, 7}, .chunks = 8}}},
          reap{},
          free_manifests{.parts_max = 100, .released_up_to = 9}};
}

const new_node a_node{.id = {1, 2}, .address = "host:7000", .zone = "a", .weight = 300, .incarnation = 5};

put_object with_unconfirmed() {
  put_object put = std::get<put_object>(one_of_each_before_clusters()[4]);
  std::get<written_blob>(put.content).unconfirmed = {{1, 0, 2}, {1, 4, 1}, {300, 0, 5}};
  return put;
}

std::vector<command> one_of_each_cluster_command() {
  return {with_unconfirmed(),
          create_cluster{
              .id = {7}, .name = "cairn", .replicas = 3, .write_quorum = 2, .now = 1'700'000'000'000, .first = a_node},
          add_node{.node = a_node},
          set_node{.node = 300, .address = "h:1", .zone = "", .weight = 7, .state = node_state::draining},
          set_node{.node = 1, .weight = 7},
          remove_node{.node = 2},
          set_targets{.epoch = 300, .targets = {{0, {1}}, {1, {2, 300, 0}}, {16383, {0, 1, 2, 3, 4, 5, 6, 7}}}},
          set_targets{.epoch = 1},
          moved{.epoch = 4, .partitions = {0, 5, 6, 16383}},
          moved{},
          confirm_replicas{.repairs = {{{1, 2}, {3, 4, 5}}, {{6, 7}, {300, 0, 9}}}},
          note_down{.node = 3, .now = 9},
          note_up{.node = 3, .incarnation = 9},
          acknowledge_epoch{.session = 4, .epoch = 300}};
}

std::vector<command> one_of_each_object_command() {
  const commit_stamp stamp{.session = 1, .sequence = 2, .acknowledged_below = 2};
  const upload_name upload{.bucket = "bucket", .key = "key", .id = 300, .nonce = 7};
  const object_version source{.bucket = "b", .key = "k", .version = 300, .ordinal = 2};
  const object_extras extras{.tags = {{"k", "v"}}, .public_read = true};
  const object_headers headers{.content_type = "a/b", .standard = {{"n", "v"}}, .user = {}};
  put_object put = std::get<put_object>(one_of_each_before_clusters()[4]);
  put.extras = extras;
  begin_upload begin{.stamp = stamp, .bucket = "bucket", .key = "key", .now = 4, .nonce = 7, .headers = headers};
  begin.extras = extras;
  begin.checksum = "crc32";
  begin.type = checksum_type::composite;
  put_part part{.stamp = stamp, .upload = upload, .number = 300, .now = 4, .size = 8, .digest = {1}};
  part.checksum_name = "crc32";
  part.content = written_blob{.blob = {1, 77}, .length = 8, .chunk_size = 65536, .unconfirmed = {{1, 0, 1}}};
  complete_upload complete{.stamp = stamp, .upload = upload, .now = 3, .parts = {{1, {2}}, {300, {4}}}};
  complete.checksums = {{"x", "y"}};
  complete.condition.if_absent = true;
  return {
      put,
      begin,
      part,
      copy_part{.stamp = stamp, .upload = upload, .number = 2, .source = source, .offset = 1, .length = 300},
      complete,
      abort_upload{.stamp = stamp, .upload = upload},
      copy_object{.stamp = stamp, .source = source, .bucket = "b", .key = "k", .headers = headers, .extras = extras},
      copy_object{.stamp = stamp, .source = source, .bucket = "b", .key = "k"},
      set_extras{.stamp = stamp, .bucket = "b", .key = "k", .tags = extras.tags, .public_read = true},
      set_bucket{.stamp = stamp,
                 .name = "b",
                 .public_read = false,
                 .cors = {{{"id", {"*"}, {"GET", "PUT"}, {"a"}, {"e"}, 300}}}},
      hold_deletions{.held = true},
      hold_deletions{.held = false}};
}

std::vector<command> one_of_each_key_command() {
  const commit_stamp stamp{.session = 1, .sequence = 2};
  return {create_bucket{.name = "bucket", .now = 1, .owner = "CK1"},
          create_key{.stamp = stamp, .id = "CK1", .secret = "s", .label = "l", .now = 5, .creates_buckets = true},
          delete_key{.stamp = stamp, .id = "CK1"},
          change_key{.stamp = stamp, .id = "CK1", .bucket = "b", .allowed = rights::read, .denied = rights::owner},
          change_key{.stamp = stamp, .id = "CK1", .creates_buckets = false}};
}

std::vector<command> one_of_each_version_command() {
  const commit_stamp stamp{.session = 1, .sequence = 2};
  delete_object removal{.stamp = stamp, .bucket = "b", .key = "k", .now = 3};
  removal.version = version_id{version_place{300, 2}};
  delete_object expiry = removal;
  expiry.version.reset();
  expiry.expected = version_place{300, 2};
  delete_object null_version = removal;
  null_version.version = version_id{};
  null_version.expected = version_place{1, 0};
  set_extras extras{.stamp = stamp, .bucket = "b", .key = "k"};
  extras.version = version_id{version_place{1, 2}};
  set_bucket settings{.stamp = stamp, .name = "b"};
  settings.versioning = versioning::suspended;
  set_bucket open{.stamp = stamp, .name = "b", .public_read = true};
  open.public_write = true;
  set_bucket rules{.stamp = stamp, .name = "b"};
  rules.lifecycle = {{.id = "x", .prefix = "p", .expire_days = 3, .noncurrent_kept = 7}};
  return {removal, expiry, null_version, extras, settings, open, rules, raise_feature_level{.level = 5}};
}

std::vector<command> one_of_each_command_of_level_6() {
  const commit_stamp stamp{.session = 1, .sequence = 2};
  delete_object removal{.stamp = stamp, .bucket = "b", .key = "k", .now = 3};
  removal.only_if = removal_condition{.etag = "*", .size = 300, .modified_seconds = -1};
  delete_object by_size = removal;
  by_size.only_if = removal_condition{.size = 0};
  by_size.version = version_id{};
  put_object put = std::get<put_object>(one_of_each_before_clusters()[5]);
  put.condition.if_other = "etag";
  copy_object copy{.stamp = stamp, .bucket = "b", .key = "k"};
  copy.condition = {.if_absent = false, .if_match = "a", .if_other = "b"};
  complete_upload complete{.stamp = stamp, .parts = {{1, {2}}}};
  complete.part_checksums = true;
  copy_part part{.stamp = stamp, .number = 2, .length = 300, .checksum_name = "crc32", .checksum = "AAAAAA=="};
  set_bucket listed{.stamp = stamp, .name = "b", .public_read = true};
  listed.public_objects = false;
  set_bucket tags{.stamp = stamp, .name = "b"};
  tags.tags.emplace().emplace_back("k", "v");
  return {removal, by_size, put, copy, complete, listed, tags, part};
}

std::vector<command> one_of_each_command_about_losses() {
  return {give_up_chunks{}, give_up_chunks{{{{1, 2}, 0, 1}, {{3, 1ull << 40}, 0xffffffff, 300}}}};
}

std::vector<command> one_of_each_command_about_invitations() {
  const new_node fresh{.id = {9}, .address = "node-9:9100", .weight = 1};
  token_hash token{};
  token.fill(0xAB);
  return {invite_node{{.token = token, .expires = 300}, 200}, invite_node{{.node = {9}, .expires = -1}, -2},
          add_node{fresh, used_invitation{token, {}, 250}}, add_node{fresh, used_invitation{{}, {9}, 250}}};
}

std::vector<command> one_of_each_command_of_level_7() {
  const commit_stamp stamp{.session = 1, .sequence = 300, .acknowledged_below = 2};
  return {create_bucket{.name = "bucket", .now = 1, .stamp = stamp},
          create_bucket{.name = "bucket", .now = 1, .owner = "CK1", .stamp = stamp},
          delete_bucket{.name = "bucket", .stamp = stamp}};
}

std::vector<command> one_of_each_command_of_level_8() {
  create_bucket made{.name = "bucket", .now = 1};
  made.settings = {
      .public_read = true, .public_write = true, .tags = {{"k", "v"}}, .ownership = ownership::writer_of_account};
  create_bucket again{.name = "bucket", .now = 1, .owner = "CK1", .stamp = {.session = 1, .sequence = 2}};
  again.settings.again = true;
  set_bucket settings{.stamp = {.session = 1, .sequence = 2}, .name = "b"};
  settings.ownership = ownership::not_given;
  put_part part{.stamp = {.session = 1, .sequence = 2}, .number = 2, .content = std::string{}};
  part.source = {.bucket = "b", .key = "k", .version = 300, .ordinal = 2};
  return {made, again, settings, part};
}

std::vector<command> one_of_each_command_with_an_authority() {
  const commit_stamp stamp{.session = 1, .sequence = 300, .acknowledged_below = 2};
  std::vector<command> all{create_bucket{.name = "bucket", .now = 1, .stamp = stamp},
                           delete_bucket{.name = "bucket", .stamp = stamp},
                           put_object{.stamp = stamp, .bucket = "b", .key = "k", .size = 4, .content = "text"},
                           delete_object{.stamp = stamp, .bucket = "b", .key = "k"}};
  for (command& c : one_of_each_object_command()) all.push_back(std::move(c));
  std::erase_if(all, [](const command& c) { return std::holds_alternative<hold_deletions>(c); });
  for (command& c : all)
    std::visit(
        [](auto& one) {
          if constexpr (requires { one.by.rights; }) one.by = {allowed_by::key, "CK1", rights::write, 300, 301};
        },
        c);
  return all;
}

std::shared_ptr<const asked_access> asked_of_all() {
  asked_access asked{.actions = {policy::action::put_object, policy::action::put_object_acl},
                     .source = policy::action::get_object,
                     .by_acl = true};
  asked.with.kind = policy::sender::key;
  asked.with.time = 300;
  asked.with.set(policy::context_key::source_ip, "10.1.2.3");
  asked.with.set_request_tags({{"a", "b"}});
  return std::make_shared<const asked_access>(std::move(asked));
}

std::vector<command> one_of_each_command_of_level_9() {
  auto all = one_of_each_command_with_an_authority();
  for (command& c : all)
    std::visit(
        [](auto& one) {
          if constexpr (requires { one.by.asked; }) one.by.asked = asked_of_all();
        },
        c);
  const commit_stamp stamp{.session = 1, .sequence = 2};
  all.push_back(set_bucket_access{.stamp = stamp, .name = "b", .policy = "{}"});
  all.push_back(set_bucket_access{.stamp = stamp, .name = "b", .policy = "", .public_block = public_block::given});
  return all;
}

std::vector<command> one_of_each_command_of_level_11() {
  const commit_stamp stamp{.session = 1, .sequence = 2};
  const object_lock lock{{retention_mode::compliance, 300}, legal_hold::on};
  put_object put = std::get<put_object>(one_of_each_before_clusters()[5]);
  put.extras.lock = lock;
  begin_upload begin{.stamp = stamp, .bucket = "b", .key = "k", .headers = {}};
  begin.extras = {.public_read = true, .lock = {.hold = legal_hold::off}};
  copy_object copy{.stamp = stamp, .bucket = "b", .key = "k"};
  copy.extras.emplace().lock = lock;
  delete_object removal{.stamp = stamp, .bucket = "b", .key = "k"};
  removal.bypasses_governance = true;
  delete_object of_version = removal;
  of_version.version = version_id{version_place{300, 2}};
  of_version.by.asked = asked_of_all();
  create_bucket made{.name = "bucket", .now = 1};
  made.settings.lock = true;
  set_bucket_access access{.stamp = stamp, .name = "b"};
  access.policy = R"({"Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:PutObject","Resource":"*",
    "Condition":{"Null":{"s3:object-lock-mode":"true"}}}]})";
  set_object_lock retained{.stamp = stamp, .bucket = "b", .key = "k", .now = 3};
  retained.version = version_id{};
  retained.retained = lock.retained;
  retained.bypasses_governance = true;
  set_object_lock freed{.stamp = stamp, .bucket = "b", .key = "k"};
  freed.retained.emplace();
  freed.hold = legal_hold::off;
  set_bucket_lock by_default{.stamp = stamp, .name = "b"};
  by_default.lock = {true, retention_mode::governance, period_unit::years, 100};
  return {put,        begin,
          copy,       removal,
          of_version, made,
          access,     retained,
          freed,      set_bucket_lock{.stamp = stamp, .name = "b"},
          by_default, advance_lock_time{300}};
}

std::vector<command> one_of_each() {
  auto all = one_of_each_before_clusters();
  for (command& c : one_of_each_cluster_command()) all.push_back(std::move(c));
  for (command& c : one_of_each_object_command()) all.push_back(std::move(c));
  for (command& c : one_of_each_key_command()) all.push_back(std::move(c));
  for (command& c : one_of_each_version_command()) all.push_back(std::move(c));
  for (command& c : one_of_each_command_about_losses()) all.push_back(std::move(c));
  for (command& c : one_of_each_command_about_invitations()) all.push_back(std::move(c));
  for (command& c : one_of_each_command_of_level_6()) all.push_back(std::move(c));
  for (command& c : one_of_each_command_of_level_7()) all.push_back(std::move(c));
  for (command& c : one_of_each_command_of_level_8()) all.push_back(std::move(c));
  for (command& c : one_of_each_command_with_an_authority()) all.push_back(std::move(c));
  for (command& c : one_of_each_command_of_level_9()) all.push_back(std::move(c));
  for (command& c : one_of_each_command_of_level_11()) all.push_back(std::move(c));
  all.push_back(count_usage{.rows_max = 300});
  all.push_back(
      set_bucket_quota{.stamp = {.session = 1, .sequence = 2}, .name = "b", .bytes_max = 1, .versions_max = 2});
  all.push_back(change_identity{.what = policy::action::iam_delete_user, .name = "ann"});
  all.push_back(seal_keys{.stamp = {.session = 1, .sequence = 2}, .keys = {{"CK1", "sealed"}, {"CK2", "sealed"}}});
  all.push_back(
      set_user_quota{.stamp = {.session = 1, .sequence = 2}, .user = "ann", .bytes_max = 1, .versions_max = 2});
  all.push_back(set_bucket_owner{.stamp = {.session = 1, .sequence = 2}, .name = "b", .user = "ann"});
  all.push_back(rename_object{
      .stamp = {.session = 1, .sequence = 2}, .source = {"b", "from", 3, 4}, .key = "to", .token = {{5, 6}}});
  all.push_back(renew_token_key{.stamp = {.session = 1, .sequence = 2}, .now = 3, .key = std::string(32, 'k')});
  return all;
}

TEST(commands, come_back_as_they_were_encoded) {
  std::vector<bool> kinds(std::variant_size_v<command_kind>);
  for (const command& c : one_of_each()) {
    const std::string bytes = encode(c);
    const auto decoded = decode_command(bytes);
    ASSERT_TRUE(decoded) << c.index();
    EXPECT_EQ(decoded->index(), c.index());
    EXPECT_EQ(encode(*decoded), bytes);
    kinds[c.index()] = true;
  }
  EXPECT_EQ(kinds, std::vector<bool>(kinds.size(), true));

  const auto put = std::get<put_object>(decode_command(encode(one_of_each()[4])).value());
  EXPECT_EQ(put.key, "key");
  EXPECT_EQ(put.stamp.sequence, 2u);
  EXPECT_EQ(put.headers.user.at(0).second, "w");
  EXPECT_EQ(std::get<written_blob>(put.content).blob, (blob_id{1, 77}));
  EXPECT_TRUE(put.condition.if_absent);
  EXPECT_EQ(put.condition.if_match, "etag");
}

TEST(commands, about_object_lock_are_of_level_11) {
  for (const command& c : one_of_each_command_of_level_11()) EXPECT_EQ(level_of(c), 11) << c.index();
  const auto all = one_of_each_command_of_level_11();
  const auto again = [&all](std::size_t n) { return decode_command(encode(all[n])).value(); };
  EXPECT_EQ(std::get<put_object>(again(0)).extras.lock, std::get<put_object>(all[0]).extras.lock);
  EXPECT_EQ(std::get<begin_upload>(again(1)).extras.lock.hold, legal_hold::off);
  EXPECT_TRUE(std::get<delete_object>(again(3)).bypasses_governance);
  EXPECT_FALSE(std::get<delete_object>(again(3)).version);
  EXPECT_TRUE(std::get<delete_object>(again(4)).by.asked);
  EXPECT_TRUE(std::get<create_bucket>(again(5)).settings.lock);
  EXPECT_EQ(std::get<set_object_lock>(again(7)).retained->until, 300);
  EXPECT_EQ(std::get<set_object_lock>(again(8)).retained, retention{});
  EXPECT_EQ(std::get<set_bucket_lock>(again(10)).lock.length, 100u);
  EXPECT_EQ(std::get<advance_lock_time>(again(11)).time, 300);
  set_bucket_access plain{.stamp = {.session = 1, .sequence = 2}, .name = "b"};
  plain.policy = R"({"Statement":[{"Sid":"s3:object-lock-mode","Effect":"Deny","Principal":"*","Action":"s3:PutObject",
    "Resource":"*"}]})";
  EXPECT_EQ(level_of(plain), 9);
}

TEST(commands, that_give_an_ownership_are_of_level_13) {
  set_bucket c{.stamp = {.session = 1, .sequence = 2}, .name = "b"};
  c.ownership = ownership::enforced;
  EXPECT_EQ(level_of(c), 13);
  EXPECT_EQ(std::get<set_bucket>(decode_command(encode(c)).value()).ownership, ownership::enforced);
}

TEST(commands, with_later_conditions_and_checksums_are_of_level_6) {
  for (const command& c : one_of_each_command_of_level_6()) EXPECT_EQ(level_of(c), 6) << c.index();
  const auto again = [](const command& c) { return decode_command(encode(c)).value(); };
  const auto all = one_of_each_command_of_level_6();
  const auto removal = std::get<delete_object>(again(all[0]));
  EXPECT_EQ(removal.only_if->etag, "*");
  EXPECT_EQ(removal.only_if->size, 300u);
  EXPECT_EQ(removal.only_if->modified_seconds, -1);
  EXPECT_EQ(std::get<copy_object>(again(all[3])).condition.if_other, "b");
  EXPECT_EQ(std::get<set_bucket>(again(all[5])).public_objects, false);
  EXPECT_EQ(std::get<set_bucket>(again(all[6])).tags, std::get<set_bucket>(all[6]).tags);
  EXPECT_EQ(std::get<copy_part>(again(all[7])).checksum, "AAAAAA==");
}

TEST(commands, with_stamps_of_buckets_are_of_level_7) {
  for (const command& c : one_of_each_command_of_level_7()) {
    EXPECT_EQ(level_of(c), 7) << c.index();
    const auto again = decode_command(encode(c)).value();
    std::visit(
        [](const auto& one) {
          if constexpr (requires { one.stamp; }) {
            EXPECT_EQ(one.stamp.sequence, 300u);
          }
        },
        again);
  }
}

TEST(commands, with_an_authority_are_of_level_8) {
  for (const command& c : one_of_each_command_with_an_authority()) {
    EXPECT_EQ(level_of(c), 8) << c.index();
    const auto again = decode_command(encode(c)).value();
    std::visit(
        [](const auto& one) {
          if constexpr (requires { one.by.rights; }) {
            EXPECT_EQ(one.by, (authority{allowed_by::key, "CK1", rights::write, 300, 301}));
          }
        },
        again);
  }
}

TEST(commands, about_policies_are_of_level_9) {
  for (const command& c : one_of_each_command_of_level_9()) {
    EXPECT_EQ(level_of(c), 9) << c.index();
    const auto again = decode_command(encode(c)).value();
    std::visit(
        [](const auto& one) {
          if constexpr (requires { one.by.asked; }) {
            if (one.by.by != allowed_by::internal) {
              EXPECT_EQ(*one.by.asked, *asked_of_all());
            }
          }
        },
        again);
  }
}

TEST(commands, about_versions_are_of_level_5) {
  for (const command& c : one_of_each_version_command()) EXPECT_EQ(level_of(c), 5) << c.index();
  for (const command& c : one_of_each_key_command()) EXPECT_EQ(level_of(c), 4) << c.index();
}

TEST(commands, are_refused_when_a_byte_is_missing_or_left_over) {
  for (const command& c : one_of_each()) {
    const std::string bytes = encode(c);
    for (std::size_t length = 0; length < bytes.size(); ++length)
      EXPECT_EQ(decode_command(std::string_view{bytes}.substr(0, length)).error(), errc::corrupt)
          << c.index() << ' ' << length;
    EXPECT_EQ(decode_command(bytes + '\0').error(), errc::corrupt);
  }
}

TEST(commands, of_a_newer_feature_level_are_unsupported_not_skipped) {
  std::string bytes = encode(one_of_each()[0]);
  bytes[0] = static_cast<char>(feature_level + 1);
  EXPECT_EQ(decode_command(bytes).error(), errc::unsupported);
  bytes[0] = 0;
  EXPECT_EQ(decode_command(bytes).error(), errc::corrupt);
  bytes[0] = feature_level;
  bytes[1] = static_cast<char>(std::variant_size_v<command_kind>);
  EXPECT_EQ(decode_command(bytes).error(), errc::corrupt);
}

TEST(commands, are_encoded_in_batches) {
  const auto batch = one_of_each();
  const std::string bytes = encode(batch);
  const auto decoded = decode_batch(bytes);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->size(), batch.size());
  EXPECT_EQ(encode(*decoded), bytes);
  EXPECT_EQ(decode_batch(bytes.substr(0, bytes.size() - 1)).error(), errc::corrupt);
  EXPECT_EQ(decode_batch(bytes + 'x').error(), errc::corrupt);
  EXPECT_TRUE(decode_batch(encode(std::span<const command>{}))->empty());
  const std::string newer = std::string("\x01\x02", 2) + static_cast<char>(feature_level + 1) + '\0';
  EXPECT_EQ(decode_batch(newer).error(), errc::unsupported);
}

TEST(commands, are_written_with_the_lowest_level_that_knows_them) {
  for (const command& c : one_of_each_before_clusters()) EXPECT_EQ(encode(c)[0], 1) << c.index();
  for (const command& c : one_of_each_cluster_command()) EXPECT_EQ(encode(c)[0], 2) << c.index();
  for (const command& c : one_of_each_key_command()) EXPECT_EQ(encode(c)[0], 4) << c.index();
  // And are read with no other.
  for (const command& c : one_of_each()) {
    std::string bytes = encode(c);
    bytes[0] = static_cast<char>(bytes[0] == 1 ? 2 : bytes[0] - 1);
    EXPECT_EQ(decode_command(bytes).error(), errc::corrupt) << c.index();
  }
}

TEST(commands, of_the_cluster_keep_their_fields) {
  const auto again = [](const command& c) { return decode_command(encode(c)).value(); };
  const auto all = one_of_each_cluster_command();
  EXPECT_EQ(std::get<written_blob>(std::get<put_object>(again(all[0])).content).unconfirmed,
            (std::vector<missing_chunks>{{1, 0, 2}, {1, 4, 1}, {300, 0, 5}}));
  const auto founded = std::get<create_cluster>(again(all[1]));
  EXPECT_EQ(founded.name, "cairn");
  EXPECT_EQ(founded.first.address, "host:7000");
  EXPECT_EQ(founded.first.weight, 300u);
  const auto set = std::get<set_node>(again(all[3]));
  EXPECT_EQ(set.node, 300);
  EXPECT_EQ(set.zone, "");
  EXPECT_EQ(set.state, node_state::draining);
  EXPECT_FALSE(std::get<set_node>(again(all[4])).zone);
  const auto targets = std::get<set_targets>(again(all[6]));
  EXPECT_EQ(targets.targets[1].target, (owner_list{2, 300, 0}));
  EXPECT_EQ(targets.targets[2].partition, 16383);
  EXPECT_EQ(std::get<moved>(again(all[8])).partitions, (std::vector<partition_id>{0, 5, 6, 16383}));
  EXPECT_EQ(std::get<confirm_replicas>(again(all[10])).repairs[1], (repair_row{{6, 7}, {300, 0, 9}}));
}

TEST(commands, encode_ascending_partitions_and_distinct_owners) {
  const std::string head("\x02\x0e\x01", 3); // moved, epoch 1
  EXPECT_TRUE(decode_command(head + std::string("\x02\xff\x7f\x00", 4)).has_error()) << "beyond the last partition";
  EXPECT_TRUE(decode_command(head + std::string("\x02\xfe\x7f\x00", 4)).has_value()) << "the last two";
  EXPECT_TRUE(decode_command(head + std::string("\x02\xfe\x7f\x01", 4)).has_error());
  const std::string targets("\x02\x0d\x01\x01\x00", 5);
  EXPECT_TRUE(decode_command(targets + "\x02\x05\x06").has_value());
  EXPECT_TRUE(decode_command(targets + "\x02\x05\x05").has_error());
  EXPECT_TRUE(decode_command(targets + std::string("\0", 1)).has_error()) << "no owner";
  EXPECT_TRUE(decode_command(targets + "\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09").has_error()) << "nine";
}

TEST(command_results, come_back_with_their_refusal) {
  const command_result done{.version = 5, .more = 6};
  EXPECT_EQ(decode_result(encode(done))->version, 5u);
  EXPECT_EQ(decode_result(encode(done))->more, 6u);
  EXPECT_FALSE(decode_result(encode(done))->refused);
  const command_result refused{.refused = error{errc::precondition_failed, "the object exists"}};
  const auto decoded = decode_result(encode(refused));
  ASSERT_TRUE(decoded && decoded->refused);
  EXPECT_EQ(*decoded->refused, errc::precondition_failed);
  EXPECT_EQ(decoded->refused->text, "the object exists");
  std::string bytes = encode(refused);
  bytes[2] = '\xee';
  EXPECT_EQ(decode_result(bytes).error(), errc::corrupt);
  bytes[0] = 2;
  EXPECT_EQ(decode_result(bytes).error(), errc::unsupported);
}

TEST(commands, have_the_bytes_that_earlier_builds_wrote) {
  const std::string put = encode(one_of_each()[5]);
  EXPECT_EQ(put, std::string("\x01\x04\x01\x02\x02\x01"
                             "b\x01k",
                             9) +
                     std::string(8, '\0') + '\x04' + std::string(16, '\0') + std::string("\0\0\0\0\0\x04text\0", 11));
  EXPECT_EQ(encode(one_of_each()[3]), "\x01\x03\x06"
                                      "bucket");
  EXPECT_EQ(encode(moved{.epoch = 4, .partitions = {1, 2, 300}}), std::string("\x02\x0e\x04\x03\x01\x00\xa9\x02", 8));
  EXPECT_EQ(encode(set_targets{.epoch = 4, .targets = {{2, {1, 0}}}}),
            std::string("\x02\x0d\x04\x01\x02\x02\x01\x00", 8));
  EXPECT_EQ(encode(note_up{.node = 3, .incarnation = 9}), std::string("\x02\x11\x03\0\0\0\0\0\0\0\x09", 11));
}

} // namespace cairn::storage::metadata::commands_test
