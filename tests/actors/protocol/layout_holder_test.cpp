#include "actors/protocol/layout_holder.hpp"

#include <gtest/gtest.h>

namespace cairn::actors {

namespace {

layout_ptr of_epoch(layout_epoch epoch) {
  auto l = std::make_shared<cluster::layout>();
  l->epoch = epoch;
  return l;
}

} // namespace

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
  EXPECT_TRUE(holder->moved()->empty());
  holder->note_address(2, "new:1");
  const auto first = holder->moved();
  EXPECT_EQ(*first, (layout_holder::addresses{{2, "new:1"}}));
  holder->note_address(2, "new:1");
  holder->note_address(1, "");
  EXPECT_EQ(holder->moved(), first) << "nothing has changed";
  holder->note_address(2, "newer:1");
  holder->note_address(1, "other:1");
  holder->note_address(2, "");
  EXPECT_EQ(*holder->moved(), (layout_holder::addresses{{1, "other:1"}}));
  holder->forget_addresses();
  EXPECT_TRUE(holder->moved()->empty());
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

} // namespace cairn::actors
