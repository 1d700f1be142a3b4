// Access keys and their grants in the state machine.
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata {
namespace {

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
  bytes.front() = 3;
  EXPECT_EQ(decode_access_key(bytes).error(), errc::unsupported);
  EXPECT_EQ(decode_access_key("").error(), errc::corrupt);
}

} // namespace
} // namespace cairn::storage::metadata
