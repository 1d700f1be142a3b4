#include "storage/metadata/rows/cluster_rows.hpp"
#include "storage/metadata/rows/upload_rows.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::metadata::rows_test {
object_row full_object() {
  object_row row{.row_id = 300,
                 .version = 1ull << 40,
                 .ordinal = 77,
                 .null_version = false,
                 .size = 5ull << 40,
                 .modified = 1'700'000'000'123,
                 .content = content_kind::manifest,
                 .manifest = ~0ull};
  row.etag = {.digest = {0xde, 0xad, 0xbe, 0xef}, .parts = 10000};
  row.headers = {.content_type = "text/plain",
                 .standard = {{"cache-control", "no-store"}, {"content-encoding", "gzip"}},
                 .user = {{"owner", "\xc3\xa9l\xc3\xa8ve"}, {"empty", ""}}};
  return row;
}

// Every proper prefix, every row with a byte more, and a newer version are refused with the right code.
template <class Row>
void expect_strict(const std::string& bytes, result<Row> (*decode)(std::string_view), char newer = 2) {
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    const auto cut = decode(std::string_view{bytes}.substr(0, length));
    ASSERT_FALSE(cut) << length;
    EXPECT_EQ(cut.error(), errc::corrupt);
    EXPECT_FALSE(cut.error().text.empty());
  }
  EXPECT_EQ(decode(bytes + '\0').error(), errc::corrupt);
  EXPECT_EQ(decode(newer + bytes.substr(1)).error(), errc::unsupported);
  EXPECT_EQ(decode('\0' + bytes.substr(1)).error(), errc::corrupt);
}

TEST(rows, encode_every_field_of_an_object) {
  const std::string bytes = encode(full_object());
  const auto row = decode_object(bytes);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->row_id, 300u);
  EXPECT_EQ(row->version, 1ull << 40);
  EXPECT_EQ(row->ordinal, 77u);
  EXPECT_FALSE(row->null_version);
  EXPECT_EQ(row->size, 5ull << 40);
  EXPECT_EQ(row->modified, 1'700'000'000'123);
  EXPECT_EQ(row->content, content_kind::manifest);
  EXPECT_EQ(row->manifest, ~0ull);
  EXPECT_EQ(row->etag, full_object().etag);
  EXPECT_EQ(row->headers.content_type, "text/plain");
  EXPECT_EQ(row->headers.standard, full_object().headers.standard);
  EXPECT_EQ(row->headers.user, full_object().headers.user);
  EXPECT_EQ(encode(*row), bytes);
  expect_strict(bytes, decode_object, 7);
}

TEST(rows, keep_the_upload_that_made_an_object) {
  object_row row = full_object();
  for (const bool tagged : {false, true}) {
    if (tagged) row.extras.tags = {{"k", "v"}};
    row.origin.reset();
    const auto older = encode(row);
    for (const upload_origin origin : {upload_origin{300, 0x0102030405060708}, upload_origin{}}) {
      row.origin = origin;
      const auto bytes = encode(row);
      EXPECT_EQ(decode_object(bytes)->origin, origin);
      EXPECT_EQ(encode(decode_object(bytes).value()), bytes);
      EXPECT_EQ(hex_of(bytes), "04" + hex_of(older).substr(2) + (tagged ? "" : "0000") +
                                   (origin.id != 0 ? "ac020102030405060708" : "00"));
      expect_strict(bytes, decode_object, 7);
    }
    EXPECT_FALSE(decode_object(older)->origin);
  }
}

const policy::acl_grants some_grants{{policy::grantee::authenticated_users, {}, policy::permission::read},
                                     {policy::grantee::user, "AIDA1", policy::permission::read_acp},
                                     {policy::grantee::owner, {}, policy::permission::full_control}};

