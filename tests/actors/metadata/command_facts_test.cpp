#include "actors/metadata/command_facts.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::command_facts_test {

namespace meta = storage::metadata;

TEST(command_facts, chunks_belong_to_the_session_that_wrote_them) {
  EXPECT_EQ(session_of_chunks(meta::put_object{.content = meta::written_blob{.blob = {7, 1}}}), 7u);
  EXPECT_EQ(session_of_chunks(meta::put_part{.content = meta::written_blob{.blob = {8, 1}}}), 8u);
  EXPECT_EQ(session_of_chunks(meta::put_object{.content = std::string{"inline"}}), std::nullopt);
  EXPECT_EQ(session_of_chunks(meta::create_bucket{}), std::nullopt);
}

TEST(command_facts, the_estimate_grows_with_everything_that_clients_choose) {
  const std::string big(100'000, 'x');
  meta::put_object put{.content = std::string{}};
  EXPECT_LT(bytes_of(put), 2000u);
  put.headers.standard = {{"cache-control", big}};
  put.headers.user = {{"a", big}};
  put.extras.tags = {{"a", big}};
  put.key = big;
  EXPECT_GT(bytes_of(put), 400'000u);
  meta::set_bucket settings;
  settings.lifecycle.emplace().emplace_back().prefix = big;
  EXPECT_GT(bytes_of(settings), 100'000u);
  meta::begin_upload upload;
  upload.headers.content_type = big;
  EXPECT_GT(bytes_of(upload), 100'000u);
}

TEST(command_facts, stamps_that_not_all_members_know_are_left_out) {
  std::uint64_t next = 5;
  const auto stamped = [&](meta::command c, std::uint8_t level) {
    stamp(c, 3, next, 4, level);
    return c;
  };
  EXPECT_EQ(std::get<meta::create_bucket>(stamped(meta::create_bucket{}, 6)).stamp.session, 0u);
  EXPECT_EQ(next, 5u);
  EXPECT_EQ(std::get<meta::create_bucket>(stamped(meta::create_bucket{}, 7)).stamp.sequence, 5u);
  EXPECT_EQ(std::get<meta::delete_bucket>(stamped(meta::delete_bucket{}, 7)).stamp.session, 3u);
  EXPECT_EQ(std::get<meta::set_bucket>(stamped(meta::set_bucket{}, 4)).stamp.sequence, 7u);
}

TEST(command_facts, what_policies_are_asked_is_left_out_where_there_are_none) {
  meta::command put = meta::put_object{.bucket = "b", .key = "k", .content = std::string{"x"}};
  auto asked = std::make_shared<meta::asked_access>();
  asked->with.set(storage::policy::context_key::user_agent, std::string(2000, 'x'));
  std::get<meta::put_object>(put).by = {meta::allowed_by::key, "CK1", meta::rights::write, 7, 0, asked};
  EXPECT_EQ(meta::level_of(put), meta::feature_level_of_policies);
  EXPECT_GT(bytes_of(put), 2000u);
  drop_asked(put);
  EXPECT_EQ(meta::level_of(put), meta::feature_level_of_authority);
}

TEST(command_facts, owners_of_objects_are_left_out_where_the_account_owns_all) {
  using storage::policy::grantee;
  namespace permission = storage::policy::permission;
  const auto dropped = [](meta::command c) {
    EXPECT_EQ(meta::level_of(c), meta::feature_level_of_object_owners);
    drop_object_owners(c);
    EXPECT_LT(meta::level_of(c), meta::feature_level_of_object_owners);
    return c;
  };
  meta::put_object put{.bucket = "b", .key = "k"};
  put.extras.grants = storage::policy::bucket_owner_full_control();
  EXPECT_TRUE(std::get<meta::put_object>(dropped(put)).extras.empty()) << "private";
  meta::begin_upload begin{.bucket = "b", .key = "k", .headers = {}};
  begin.extras.grants = storage::policy::public_read_write();
  EXPECT_TRUE(std::get<meta::begin_upload>(dropped(begin)).extras.public_read);
  meta::copy_object copy{.bucket = "b", .key = "k"};
  copy.extras = put.extras;
  EXPECT_TRUE(std::get<meta::copy_object>(dropped(copy)).extras->empty());
  meta::set_extras set{.bucket = "b", .key = "k"};
  set.grants = storage::policy::acl_grants{{grantee::bucket_owner, {}, permission::read}};
  const auto again = std::get<meta::set_extras>(dropped(set));
  EXPECT_EQ(again.grants, (storage::policy::acl_grants{{grantee::owner, {}, permission::read}}));
  set.grants = storage::policy::bucket_owner_full_control();
  EXPECT_EQ(std::get<meta::set_extras>(dropped(set)).public_read, false);
  meta::command own = meta::set_bucket{.name = "b"};
  std::get<meta::set_bucket>(own).ownership = meta::ownership::writer;
  drop_object_owners(own);
  EXPECT_EQ(meta::level_of(own), meta::feature_level_of_object_owners) << "refused, not changed";
}

TEST(command_facts, a_bypass_is_left_out_where_there_is_no_object_lock) {
  meta::command removal = meta::delete_object{.bucket = "b", .key = "k"};
  std::get<meta::delete_object>(removal).bypasses_governance = true;
  EXPECT_EQ(meta::level_of(removal), meta::feature_level_of_object_lock);
  drop_bypass(removal);
  EXPECT_EQ(meta::level_of(removal), 1);
  EXPECT_EQ(changed_rows(meta::set_object_lock{.bucket = "b", .key = "k"}), (std::vector<row_name>{{"b", "k"}}));
  EXPECT_EQ(changed_rows(meta::set_bucket_lock{.name = "b"}), (std::vector<row_name>{{"b", {}}}));
  EXPECT_EQ(changed_rows(meta::set_bucket_quota{.name = "b"}), (std::vector<row_name>{{"b", {}}}));
  EXPECT_TRUE(changed_rows(meta::set_bucket_owner{.name = "b", .user = "ann"}).empty()) << "in the row of its counts";
}

TEST(command_facts, every_change_of_a_row_that_may_be_cached_names_it) {
  const std::vector<row_name> object{{"b", "k"}}, bucket{{"b", {}}}, key{{{}, "CK1"}};
  meta::complete_upload upload;
  upload.upload.bucket = "b";
  upload.upload.key = "k";
  EXPECT_EQ(changed_rows(meta::put_object{.bucket = "b", .key = "k"}), object);
  EXPECT_EQ(changed_rows(meta::delete_object{.bucket = "b", .key = "k"}), object);
  EXPECT_EQ(changed_rows(meta::copy_object{.bucket = "b", .key = "k"}), object);
  EXPECT_EQ(changed_rows(meta::rename_object{.source = {"b", "old"}, .key = "k"}),
            (std::vector<row_name>{{"b", "old"}, {"b", "k"}}));
  EXPECT_EQ(changed_rows(meta::set_extras{.bucket = "b", .key = "k"}), object);
  const meta::command completed = upload;
  EXPECT_EQ(changed_rows(completed), object);
  EXPECT_EQ(changed_rows(meta::set_bucket{.name = "b"}), bucket);
  EXPECT_EQ(changed_rows(meta::set_bucket_access{.name = "b"}), bucket);
  EXPECT_EQ(changed_rows(meta::create_bucket{.name = "b"}), bucket);
  EXPECT_EQ(changed_rows(meta::create_bucket{.name = "b", .owner = "CK1"}),
            (std::vector<row_name>{{"b", {}}, {{}, "CK1"}}));
  EXPECT_EQ(changed_rows(meta::delete_bucket{.name = "b"}), bucket);
  EXPECT_EQ(changed_rows(meta::create_key{.id = "CK1"}), key);
  EXPECT_EQ(changed_rows(meta::delete_key{.id = "CK1"}), key);
  EXPECT_EQ(changed_rows(meta::change_key{.id = "CK1"}), key);
  EXPECT_EQ(changed_rows(meta::renew_token_key{}), std::vector<row_name>{row_name{}}) << "rows by tokens";
}

TEST(command_facts, readers_wait_for_a_layout_that_a_command_changes) {
  const meta::command changes[] = {
      meta::create_cluster{}, meta::add_node{},  meta::set_node{}, meta::remove_node{},   meta::set_targets{},
      meta::moved{},          meta::note_down{}, meta::note_up{},  meta::begin_session{}, meta::raise_feature_level{}};
  for (const auto& c : changes) EXPECT_TRUE(changes_layout(c)) << c.index();
  EXPECT_FALSE(changes_layout(meta::put_object{}));
  EXPECT_FALSE(changes_layout(meta::acknowledge_epoch{}));
}

TEST(command_facts, a_command_expires_with_the_session_that_it_was_sent_in) {
  meta::sts_session session;
  session.expires = 77;
  meta::authority by;
  by.session = std::make_shared<const meta::sts_session>(session);
  EXPECT_EQ(session_end(meta::put_object{.by = by}), 77);
  EXPECT_EQ(session_end(meta::delete_object{.by = by}), 77);
  EXPECT_EQ(session_end(meta::complete_upload{.by = by}), 77);
  EXPECT_EQ(session_end(meta::create_bucket{.by = by}), 77);
  EXPECT_EQ(session_end(meta::put_object{}), std::nullopt);
  EXPECT_EQ(session_end(meta::reap{}), std::nullopt);
}

TEST(command_facts, sealing_changes_the_rows_of_its_keys) {
  const meta::seal_keys sealed{.stamp = {}, .keys = {{"CK1", "s"}, {"CK2", "s"}}};
  EXPECT_EQ(changed_rows(sealed), (std::vector<row_name>{row_name{{}, "CK1"}, row_name{{}, "CK2"}}));
}

TEST(command_facts, a_change_of_identities_is_one_of_all_access_keys) {
  EXPECT_EQ(changed_rows(meta::change_identity{.name = "ann"}), std::vector<row_name>{row_name{}});
  EXPECT_TRUE(adds_something(meta::change_identity{.name = "ann", .id = "AIDA1"}));
  EXPECT_FALSE(adds_something(meta::change_identity{.name = "ann"}));
  EXPECT_TRUE(adds_something(
      meta::change_identity{.what = storage::policy::action::iam_create_open_id_connect_provider, .name = "a.b"}));
}

TEST(command_facts, authorities_that_not_all_members_know_are_left_out) {
  meta::command put = meta::put_object{.bucket = "b", .key = "k", .content = std::string{"x"}};
  std::get<meta::put_object>(put).by = {meta::allowed_by::key, "CK1", meta::rights::write, 7, 0};
  EXPECT_EQ(meta::level_of(put), meta::feature_level_of_authority);
  drop_authority(put);
  EXPECT_EQ(meta::level_of(put), 1);
  meta::command part = meta::put_part{.content = std::string{}, .source = meta::object_version{}};
  EXPECT_EQ(meta::level_of(part), meta::feature_level_of_authority);
  drop_authority(part); // its source is judged by it
  EXPECT_EQ(meta::level_of(part), 3);
  meta::command reaped = meta::reap{};
  drop_authority(reaped); // has none
  EXPECT_EQ(meta::level_of(reaped), 1);
}

} // namespace cairn::actors::command_facts_test
