#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::buckets_test {
class buckets : public store_test {};

TEST_F(buckets, are_made_once_and_found) {
  EXPECT_EQ(refused(create_bucket{.name = "other", .now = 5}), std::nullopt);
  EXPECT_EQ(refused(create_bucket{.name = "other", .now = 6}), errc::bucket_exists);
  const auto row = read()->bucket("other");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->created, 5);
  EXPECT_EQ(row->versioning, 0);
  EXPECT_EQ(read()->bucket("missing").error(), errc::no_such_bucket);
  EXPECT_EQ(read()->bucket("").error(), errc::no_such_bucket);
  const auto all = read()->buckets().value();
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[0].name, "files");
  EXPECT_EQ(all[1].name, "other");
  EXPECT_NE(all[0].id, all[1].id);
}

TEST_F(buckets, are_created_with_all_given_settings) {
  create_bucket make{.name = "other", .now = 5};
  make.settings = {.public_read = true, .public_write = true, .tags = {{"k", "v"}}, .ownership = ownership::preferred};
  EXPECT_EQ(refused(make), std::nullopt);
  const auto row = read()->bucket("other").value();
  EXPECT_TRUE(row.public_read && row.public_write && !row.public_objects);
  EXPECT_EQ(row.tags, make.settings.tags);
  EXPECT_EQ(row.ownership, ownership::preferred);
}

TEST_F(buckets, that_are_created_again_get_the_requested_access_control_list) {
  set_bucket open{.stamp = stamp(), .name = "files", .public_read = true};
  open.public_write = true;
  run(open);
  ASSERT_TRUE(read()->bucket("files")->public_objects);
  create_bucket again{.name = "files", .now = 5};
  EXPECT_EQ(refused(again), errc::bucket_exists) << "not confirmed by allow_public_writes";
  EXPECT_TRUE(read()->bucket("files")->public_read);
  again.settings.again = true;
  EXPECT_EQ(refused(again), std::nullopt);
  const auto row = read()->bucket("files").value();
  EXPECT_FALSE(row.public_read || row.public_write || row.public_objects);
  EXPECT_EQ(row.created, 1000);
  again.settings.public_read = true;
  EXPECT_EQ(refused(again), std::nullopt);
  EXPECT_TRUE(read()->bucket("files")->public_read);
  EXPECT_FALSE(read()->bucket("files")->public_objects);
  again.settings.tags = {{"k", "v"}};
  EXPECT_EQ(refused(again), errc::bucket_exists) << "it has no tags";
  again.settings.tags.clear();
  again.settings.ownership = ownership::enforced;
  again.settings.public_read = false;
  EXPECT_EQ(refused(again), errc::bucket_exists);
}

TEST_F(buckets, are_created_again_only_by_keys_that_own_them) {
  run(create_key{.stamp = stamp(), .id = "CK1", .secret = "s"});
  create_bucket again{.name = "files", .now = 5, .owner = "CK1"};
  again.settings.again = true;
  EXPECT_EQ(refused(again), errc::access_denied);
  run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "files", .allowed = rights::read | rights::write});
  EXPECT_EQ(refused(again), errc::access_denied);
  run(change_key{.stamp = stamp(), .id = "CK1", .bucket = "files", .allowed = rights::owner});
  EXPECT_EQ(refused(again), std::nullopt);
}