TEST(rows, keep_the_grants_of_an_object) {
  object_row row = full_object();
  for (const bool tagged : {false, true}) {
    for (const auto& origin : {std::optional<upload_origin>{}, std::optional{upload_origin{3, 4}}}) {
      for (const auto& grants : {policy::acl_grants{}, some_grants}) {
        row.extras.tags.clear();
        if (tagged) row.extras.tags = {{"k", "v"}};
        row.extras.lock.hold = tagged ? legal_hold::on : legal_hold::never_set;
        row.origin = origin;
        row.extras.grants.reset();
        const auto without = encode(row);
        EXPECT_LT(without[0], 5);
        row.extras.grants = grants;
        const auto bytes = encode(row);
        EXPECT_EQ(bytes[0], 5);
        const auto again = decode_object(bytes).value();
        EXPECT_EQ(again.extras.grants, grants);
        EXPECT_EQ(again.origin, origin);
        EXPECT_EQ(again.extras.lock, row.extras.lock);
        EXPECT_EQ(encode(again), bytes);
        expect_strict(bytes, decode_object, 7);
        EXPECT_FALSE(decode_object(without)->extras.grants);
      }
    }
  }
  row.extras.public_read = true;
  EXPECT_FALSE(decode_object(encode(row))) << "one or the other";
}

TEST(rows, keep_the_grants_of_a_bucket) {
  for (const bool locked : {false, true}) {
    for (const bool limited : {false, true}) {
      bucket_row row;
      row.id = 7;
      row.name = "files";
      if (locked) row.lock = {true, retention_mode::governance, period_unit::days, 3};
      if (limited) row.quota.bytes_max = 300;
      const auto without = encode(row);
      row.grants = some_grants;
      const auto bytes = encode(row);
      EXPECT_EQ(bytes[0], 9);
      const auto again = decode_bucket(bytes).value();
      EXPECT_EQ(again.grants, some_grants);
      EXPECT_EQ(again.quota, row.quota);
      EXPECT_EQ(again.lock.enabled, locked);
      EXPECT_EQ(encode(again), bytes);
      EXPECT_EQ(decode_quota(bytes).value(), row.quota);
      expect_strict(bytes, decode_bucket, 11);
      EXPECT_FALSE(decode_bucket(without)->grants);
      row.public_read = true;
      EXPECT_FALSE(decode_bucket(encode(row))) << "one or the other";
    }
  }
}

TEST(rows, keep_the_grants_of_an_upload) {
  upload_row row;
  row.id = 3;
  row.key = "k";
  const auto without = encode(row);
  row.extras.lock.hold = legal_hold::on;
  const auto locked = encode(row);
  row.extras.grants = some_grants;
  const auto bytes = encode(row);
  EXPECT_EQ(without[0], 1);
  EXPECT_EQ(locked[0], 2);
  EXPECT_EQ(bytes[0], 3);
  EXPECT_FALSE(decode_upload(without)->extras.grants);
  EXPECT_EQ(decode_upload(locked)->extras.lock.hold, legal_hold::on);
  EXPECT_EQ(decode_upload(bytes)->extras.grants, some_grants);
  expect_strict(bytes, decode_upload, 5);
}

TEST(rows, keep_the_owner_of_an_object) {
  object_row row = full_object();
  for (const auto& origin : {std::optional<upload_origin>{}, std::optional{upload_origin{3, 4}}}) {
    for (const auto& grants : {std::optional<policy::acl_grants>{}, std::optional{some_grants}}) {
      row.extras = {};
      row.extras.grants = grants;
      row.origin = origin;
      const auto without = encode(row);
      row.extras.owner = "AIDA1";
      const auto bytes = encode(row);
      EXPECT_EQ(bytes[0], 6);
      const auto again = decode_object(bytes).value();
      EXPECT_EQ(again.extras.owner, "AIDA1");
      EXPECT_EQ(again.extras.grants, grants);
      EXPECT_EQ(again.origin, origin);
      EXPECT_EQ(encode(again), bytes);
      expect_strict(bytes, decode_object, 7);
      EXPECT_EQ(decode_listed(bytes)->owner, "AIDA1");
      EXPECT_EQ(decode_listed(bytes)->size, row.size);
      EXPECT_EQ(decode_listed(without)->owner, "");
    }
  }
  row.extras.owner = std::string(policy::grantee_id_bytes_max + 1, 'a');
  EXPECT_FALSE(decode_object(encode(row)));
}

