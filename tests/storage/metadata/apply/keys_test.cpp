// Access keys and their grants in the state machine.
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::keys_test {
std::string sealed_text() {
  return "\x01" + std::string(secrets::sealing_overhead_bytes + 5, 's');
}

class access_keys : public store_test {
protected:
  create_key fresh(const std::string& id) {
    return {.stamp = stamp(), .id = id, .secret = "secret of " + id, .label = "for " + id, .now = 5};
  }
  change_key grant(const std::string& id, std::uint8_t allowed, std::uint8_t denied = 0,
                   const std::string& bucket = "files") {
    return {.stamp = stamp(), .id = id, .bucket = bucket, .allowed = allowed, .denied = denied};
  }
  access_key_row key(const std::string& id) { return read()->access_key(id).value(); }
  std::uint8_t rights_of(const std::string& id, const std::string& bucket = "files") {
    return key(id).rights_on(read()->bucket(bucket)->id);
  }
};

TEST_F(access_keys, are_created_once_and_deleted) {
  EXPECT_EQ(read()->access_key("CK1").error(), errc::no_such_access_key);
  auto first = fresh("CK1");
  first.creates_buckets = true;
  EXPECT_EQ(refused(first), std::nullopt);
  EXPECT_EQ(refused(first), std::nullopt); // the same commit again
  EXPECT_EQ(refused(fresh("CK1")), errc::invalid_argument);
  EXPECT_EQ(key("CK1").secret, "secret of CK1");
  EXPECT_EQ(key("CK1").label, "for CK1");
  EXPECT_EQ(key("CK1").created, 5);
  EXPECT_TRUE(key("CK1").creates_buckets);
  EXPECT_EQ(refused(delete_key{.stamp = stamp(), .id = "CK1"}), std::nullopt);
  EXPECT_EQ(refused(delete_key{.stamp = stamp(), .id = "CK1"}), errc::no_such_access_key);
  EXPECT_EQ(read()->access_key("CK1").error(), errc::no_such_access_key);
  EXPECT_EQ(rows(table::access_keys), 0u);
}

TEST_F(access_keys, have_ids_secrets_and_labels_within_bounds) {
  for (const auto* id : {"", "a b", "a/b", "a\n"}) EXPECT_EQ(refused(fresh(id)), errc::invalid_argument) << id;
  EXPECT_EQ(refused(fresh(std::string(129, 'a'))), errc::invalid_argument);
  auto c = fresh("CK1");
  c.secret.clear();
  EXPECT_EQ(refused(c), errc::invalid_argument);
  c = fresh("CK1");
  c.label = "line\nbreak";
  EXPECT_EQ(refused(c), errc::invalid_argument);
  auto longest = fresh(std::string(128, 'a'));
  longest.label = std::string(128, 'l');
  EXPECT_EQ(refused(longest), std::nullopt);
}

TEST_F(access_keys, are_listed_by_id_in_pages) {
  for (const auto* id : {"b", "a", "ab", "c"}) run(fresh(id));
  const auto page = read()->access_keys("", 2).value();
  ASSERT_EQ(page.size(), 2u);
  EXPECT_EQ(page[0].id, "a");
  EXPECT_EQ(page[1].id, "ab");
  const auto next = read()->access_keys("ab", 10).value();
  ASSERT_EQ(next.size(), 2u);
  EXPECT_EQ(next[0].id, "b");
}

TEST_F(access_keys, get_and_lose_rights_on_buckets) {
  run(fresh("CK1"));
  run(create_bucket{.name = "other", .now = 1});
  EXPECT_EQ(rights_of("CK1"), 0);
  EXPECT_EQ(refused(grant("CK1", rights::read)), std::nullopt);
  EXPECT_EQ(refused(grant("CK1", rights::write)), std::nullopt);
  EXPECT_EQ(refused(grant("CK1", rights::owner, 0, "other")), std::nullopt);
  EXPECT_EQ(rights_of("CK1"), rights::read | rights::write);
  EXPECT_EQ(rights_of("CK1", "other"), rights::owner);
  EXPECT_EQ(refused(grant("CK1", 0, rights::read)), std::nullopt);
  EXPECT_EQ(rights_of("CK1"), rights::write);
  EXPECT_EQ(refused(grant("CK1", 0, rights::all)), std::nullopt);
  EXPECT_EQ(key("CK1").grants.size(), 1u);
  EXPECT_EQ(refused(grant("CK2", rights::read)), errc::no_such_access_key);
  EXPECT_EQ(refused(grant("CK1", rights::read, 0, "none")), errc::no_such_bucket);
  change_key may{.stamp = stamp(), .id = "CK1", .creates_buckets = true};
  EXPECT_EQ(refused(may), std::nullopt);
  EXPECT_TRUE(key("CK1").creates_buckets);
}

TEST_F(access_keys, own_the_buckets_that_they_create_and_nothing_of_their_successors) {
  run(fresh("CK1"));
  EXPECT_EQ(refused(create_bucket{.name = "mine", .now = 1, .owner = "CK2"}), errc::no_such_access_key);
  EXPECT_EQ(read()->bucket("mine").error(), errc::no_such_bucket);
  EXPECT_EQ(refused(create_bucket{.name = "mine", .now = 1, .owner = "CK1"}), std::nullopt);
  EXPECT_EQ(rights_of("CK1", "mine"), rights::all);
  EXPECT_EQ(refused(delete_bucket{.name = "mine"}), std::nullopt);
  EXPECT_TRUE(key("CK1").grants.empty());
  run(create_bucket{.name = "mine", .now = 2});
  EXPECT_EQ(rights_of("CK1", "mine"), 0);
}

TEST(access_key_row, comes_back_as_it_was_written) {
  const access_key_row row{.id = "CK1",
                           .secret = "s",
                           .label = "\u00e9",
                           .created = 77,
                           .creates_buckets = true,
                           .grants = {{3, rights::read}, {300, rights::all}}};
  EXPECT_EQ(decode_access_key(encode(row)).value(), row);
  auto bytes = encode(row);
  bytes.back() = 8; // no such right
  EXPECT_EQ(decode_access_key(bytes).error(), errc::corrupt);
  bytes = encode(row);
  bytes.front() = 4;
  EXPECT_EQ(decode_access_key(bytes).error(), errc::unsupported);
  EXPECT_EQ(decode_access_key("").error(), errc::corrupt);
}

TEST(access_key_row, of_older_builds_has_its_secret_in_clear) {
  const access_key_row row{.id = "CK1", .secret = "s"}, of_user{.id = "CK1", .secret = "s", .user = "ann"};
  EXPECT_EQ(encode(row).front(), 1);
  EXPECT_EQ(encode(of_user).front(), 2);
  EXPECT_FALSE(decode_access_key(encode(row)).value().sealed);
}

TEST(access_key_row, with_a_sealed_secret_comes_back_as_it_was_written) {
  for (const std::string user : {"", "ann"}) {
    const access_key_row row{.id = "CK1", .secret = sealed_text(), .user = user, .active = false, .sealed = true};
    auto bytes = encode(row);
    EXPECT_EQ(bytes.front(), 3) << "no older build may take it for a secret in clear";
    EXPECT_EQ(decode_access_key(bytes).value(), row);
    bytes.back() = 0;
    EXPECT_EQ(decode_access_key(bytes).error(), errc::corrupt);
  }
}

TEST_F(access_keys, keep_sealed_secrets_as_they_are_given) {
  auto c = fresh("CK1");
  c.sealed = true; // but it is not
  EXPECT_EQ(refused(c), errc::invalid_argument);
  c = fresh("CK1");
  c.secret = sealed_text();
  c.sealed = true;
  EXPECT_EQ(refused(c), std::nullopt);
  EXPECT_EQ(refused(grant("CK1", rights::read)), std::nullopt);
  EXPECT_EQ(key("CK1").secret, sealed_text());
  EXPECT_TRUE(key("CK1").sealed) << "also after a change of its rights";
}

TEST_F(access_keys, are_sealed_later) {
  run(fresh("CK1"));
  run(fresh("CK2"));
  EXPECT_EQ(refused(grant("CK1", rights::read)), std::nullopt);
  const seal_keys all{.stamp = stamp(), .keys = {{"CK1", sealed_text()}, {"CK3", sealed_text()}}};
  const auto done = run(all);
  EXPECT_EQ(done.refused, std::nullopt);
  EXPECT_EQ(done.more, 1u) << "one is not there any more";
  EXPECT_EQ(run(all).more, 1u) << "the same commit again";
  EXPECT_TRUE(key("CK1").sealed);
  EXPECT_EQ(key("CK1").secret, sealed_text());
  EXPECT_EQ(rights_of("CK1"), rights::read);
  EXPECT_FALSE(key("CK2").sealed);
  EXPECT_EQ(refused(seal_keys{.stamp = stamp(), .keys = {{"CK2", "in clear"}}}), errc::invalid_argument);
  EXPECT_EQ(key("CK2").secret, "secret of CK2");
}

TEST(sealed_secrets, of_commands_are_of_level_14_and_come_back_as_they_were_encoded) {
  const commit_stamp stamp{.session = 1, .sequence = 2};
  const create_key clear{.stamp = stamp, .id = "CK1", .secret = "s"};
  EXPECT_EQ(level_of(clear), 4);
  create_key made{.stamp = stamp, .id = "CK1", .secret = sealed_text(), .sealed = true};
  change_identity of_user{.stamp = stamp, .what = policy::action::iam_create_access_key, .text = sealed_text()};
  EXPECT_EQ(level_of(of_user), 13);
  of_user.on = true;
  const seal_keys all{.stamp = stamp, .keys = {{"CK1", sealed_text()}, {"CK2", sealed_text()}}};
  for (const command& c : {command{made}, command{of_user}, command{all}}) {
    EXPECT_EQ(level_of(c), feature_level_of_sealed_secrets);
    const auto bytes = encode(c);
    const auto read = decode_command(bytes);
    ASSERT_TRUE(read);
    EXPECT_EQ(encode(*read), bytes);
    for (std::size_t length = 0; length < bytes.size(); ++length)
      EXPECT_FALSE(decode_command(std::string_view{bytes}.substr(0, length))) << length;
  }
}

} // namespace cairn::storage::metadata::keys_test