TEST_F(buckets, with_enforced_ownership_refuse_public_access_control_lists) {
  create_bucket make{.name = "other", .now = 5};
  make.settings.ownership = ownership::enforced;
  make.settings.public_read = true;
  EXPECT_EQ(refused(make), errc::acl_not_supported);
  make.settings.public_read = false;
  EXPECT_EQ(refused(make), std::nullopt);
  const auto in = [](auto command) {
    command.bucket = "other";
    return command;
  };
  put_object put = in(small("k"));
  EXPECT_EQ(refused(put), std::nullopt);
  put.stamp = stamp();
  put.extras.public_read = true;
  EXPECT_EQ(refused(put), errc::acl_not_supported);
  EXPECT_EQ(refused(begin_upload{.stamp = stamp(), .bucket = "other", .key = "k", .extras = put.extras}),
            errc::acl_not_supported);
  set_extras extras{.stamp = stamp(), .bucket = "other", .key = "k", .tags = {}, .public_read = true};
  EXPECT_EQ(refused(extras), errc::acl_not_supported);
  copy_object copy{.stamp = stamp(), .source = {"other", "k"}, .bucket = "other", .key = "l"};
  const auto source = read()->object("other", "k").value();
  copy.source.version = source.version;
  copy.source.ordinal = source.ordinal;
  copy.extras = put.extras;
  EXPECT_EQ(refused(copy), errc::acl_not_supported);
  EXPECT_EQ(refused(set_bucket{.stamp = stamp(), .name = "other", .public_read = true}), errc::acl_not_supported);
  create_bucket again = make;
  again.settings = {.public_read = true, .again = true};
  EXPECT_EQ(refused(again), errc::acl_not_supported);
  set_bucket free{.stamp = stamp(), .name = "other"};
  free.ownership = ownership::not_given;
  EXPECT_EQ(refused(free), std::nullopt);
  EXPECT_EQ(refused(set_bucket{.stamp = stamp(), .name = "other", .public_read = true}), std::nullopt);
}

TEST_F(buckets, get_an_enforced_owner_when_their_access_control_list_is_private) {
  const auto own = [this](std::uint8_t ownership) {
    set_bucket c{.stamp = stamp(), .name = "files"};
    c.ownership = ownership;
    return refused(c);
  };
  auto published = small("k");
  published.extras.public_read = true;
  run(published);
  run(set_bucket{.stamp = stamp(), .name = "files", .public_read = true});
  EXPECT_EQ(own(ownership::enforced), errc::acl_not_supported);
  EXPECT_EQ(read()->bucket("files")->ownership, ownership::not_given);
  EXPECT_EQ(own(ownership::writer), std::nullopt);
  run(set_bucket{.stamp = stamp(), .name = "files", .public_read = false});
  EXPECT_EQ(own(ownership::enforced), std::nullopt);
  EXPECT_EQ(read()->bucket("files")->ownership, ownership::enforced);
  EXPECT_EQ(own(ownership::writer + 1), errc::invalid_argument);

  // The list of the object has no effect meanwhile, but is there.
  const auto bucket = read()->bucket("files").value();
  const auto row = object("k");
  asked_access asked{.actions = {policy::action::get_object}, .by_acl = true};
  const authority nobody{allowed_by::anybody, "", 0, 0, 0, std::make_shared<const asked_access>(asked)};
  const auto made = [&](const bucket_row& in) {
    return judge(nobody, policy::action::get_object, nullptr, in, {"k", &row}).made;
  };
  EXPECT_EQ(made(bucket), ruling::denied);
  set_extras tags{.stamp = stamp(), .bucket = "files", .key = "k"};
  tags.tags.emplace().emplace_back("a", "b");
  EXPECT_EQ(refused(tags), std::nullopt);
  EXPECT_TRUE(object("k").extras.public_read);
  EXPECT_EQ(own(ownership::not_given), std::nullopt);
  EXPECT_EQ(made(read()->bucket("files").value()), ruling::allowed);
}

TEST_F(buckets, are_made_and_deleted_once_by_each_stamped_command) {
  const auto unanswered = [this] {
    auto one = stamp();
    one.acknowledged_below = 0;
    return one;
  };
  const create_bucket make{.name = "other", .now = 5, .stamp = unanswered()};
  EXPECT_EQ(refused(make), std::nullopt);
  EXPECT_EQ(refused(make), std::nullopt) << "the answer that was lost";
  EXPECT_EQ(refused(create_bucket{.name = "other", .stamp = unanswered()}), errc::bucket_exists);
  const delete_bucket gone{.name = "other", .stamp = unanswered()};
  EXPECT_EQ(refused(gone), std::nullopt);
  EXPECT_EQ(refused(create_bucket{.name = "other", .stamp = unanswered()}), std::nullopt);
  EXPECT_EQ(refused(gone), std::nullopt);
  EXPECT_TRUE(read()->bucket("other")) << "it was created after the first try";
  EXPECT_EQ(refused(delete_bucket{.name = "other", .stamp = unanswered()}), std::nullopt);
  EXPECT_EQ(refused(make), std::nullopt);
  EXPECT_FALSE(read()->bucket("other"));
}