TEST(rows, keep_the_owner_of_an_upload) {
  upload_row row;
  row.id = 3;
  row.key = "k";
  row.extras.owner = "AIDA1";
  const auto bytes = encode(row);
  EXPECT_EQ(bytes[0], 4);
  EXPECT_EQ(decode_upload(bytes)->extras.owner, "AIDA1");
  expect_strict(bytes, decode_upload, 5);
}

TEST(rows, of_buckets_have_a_tenth_version_where_writers_own_their_objects) {
  for (const auto ownership : {ownership::preferred, ownership::writer}) {
    for (const auto& grants : {std::optional<policy::acl_grants>{}, std::optional{some_grants}}) {
      for (const bool limited : {false, true}) {
        bucket_row row{.id = 1, .name = "abc", .created = 2, .versioning = 1, .public_read = !grants};
        row.ownership = ownership;
        row.grants = grants;
        if (limited) row.quota.bytes_max = 300;
        const auto bytes = encode(row);
        EXPECT_EQ(bytes[0], 10);
        const auto again = decode_bucket(bytes).value();
        EXPECT_EQ(again.ownership, ownership);
        EXPECT_EQ(again.grants, grants);
        EXPECT_EQ(again.quota, row.quota);
        EXPECT_EQ(encode(again), bytes);
        EXPECT_EQ(decode_quota(bytes).value(), row.quota);
        expect_strict(bytes, decode_bucket, 11);
      }
    }
  }
}

TEST(rows, give_a_listing_its_fields_without_the_rest) {
  const auto fields = decode_listed(encode(full_object()));
  ASSERT_TRUE(fields);
  EXPECT_EQ(fields->size, 5ull << 40);
  EXPECT_EQ(fields->etag, full_object().etag);
  EXPECT_EQ(fields->modified, 1'700'000'000'123);
  EXPECT_EQ(decode_listed("\x01").error(), errc::corrupt);
  EXPECT_EQ(decode_listed("\x07").error(), errc::unsupported);
}

TEST(rows, refuse_a_manifest_id_in_an_object_that_has_no_manifest) {
  object_row row = full_object();
  row.headers = {};
  row.manifest = 5;
  std::string bytes = encode(row);
  const std::size_t content_at = 1 + 7 + 16 + 2 + 8;
  ASSERT_EQ(bytes[content_at], static_cast<char>(content_kind::manifest));
  bytes[content_at] = static_cast<char>(content_kind::inline_bytes);
  EXPECT_EQ(decode_object(bytes).error(), errc::corrupt);
  bytes[content_at] = 9;
  EXPECT_EQ(decode_object(bytes).error(), errc::corrupt);
}

TEST(rows, keep_manifests_parts_blobs_buckets_and_sessions) {
  const manifest_row manifest{.references = 3, .parts = 10000};
  EXPECT_EQ(decode_manifest(encode(manifest))->parts, 10000u);
  EXPECT_EQ(decode_manifest(encode(manifest))->references, 3u);
  expect_strict(encode(manifest), decode_manifest);

  const manifest_part part{.number = 10000,
                           .blob = {1, 2},
                           .object_offset = 3,
                           .blob_offset = 4,
                           .length = 5,
                           .chunk_size = 6,
                           .checksum = {7}};
  EXPECT_EQ(encode(decode_manifest_part(encode(part)).value()), encode(part));
  EXPECT_EQ(decode_manifest_part(encode(part))->blob, (blob_id{1, 2}));
  EXPECT_EQ(decode_manifest_part(encode(part))->checksum, part.checksum);
  expect_strict(encode(part), decode_manifest_part, 3);
  manifest_part with_checksum = part;
  with_checksum.part_checksum = "DUoRhQ==";
  EXPECT_EQ(hex_of(encode(with_checksum)), "02" + hex_of(encode(part)).substr(2) + "0844556f5268513d3d");
  EXPECT_EQ(decode_manifest_part(encode(with_checksum))->part_checksum, "DUoRhQ==");
  expect_strict(encode(with_checksum), decode_manifest_part, 3);
  EXPECT_EQ(decode_manifest_part('\x02' + encode(part).substr(1) + '\0').error(), errc::corrupt);

  const blob_row blob{.length = 1, .chunk_size = 2, .references = 3};
  EXPECT_EQ(encode(decode_blob(encode(blob)).value()), encode(blob));
  expect_strict(encode(blob), decode_blob);

  const bucket_row bucket{.id = 1, .name = "name", .created = -2, .versioning = 2};
  EXPECT_EQ(encode(decode_bucket(encode(bucket)).value()), encode(bucket));
  EXPECT_EQ(decode_bucket(encode(bucket))->created, -2);
  expect_strict(encode(bucket), decode_bucket, 11);

  const session_row session{.id = 1, .node = {2}, .incarnation = ~0ull, .ended = true, .acknowledged_below = 4};
  EXPECT_EQ(encode(decode_session(encode(session)).value()), encode(session));
  EXPECT_TRUE(decode_session(encode(session))->ended);
  expect_strict(encode(session), decode_session, 3);
}

