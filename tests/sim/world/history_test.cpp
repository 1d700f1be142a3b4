#include "sim/world/history.hpp"

#include <gtest/gtest.h>

namespace cairn::sim::history_test {

operation put(content_number value, operation::condition when = operation::condition::none, content_number match = 0) {
  return {.write = true, .value = value, .when = when, .match = match};
}
const operation get{};
const operation remove_it{.write = true};
constexpr auto if_absent = operation::condition::if_absent, if_match = operation::condition::if_match;

TEST(history, a_read_after_an_acknowledged_write_sees_it) {
  history h;
  h.done(h.begin("k", put(1)));
  const auto r = h.begin("k", get);
  h.seen(r, 1);
  EXPECT_FALSE(h.unexplained());
  h.seen(h.begin("k", get), absent);
  EXPECT_TRUE(h.unexplained());
}

TEST(history, a_read_beside_a_write_may_see_either_but_not_go_back) {
  for (const bool back : {false, true}) {
    history h;
    const auto w = h.begin("k", put(1));
    h.seen(h.begin("k", get), back ? 1 : 0);
    h.seen(h.begin("k", get), back ? 0 : 1);
    h.done(w);
    EXPECT_EQ(h.unexplained().has_value(), back);
  }
}

TEST(history, an_unknown_write_may_appear_late_or_never_but_only_once) {
  history h;
  h.unknown(h.begin("k", put(1)));
  h.done(h.begin("k", put(2)));
  h.seen(h.begin("k", get), 2);
  EXPECT_FALSE(h.unexplained());
  h.seen(h.begin("k", get), 1);
  EXPECT_FALSE(h.unexplained());
  h.seen(h.begin("k", get), 2);
  EXPECT_TRUE(h.unexplained());
}

TEST(history, a_write_that_had_no_effect_is_never_seen) {
  history h;
  h.nothing(h.begin("k", put(1)));
  h.seen(h.begin("k", get), 1);
  EXPECT_TRUE(h.unexplained());
}

TEST(history, of_two_writes_if_absent_at_once_one_is_refused) {
  for (const bool both : {false, true}) {
    history h;
    const auto a = h.begin("k", put(1, if_absent)), b = h.begin("k", put(2, if_absent));
    h.done(a);
    if (both)
      h.done(b);
    else
      h.refused(b);
    EXPECT_EQ(h.unexplained().has_value(), both);
  }
}

TEST(history, a_refusal_needs_a_moment_at_which_the_condition_did_not_hold) {
  history h;
  h.done(h.begin("k", put(1)));
  h.refused(h.begin("k", put(2, if_match, 7)));
  h.refused(h.begin("k", put(2, if_absent)));
  EXPECT_FALSE(h.unexplained());
  h.refused(h.begin("k", put(3, if_match, 1)));
  EXPECT_TRUE(h.unexplained());
}

TEST(history, checks_each_key_by_itself_and_accepts_deletes_of_absent_keys) {
  history h;
  h.done(h.begin("a", remove_it));
  h.done(h.begin("b", put(1)));
  h.seen(h.begin("a", get), absent);
  h.done(h.begin("a", remove_it));
  h.done(h.begin("a", put(2, if_absent)));
  h.seen(h.begin("b", get), 1);
  EXPECT_FALSE(h.unexplained());
}

TEST(history, an_open_write_when_all_is_over_may_have_happened) {
  history h;
  h.begin("k", put(1));
  h.begin("k", get);
  h.seen(h.begin("k", get), 1);
  EXPECT_FALSE(h.unexplained());
}

TEST(history, many_operations_at_once_are_decided) {
  history h;
  std::vector<history::number> open;
  for (content_number n = 1; n <= 12; ++n) open.push_back(h.begin("k", put(n)));
  h.seen(h.begin("k", get), 7);
  h.seen(h.begin("k", get), 3);
  for (const auto n : open) h.done(n);
  h.seen(h.begin("k", get), 9);
  EXPECT_FALSE(h.unexplained());
  h.seen(h.begin("k", get), 8);
  EXPECT_TRUE(h.unexplained());
  EXPECT_EQ(h.undecided(), 0u);
}

} // namespace cairn::sim::history_test
