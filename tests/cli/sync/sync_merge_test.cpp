#include "cli/sync/sync_merge.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::sync_merge_test {

class fixed_listing : public item_listing {
public:
  explicit fixed_listing(std::vector<listed_item> items) : items_(std::move(items)) {}
  result<std::optional<listed_item>> next() override {
    if (next_ == fails_at) return error{errc::connection_lost, "the listing broke"};
    if (next_ == items_.size()) return std::optional<listed_item>{};
    return std::optional(items_[next_++]);
  }
  std::size_t fails_at = SIZE_MAX;

private:
  std::vector<listed_item> items_;
  std::size_t next_ = 0;
};

listed_item listed_file(std::string name, std::uint64_t size = 1) {
  listed_item item;
  item.name = std::move(name);
  item.size_bytes = size;
  return item;
}

listed_item unreadable(std::string name, item_state state = item_state::failed) {
  auto item = listed_file(std::move(name));
  item.state = state;
  return item;
}

// "+a" transfer, "=a" compare, "-a" remove, "!a" failed, "~a" skipped
std::string steps_of(sync_merge& merge) {
  std::string text;
  for (;;) {
    const auto step = merge.next();
    if (!step) return text + " broke";
    if (!*step) return text;
    const auto& name = (*step)->what == sync_step::kind::remove ? (*step)->target.name : (*step)->source.name;
    text += (text.empty() ? "" : " ") + std::string(1, "+=-!~"[static_cast<int>((*step)->what)]) + name;
  }
}

std::string steps(std::vector<listed_item> source, std::vector<listed_item> target, bool remove,
                  const name_filter& filter = {}) {
  fixed_listing from(std::move(source)), to(std::move(target));
  sync_merge merge(from, &to, filter, remove);
  return steps_of(merge);
}

TEST(sync_merge, transfers_what_is_missing_or_differs_in_size) {
  EXPECT_EQ(steps({listed_file("a"), listed_file("b"), listed_file("c", 2)},
                  {listed_file("b"), listed_file("c", 1), listed_file("d")}, false),
            "+a =b +c");
}

TEST(sync_merge, deletes_only_when_told_to) {
  EXPECT_EQ(steps({listed_file("b")}, {listed_file("a"), listed_file("b"), listed_file("c")}, true), "-a =b -c");
  EXPECT_EQ(steps({}, {listed_file("a")}, true), "-a");
  EXPECT_EQ(steps({}, {listed_file("a")}, false), "");
}

TEST(sync_merge, names_are_compared_as_bytes) {
  EXPECT_EQ(steps({listed_file("a-b"), listed_file("a/b"), listed_file("ab"), listed_file("\xC3\xBC")},
                  {listed_file("a-b"), listed_file("a/b"), listed_file("ab"), listed_file("\xC3\xBC")}, true),
            "=a-b =a/b =ab =\xC3\xBC");
}

TEST(sync_merge, what_is_excluded_is_neither_transferred_nor_deleted) {
  name_filter filter;
  filter.exclude("*.tmp");
  EXPECT_EQ(steps({listed_file("a.tmp"), listed_file("b")}, {listed_file("b"), listed_file("c.tmp"), listed_file("d")},
                  true, filter),
            "=b -d");
}

TEST(sync_merge, nothing_is_deleted_below_a_folder_that_could_not_be_read) {
  EXPECT_EQ(steps({listed_file("a"), unreadable("d/"), listed_file("z")},
                  {listed_file("d/x"), listed_file("d/y/z"), listed_file("dd"), listed_file("z")}, true),
            "+a !d/ -dd =z");
  EXPECT_EQ(steps({unreadable("a"), unreadable("l/", item_state::skipped)},
                  {listed_file("a"), listed_file("l/b"), listed_file("m")}, true),
            "!a ~l/ -m");
}

TEST(sync_merge, what_the_target_cannot_read_is_not_deleted) {
  EXPECT_EQ(steps({listed_file("b")}, {unreadable("a/"), listed_file("b"), unreadable("l", item_state::skipped)}, true),
            "!a/ =b");
  EXPECT_EQ(steps({listed_file("b")}, {unreadable("a/"), listed_file("b")}, false), "=b");
  EXPECT_EQ(steps({listed_file("b")}, {unreadable("b")}, true), "+b");
}

TEST(sync_merge, a_listing_that_breaks_ends_the_run_before_anything_else_is_deleted) {
  for (std::size_t n = 0; n < 3; ++n) {
    fixed_listing from({listed_file("a"), listed_file("b"), listed_file("c")}),
        to({listed_file("a"), listed_file("b"), listed_file("c"), listed_file("d")});
    from.fails_at = n;
    const name_filter all;
    sync_merge merge(from, &to, all, true);
    const auto text = steps_of(merge);
    EXPECT_TRUE(text.ends_with(" broke")) << text;
    EXPECT_EQ(text.find('-'), std::string::npos) << text;
  }
}

TEST(sync_merge, without_a_target_everything_is_transferred) {
  fixed_listing from({listed_file("a"), listed_file("b")});
  const name_filter all;
  sync_merge merge(from, nullptr, all, false);
  EXPECT_EQ(steps_of(merge), "+a +b");
}

} // namespace cairn::cli::sync_merge_test
