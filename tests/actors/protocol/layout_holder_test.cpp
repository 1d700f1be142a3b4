#include "actors/protocol/layout_holder.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::layout_holder_test {

layout_ptr of_epoch(layout_epoch epoch) {
  auto l = std::make_shared<cluster::layout>();
  l->epoch = epoch;
  return l;
}

TEST(layout_holder, keeps_the_newest_layout) {
  const auto holder = std::make_shared<layout_holder>(node_number{3});
  EXPECT_EQ(holder->self(), 3u);
  EXPECT_EQ(holder->get(), nullptr);
  EXPECT_EQ(holder->settled_epoch(), 0u);
  holder->set(of_epoch(5));
  holder->set(of_epoch(4)); // read earlier, published later
  EXPECT_EQ(holder->get()->epoch, 5u);
}

TEST(layout_holder, has_the_addresses_that_members_report_until_the_layout_has_them) {
  const auto holder = std::make_shared<layout_holder>(node_number{0});
  const uuid unknown{1}, first{2}, second{3}, removed{4};
  holder->note_address(first, "new:1");
  EXPECT_TRUE(holder->moved()->empty()) << "no layout";
  auto l = std::make_shared<cluster::layout>();
  l->members.resize(4);
  for (node_number n = 0; n < 4; ++n) {
    l->members[n].number = n;
    l->members[n].id = uuid{std::uint8_t(n + 1)};
    l->members[n].address = "old:1";
  }
  l->members[0].id = uuid{9};
  l->members[3].state = cluster::member_state::removed;
  holder->set(l);
  holder->note_address(first, "new:1");
  const auto noted = holder->moved();
  EXPECT_EQ(*noted, (layout_holder::addresses{{1, "new:1"}}));
  holder->note_address(first, "new:1");
  holder->note_address(second, "old:1");
  holder->note_address(second, "0.0.0.0:9100");
  holder->note_address(removed, "new:1");
  holder->note_address(unknown, "new:1");
  EXPECT_EQ(holder->moved(), noted) << "nothing has changed";
  holder->note_address(second, "other:1");
  holder->note_address(first, "old:1");
  EXPECT_EQ(*holder->moved(), (layout_holder::addresses{{2, "other:1"}}));
  using namespace std::chrono_literals;
  holder->age_addresses(true, steady_time{1min});
  holder->age_addresses(true, steady_time{1min + 29s});
  EXPECT_FALSE(holder->moved()->empty()) << "the layout of the leader may not be here yet";
  holder->age_addresses(false, steady_time{2min});
  holder->age_addresses(true, steady_time{3min});
  EXPECT_FALSE(holder->moved()->empty()) << "it follows anew";
  holder->age_addresses(true, steady_time{3min + 30s});
  EXPECT_TRUE(holder->moved()->empty());
  EXPECT_EQ(holder->others(), (std::vector<uuid>{first, second, removed}));
}

TEST(layout_holder, an_upload_needs_a_layout) {
  const auto holder = std::make_shared<layout_holder>(node_number{0});
  EXPECT_EQ(holder->begin_upload(), nullptr);
}

TEST(layout_holder, an_epoch_is_settled_when_no_upload_began_under_an_older_one) {
  const auto holder = std::make_shared<layout_holder>(node_number{0});
  holder->set(of_epoch(5));
  EXPECT_EQ(holder->settled_epoch(), 5u);
  auto old = holder->begin_upload();
  auto copy = old;
  holder->set(of_epoch(6));
  auto fresh = holder->begin_upload();
  EXPECT_EQ(old->epoch, 5u);
  EXPECT_EQ(fresh->epoch, 6u);
  holder->set(of_epoch(9));
  EXPECT_EQ(holder->settled_epoch(), 5u);
  old.reset();
  EXPECT_EQ(holder->settled_epoch(), 5u) << "a copy is still in use";
  copy.reset();
  EXPECT_EQ(holder->settled_epoch(), 6u);
  fresh.reset();
  EXPECT_EQ(holder->settled_epoch(), 9u);
}

TEST(layout_holder, an_upload_may_outlive_everybody_else_who_knows_the_holder) {
  auto holder = std::make_shared<layout_holder>(node_number{0});
  holder->set(of_epoch(5));
  auto use = holder->begin_upload();
  holder.reset();
  EXPECT_EQ(use->epoch, 5u);
  use.reset();
}

} // namespace cairn::actors::layout_holder_test
