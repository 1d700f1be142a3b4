#include "storage/policy/access_list.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::policy::access_list_test {

acl_grants list_of(std::initializer_list<acl_grant> grants) {
  acl_grants list;
  for (const auto& one : grants) add_grant(list, one.to, one.id, one.permissions);
  return list;
}

std::string bytes_of(const acl_grants& list) {
  byte_writer w{64};
  write_grants(w, list);
  return w.take();
}

bool is_refused(const std::string& bytes) {
  byte_reader r{bytes};
  read_grants(r);
  return !r.finished();
}

TEST(access_list, has_each_grantee_once_in_one_order) {
  const auto list = list_of({{grantee::owner, {}, permission::full_control},
                             {grantee::user, "b", permission::read},
                             {grantee::user, "a", permission::write},
                             {grantee::all_users, {}, permission::read},
                             {grantee::user, "b", permission::read_acp}});
  EXPECT_EQ(list, (acl_grants{{grantee::all_users, {}, permission::read},
                              {grantee::user, "a", permission::write},
                              {grantee::user, "b", permission::read | permission::read_acp},
                              {grantee::owner, {}, permission::full_control}}));
  EXPECT_TRUE(well_formed(list));
  EXPECT_EQ(grants_in(list), 5u);
  EXPECT_EQ(header_text(list, permission::read), "uri=http://acs.amazonaws.com/groups/global/AllUsers, id=b");
  EXPECT_EQ(header_text(list, permission::full_control), "id=cairn");
  EXPECT_EQ(header_text(list, permission::write_acp), "");
}

TEST(access_list, is_public_if_it_grants_anything_to_a_group) {
  EXPECT_FALSE(is_public({}));
  EXPECT_FALSE(is_public({{grantee::user, "a", permission::all}}));
  EXPECT_TRUE(is_public({{grantee::authenticated_users, {}, permission::read_acp}, {grantee::owner, {}, 1}}));
  EXPECT_TRUE(is_public({{grantee::all_users, {}, permission::write}}));
}

TEST(access_list, comes_back_as_it_was_encoded_and_no_other_bytes_are_one) {
  for (const auto& list :
       {acl_grants{},
        list_of({{grantee::user, "a", 31}, {grantee::authenticated_users, {}, 1}, {grantee::owner, {}, 16}})}) {
    const auto bytes = bytes_of(list);
    byte_reader r{bytes};
    EXPECT_EQ(read_grants(r), list);
    EXPECT_TRUE(r.finished());
    for (std::size_t length = 0; length < bytes.size(); ++length) EXPECT_TRUE(is_refused(bytes.substr(0, length)));
  }
  EXPECT_EQ(bytes_of({{grantee::user, "a", 1}, {grantee::owner, {}, 16}}), std::string("\x02\x03\x01"
                                                                                       "a\x01\x04\x10",
                                                                                       7));
  EXPECT_TRUE(is_refused(bytes_of({{grantee::owner, {}, 16}, {grantee::user, "a", 1}}))) << "order";
  EXPECT_TRUE(is_refused(bytes_of({{grantee::user, "a", 1}, {grantee::user, "a", 2}}))) << "twice";
  EXPECT_TRUE(is_refused(bytes_of({{grantee::user, "", 1}})));
  EXPECT_TRUE(is_refused(bytes_of({{grantee::user, std::string(129, 'a'), 1}})));
  EXPECT_TRUE(is_refused(bytes_of({{grantee::owner, {}, 0}})));
  EXPECT_TRUE(is_refused(bytes_of({{grantee::owner, {}, 32}})));
  EXPECT_TRUE(is_refused(std::string("\x01\x06\x01", 3))) << "no such grantee";
  acl_grants many;
  for (int i = 0; i < 50; ++i) add_grant(many, grantee::user, "u" + std::to_string(i), 3);
  EXPECT_FALSE(is_refused(bytes_of(many)));
  add_grant(many, grantee::owner, {}, 1);
  EXPECT_TRUE(is_refused(bytes_of(many))) << "101 grants";
}