TEST_F(buckets, are_listed_page_by_page_with_a_prefix_and_by_what_a_key_may_use) {
  for (const auto* name : {"a-1", "a-2", "a-3", "b-1"}) run(create_bucket{.name = name, .now = 7});
  const auto page = [this](const buckets_query& query) {
    const auto found = read()->buckets(query).value();
    std::string told;
    for (const auto& bucket : found.buckets) told += bucket.name + " ";
    return told + (found.truncated ? "then " + found.last : "");
  };
  EXPECT_EQ(page({}), "a-1 a-2 a-3 b-1 files ");
  EXPECT_EQ(page({.buckets_max = 2}), "a-1 a-2 then a-2");
  EXPECT_EQ(page({.after = "a-2", .buckets_max = 2}), "a-3 b-1 then b-1");
  EXPECT_EQ(page({.prefix = "a-", .after = "a-1"}), "a-2 a-3 ");
  EXPECT_EQ(page({.prefix = "a-", .buckets_max = 3}), "a-1 a-2 a-3 ") << "what follows has another prefix";
  EXPECT_EQ(page({.prefix = "b", .after = "a-2"}), "b-1 ");
  const auto key = std::make_shared<access_key_row>();
  key->grants = {{read()->bucket("a-2")->id, rights::read}};
  EXPECT_EQ(page({.only_of = key}), "a-2 ");
  EXPECT_EQ(page({.after = "a-2", .only_of = key}), "");
  EXPECT_EQ(read()->buckets(buckets_query{.buckets_max = 1}).value().buckets.front().created, 7);
}

TEST_F(buckets, with_bad_names_are_refused) {
  EXPECT_EQ(refused(create_bucket{.name = "Bad"}), errc::invalid_argument);
  EXPECT_EQ(refused(create_bucket{.name = ""}), errc::invalid_argument);
  EXPECT_EQ(refused(delete_bucket{.name = ""}), errc::no_such_bucket);
}

TEST_F(buckets, are_deleted_only_when_empty_and_come_back_without_their_objects) {
  EXPECT_EQ(refused(delete_bucket{.name = "missing"}), errc::no_such_bucket);
  run(small(std::string(1000, 'k')));
  EXPECT_EQ(refused(delete_bucket{.name = "files"}), errc::bucket_not_empty);
  run(removal(std::string(1000, 'k')));
  const auto before = read()->bucket("files")->id;
  EXPECT_EQ(refused(delete_bucket{.name = "files"}), std::nullopt);
  EXPECT_EQ(refused(small("a")), errc::no_such_bucket);
  EXPECT_EQ(read()->object("files", "a").error(), errc::no_such_bucket);
  EXPECT_EQ(refused(create_bucket{.name = "files"}), std::nullopt);
  EXPECT_NE(read()->bucket("files")->id, before);
}

TEST_F(buckets, see_the_commands_before_them_in_the_same_batch) {
  const command batch[] = {create_bucket{.name = "new-one"}, create_bucket{.name = "new-one"},
                           delete_bucket{.name = "new-one"}, delete_bucket{.name = "new-one"},
                           create_bucket{.name = "new-one"}};
  const auto results = s->apply(batch).value().results;
  EXPECT_FALSE(results[0].refused);
  EXPECT_EQ(*results[1].refused, errc::bucket_exists);
  EXPECT_FALSE(results[2].refused);
  EXPECT_EQ(*results[3].refused, errc::no_such_bucket);
  EXPECT_FALSE(results[4].refused);
}

} // namespace cairn::storage::metadata::buckets_test