TEST(rows, of_objects_and_buckets_have_a_second_version_with_what_was_set) {
  object_row object = full_object();
  const std::string without = encode(object);
  object.extras.tags = {{"k", "v"}, {"k2", ""}};
  const std::string with = encode(object);
  EXPECT_EQ(with.substr(1, without.size() - 1), without.substr(1));
  EXPECT_EQ(decode_object(with)->extras.tags, object.extras.tags);
  EXPECT_EQ(decode_listed(with)->size, object.size);
  expect_strict(with, decode_object, 7);

  bucket_row bucket{.id = 1, .name = "bucket", .created = 5};
  EXPECT_EQ(encode(bucket)[0], 1);
  bucket.public_read = bucket.public_objects = true;
  bucket.cors = {{.id = "i", .origins = {"*", "http://a"}, .methods = {"GET"}, .headers = {"h"}, .exposed = {"e"}}};
  bucket.cors[0].max_age_seconds = 300;
  const auto decoded = decode_bucket(encode(bucket)).value();
  EXPECT_TRUE(decoded.public_read && decoded.public_objects);
  EXPECT_EQ(decoded.cors, bucket.cors);
  expect_strict(encode(bucket), decode_bucket, 11);
  EXPECT_EQ(encode(bucket)[0], 2);
  for (const std::optional<std::uint32_t> age : {std::optional<std::uint32_t>{}, {0}, {1}, {max_age_seconds_max}}) {
    bucket.cors[0].max_age_seconds = age;
    EXPECT_EQ(decode_bucket(encode(bucket))->cors[0].max_age_seconds, age);
  }
  bucket.lifecycle = {{.id = "i", .prefix = "p", .expire_days = 3},
                      {.tags = {{"k", "v"}}, .size_above = 0, .size_below = 1ull << 40, .noncurrent_days = 300}};
  EXPECT_EQ(encode(bucket)[0], 3);
  EXPECT_EQ(decode_bucket(encode(bucket))->lifecycle, bucket.lifecycle);
  expect_strict(encode(bucket), decode_bucket, 11);
  bucket.lifecycle.clear();
  bucket.public_write = true;
  EXPECT_TRUE(decode_bucket(encode(bucket))->public_write);
}

TEST(rows, of_buckets_have_a_fourth_version_with_tags_and_private_objects) {
  bucket_row bucket{.id = 1, .name = "abc", .created = 2, .versioning = 1};
  bucket.tags = {{"k", "v"}, {"k2", ""}};
  EXPECT_EQ(hex_of(encode(bucket)), "04010361626300000000000000020100000000" + std::string{"0002016b0176026b3200"});
  EXPECT_EQ(decode_bucket(encode(bucket))->tags, bucket.tags);
  expect_strict(encode(bucket), decode_bucket, 11);
  bucket.tags.clear();
  bucket.public_read = true;
  EXPECT_EQ(encode(bucket)[0], 4);
  auto decoded = decode_bucket(encode(bucket)).value();
  EXPECT_TRUE(decoded.public_read);
  EXPECT_FALSE(decoded.public_objects);
  bucket.public_objects = true;
  EXPECT_EQ(encode(bucket)[0], 2) << "the encoding from before objects had their own setting";
  bucket.public_read = false;
  EXPECT_EQ(decode_bucket(encode(bucket)).error(), errc::corrupt);
}