TEST(access_list, tells_by_which_grantee_a_sender_holds_what) {
  const auto list = list_of({{grantee::all_users, {}, permission::read},
                             {grantee::authenticated_users, {}, permission::write},
                             {grantee::user, "a", permission::full_control},
                             {grantee::owner, {}, permission::write_acp}});
  const auto nobody = held_by(list, {});
  EXPECT_EQ(nobody.as_anybody, permission::read);
  EXPECT_EQ(nobody.as_signer, 0);
  EXPECT_EQ(nobody.as_user, 0);
  const auto other = held_by(list, {true, "b"});
  EXPECT_EQ(other.as_signer, permission::write);
  EXPECT_EQ(other.as_user, 0);
  EXPECT_EQ(held_by(list, {true, "a"}).as_user, permission::all);
  EXPECT_EQ(held_by(list, {true, "cairn"}).as_user, 0) << "the owner is not granted anything by this";
  const auto owner = held_by(list, {true, "b", true});
  EXPECT_EQ(owner.as_user, permission::write_acp | permission::read_acp) << "which an owner always has";
}

TEST(access_list, of_an_object_is_kept_as_its_owners) {
  const auto given = list_of({{grantee::user, "a", permission::read | permission::full_control},
                              {grantee::user, "b", permission::read},
                              {grantee::bucket_owner, {}, permission::read}});
  EXPECT_TRUE(names_others(given));
  EXPECT_TRUE(names_bucket_owner(given));
  EXPECT_EQ(of_owner(given, "a"), list_of({{grantee::user, "b", permission::read},
                                           {grantee::owner, {}, permission::full_control},
                                           {grantee::bucket_owner, {}, permission::read}}));
  EXPECT_EQ(header_text(of_owner(given, "a"), permission::full_control, "a"), "id=a");
  EXPECT_EQ(header_text(of_owner(given, "a"), permission::read, "a"), "id=b, id=cairn");
  EXPECT_EQ(of_owner(given, ""), list_of({{grantee::user, "a", permission::read | permission::full_control},
                                          {grantee::user, "b", permission::read},
                                          {grantee::owner, {}, permission::read}}));
  EXPECT_FALSE(names_others(bucket_owner_full_control()));
  EXPECT_FALSE(names_bucket_owner({}));
  EXPECT_EQ(of_owner(bucket_owner_full_control(), ""), list_of({{grantee::owner, {}, permission::full_control}}));
}

TEST(access_list, has_the_name_of_the_canned_list_that_it_is) {
  EXPECT_EQ(canned_name(public_read_write()), "public-read-write");
  EXPECT_EQ(canned_name(bucket_owner_full_control()), "bucket-owner-full-control");
  const acl_grant own{grantee::owner, {}, permission::full_control};
  EXPECT_EQ(canned_name({{grantee::authenticated_users, {}, permission::read}, own}), "authenticated-read");
  EXPECT_EQ(canned_name({own, {grantee::bucket_owner, {}, permission::read}}), "bucket-owner-read");
  EXPECT_EQ(canned_name({own, {grantee::bucket_owner, {}, permission::write}}), "");
}

TEST(access_list, allows_what_s3_says) {
  const auto need = [](action a, std::uint8_t permission, bool of_object) {
    const auto said = acl_need_of(a);
    EXPECT_EQ(said.permission, permission) << to_string(a);
    EXPECT_EQ(said.of_object, of_object) << to_string(a);
  };
  need(action::list_bucket, permission::read, false);
  need(action::list_bucket_versions, permission::read, false);
  need(action::put_object, permission::write, false);
  need(action::delete_object, permission::write, false);
  need(action::get_bucket_acl, permission::read_acp, false);
  need(action::put_bucket_acl, permission::write_acp, false);
  need(action::get_object_version, permission::read, true);
  need(action::get_object_acl, permission::read_acp, true);
  need(action::put_object_version_acl, permission::write_acp, true);
  for (const auto none : {action::delete_object_version, action::get_object_tagging, action::put_object_tagging,
                          action::delete_bucket, action::put_bucket_policy, action::create_bucket})
    need(none, 0, false);
}

} // namespace cairn::storage::policy::access_list_test