TEST(rows, of_buckets_can_be_listed_in_every_version) {
  bucket_row bucket{.id = 1, .name = "abc", .created = 2};
  const auto expect_listed = [&](char version) {
    const std::string bytes = encode(bucket);
    ASSERT_EQ(bytes[0], version);
    const auto listed = decode_listed_bucket(bytes);
    ASSERT_TRUE(listed) << to_string(listed.error());
    EXPECT_EQ(listed->name, bucket.name);
    EXPECT_EQ(listed->created, bucket.created);
  };
  expect_listed(1);
  bucket.cors.emplace_back();
  expect_listed(2);
  bucket.lifecycle.emplace_back();
  expect_listed(3);
  bucket.tags = {{"k", "v"}};
  expect_listed(4);
  bucket.ownership = ownership::preferred_of_account;
  expect_listed(5);
  bucket.public_block = public_block::given;
  expect_listed(6);
  bucket.lock.enabled = true;
  expect_listed(7);
  bucket.quota.versions_max = 3;
  expect_listed(8);
  EXPECT_EQ(decode_listed_bucket('\x0b' + encode(bucket).substr(1)).error(), errc::unsupported);
}

TEST(rows, of_buckets_have_a_fifth_version_with_the_ownership) {
  bucket_row bucket{.id = 1, .name = "abc", .created = 2, .versioning = 1};
  bucket.ownership = ownership::enforced;
  EXPECT_EQ(encode(bucket)[0], 5);
  EXPECT_EQ(decode_bucket(encode(bucket))->ownership, ownership::enforced);
  bucket.ownership = ownership::last + 1;
  EXPECT_EQ(decode_bucket(encode(bucket)).error(), errc::corrupt);
}

TEST(rows, of_buckets_have_a_sixth_version_with_the_policy) {
  bucket_row bucket{.id = 1, .name = "abc", .created = 2, .versioning = 1};
  bucket.policy = bucket_policy{"{}"};
  EXPECT_EQ(encode(bucket)[0], 6);
  auto again = decode_bucket(encode(bucket)).value();
  EXPECT_EQ(again.policy.text(), "{}");
  EXPECT_EQ(again.policy.compiled(), nullptr); // is none
  bucket.policy = {};
  EXPECT_EQ(encode(bucket)[0], 1);
  bucket.public_block = public_block::all;
  EXPECT_EQ(decode_bucket(encode(bucket))->public_block, public_block::all);
  bucket.public_block = public_block::all + 1;
  EXPECT_EQ(decode_bucket(encode(bucket)).error(), errc::corrupt);
}

TEST(rows, of_buckets_have_an_eighth_version_with_the_quota) {
  bucket_row bucket{.id = 1, .name = "abc", .created = 2, .versioning = 1};
  const std::string without = encode(bucket);
  EXPECT_EQ(decode_quota(without).value(), bucket_quota{});
  bucket.quota = {.bytes_max = 300, .versions_max = 0};
  EXPECT_EQ(hex_of(encode(bucket)),
            "08" + hex_of(without).substr(2) + "0000" + "0000" + "0000" + "00" + "0000" + "00" + "ac0200");
  for (const bool locked : {false, true}) {
    bucket.lock = {.enabled = locked};
    for (const bucket_quota quota : {bucket_quota{300, 0}, bucket_quota{0, 1}, bucket_quota{~0ull, ~0ull}}) {
      bucket.quota = quota;
      const auto bytes = encode(bucket);
      EXPECT_EQ(bytes[0], 8);
      const auto again = decode_bucket(bytes).value();
      EXPECT_EQ(again.quota, quota);
      EXPECT_EQ(again.lock, bucket.lock);
      EXPECT_EQ(decode_quota(bytes).value(), quota);
      expect_strict(bytes, decode_bucket, 11);
      EXPECT_EQ(decode_quota(bytes + '\0').error(), errc::corrupt);
    }
  }
  bucket.quota = {};
  EXPECT_EQ(encode(bucket)[0], 7);
}

TEST(rows, of_sessions_have_a_second_version_with_the_acknowledged_epoch) {
  session_row session{.id = 1, .node = {2}, .incarnation = 3, .acknowledged_below = 4};
  const std::string without = encode(session);
  EXPECT_EQ(decode_session(without)->acknowledged_epoch, 0u);
  session.acknowledged_epoch = 300;
  const std::string with = encode(session);
  EXPECT_EQ(hex_of(with), "02" + hex_of(without).substr(2) + "ac02");
  EXPECT_EQ(decode_session(with)->acknowledged_epoch, 300u);
  EXPECT_EQ(decode_session(with)->acknowledged_below, 4u);
  expect_strict(with, decode_session, 3);
  EXPECT_EQ(decode_session('\x02' + without.substr(1) + '\0').error(), errc::corrupt) << "a value has one encoding";
}

TEST(rows, refuse_values_that_contradict_themselves) {
  EXPECT_EQ(decode_blob(encode(blob_row{.length = 1, .chunk_size = 2, .references = 0, .buried_at = 0})).error(),
            errc::corrupt);
  EXPECT_EQ(decode_blob(encode(blob_row{.length = 1, .chunk_size = 2, .references = 1, .buried_at = 1})).error(),
            errc::corrupt);
  EXPECT_EQ(decode_manifest_part(encode(manifest_part{.object_offset = ~0ull, .length = 1, .chunk_size = 1})).error(),
            errc::corrupt);
  EXPECT_EQ(decode_manifest_part(encode(manifest_part{.length = 1, .chunk_size = 0})).error(), errc::corrupt);
  EXPECT_EQ(decode_bucket(encode(bucket_row{.id = 1, .name = "n", .versioning = 3})).error(), errc::corrupt);
}

TEST(rows, have_the_bytes_that_earlier_builds_wrote) {
  const object_row row{.row_id = 1,
                       .version = 2,
                       .ordinal = 3,
                       .size = 300,
                       .etag = {.digest = {0xaa}, .parts = 0},
                       .modified = 4,
                       .headers = {.content_type = "t", .standard = {{"a", "b"}}, .user = {}},
                       .content = content_kind::inline_bytes};
  EXPECT_EQ(hex_of(encode(row)),
            "01ac02aa0000000000000000000000000000000000000000000000040101020301000174010161016200");
  EXPECT_EQ(hex_of(encode(manifest_row{.references = 1, .parts = 2})), "010102");
  EXPECT_EQ(hex_of(encode(manifest_part{.number = 1,
                                        .blob = {2, 3},
                                        .object_offset = 4,
                                        .blob_offset = 5,
                                        .length = 6,
                                        .chunk_size = 7,
                                        .checksum = {8}})),
            "0101000000000000000200000000000000030405060708000000000000000000000000000000");
  EXPECT_EQ(hex_of(encode(blob_row{.length = 1, .chunk_size = 2, .references = 3})), "0101020300");
  EXPECT_EQ(hex_of(encode(bucket_row{.id = 1, .name = "abc", .created = 2, .versioning = 1})),
            "010103616263000000000000000201");
  EXPECT_EQ(hex_of(encode(session_row{.id = 1, .node = {2}, .incarnation = 3, .ended = true, .acknowledged_below = 4})),
            "01010200000000000000000000000000000000000000000000030104");
}

TEST(etag, is_hex_with_the_number_of_parts_behind_a_multipart_one) {
  etag e{.digest = {0xd4, 0x1d, 0x8c, 0xd9, 0x8f, 0x00, 0xb2, 0x04, 0xe9, 0x80, 0x09, 0x98, 0xec, 0xf8, 0x42, 0x7e}};
  EXPECT_EQ(to_string(e), "d41d8cd98f00b204e9800998ecf8427e");
  e.parts = 12;
  EXPECT_EQ(to_string(e), "d41d8cd98f00b204e9800998ecf8427e-12");
}

} // namespace cairn::storage::metadata::rows_test
