// Concurrent writer sessions of several nodes: commands of one session never affect blobs of another.
#include "tests/storage/metadata/store_fixture.hpp"

namespace cairn::storage::metadata::gateways_test {
class gateways : public store_test {
protected:
  struct gateway {
    session_id session = 0;
    std::uint64_t sequence = 0, blobs = 0;
  };
  gateway start(std::uint8_t node, std::uint64_t incarnation) { return {.session = begin({node}, incarnation)}; }
  blob_id draw(gateway& g) { return {.session = g.session, .number = ++g.blobs}; }
  put_object put(gateway& g, const std::string& key, const blob_id& blob) {
    put_object c = big(key, blob);
    c.stamp = {.session = g.session, .sequence = ++g.sequence, .acknowledged_below = g.sequence};
    return c;
  }
};

TEST_F(gateways, write_concurrently) {
  gateway a = start(10, 1), b = start(11, 1);
  EXPECT_NE(a.session, b.session);
  for (int i = 0; i < 20; ++i) {
    gateway& g = i % 2 == 0 ? a : b;
    EXPECT_EQ(refused(put(g, "key" + std::to_string(i), draw(g))), std::nullopt);
  }
  EXPECT_EQ(read()->list({.bucket = "files"})->objects.size(), 20u);
  EXPECT_EQ(begin({10}, 1), a.session);
  EXPECT_EQ(begin({11}, 1), b.session);
  EXPECT_TRUE(buried().empty());
}

TEST_F(gateways, with_the_same_sequence_numbers_do_not_answer_for_each_other) {
  gateway a = start(10, 1), b = start(11, 1);
  const auto first = run(put(a, "one", draw(a)));
  const auto second = run(put(b, "two", draw(b)));
  EXPECT_EQ(a.sequence, b.sequence);
  EXPECT_NE(first.version, second.version);
  EXPECT_TRUE(exists("one") && exists("two"));
}

TEST_F(gateways, lose_their_own_uncommitted_blobs_when_they_die_and_return) {
  gateway a = start(10, 1), b = start(11, 1);
  const blob_id committed_a = draw(a), lost_a = draw(a), committed_b = draw(b), open_b = draw(b);
  run(put(a, "a", committed_a));
  run(put(b, "b", committed_b));
  EXPECT_FALSE(is_dead(lost_a)) << "it may be committed at any moment";
  EXPECT_FALSE(is_dead(open_b));

  gateway again = start(10, 2);
  EXPECT_NE(again.session, a.session);
  EXPECT_TRUE(is_dead(lost_a));
  EXPECT_FALSE(is_dead(committed_a));
  EXPECT_FALSE(is_dead(committed_b));
  EXPECT_FALSE(is_dead(open_b)) << "the other gateway's session lives";
  EXPECT_FALSE(is_dead(draw(again)));

  // A commit that the first life had sent comes late.
  EXPECT_EQ(refused(put(a, "late", lost_a)), errc::session_ended);
  EXPECT_FALSE(exists("late"));
  ASSERT_EQ(buried().size(), 1u);
  EXPECT_EQ(buried()[0].blob, lost_a);
  // The other one and the second life go on.
  EXPECT_EQ(refused(put(b, "b2", open_b)), std::nullopt);
  EXPECT_EQ(refused(put(again, "a2", draw(again))), std::nullopt);
  EXPECT_EQ(buried().size(), 1u);
}

TEST_F(gateways, may_overwrite_and_delete_what_others_wrote) {
  gateway a = start(10, 1), b = start(11, 1);
  const blob_id first = draw(a), second = draw(b);
  run(put(a, "key", first));
  run(put(b, "key", second));
  ASSERT_EQ(buried().size(), 1u);
  EXPECT_EQ(buried()[0].blob, first);
  EXPECT_EQ(read()->parts(object("key").manifest, 0, 1)->at(0).blob, second);
  run(reap{.blobs = buried()});
  EXPECT_FALSE(is_dead(first)) << "its session may still have written more of it; when that ends it is";
  start(10, 2);
  EXPECT_TRUE(is_dead(first));
  EXPECT_FALSE(is_dead(second));
}

TEST_F(gateways, can_not_commit_or_abandon_each_others_blobs) {
  gateway a = start(10, 1), b = start(11, 1);
  const blob_id theirs = draw(b);
  EXPECT_EQ(refused(put(a, "key", theirs)), errc::invalid_argument);
  EXPECT_EQ(refused(abandon_blob{.session = a.session, .blob = theirs, .chunks = 6}), errc::invalid_argument);
  EXPECT_TRUE(buried().empty());
  EXPECT_EQ(refused(put(b, "key", theirs)), std::nullopt);
}

TEST_F(gateways, that_end_do_not_affect_the_rows_of_others) {
  gateway a = start(10, 1), b = start(11, 1);
  run(abandon_blob{.session = a.session, .blob = draw(a), .chunks = 1});
  const blob_id abandoned = draw(b);
  run(abandon_blob{.session = b.session, .blob = abandoned, .chunks = 1});
  run(put(b, "key", draw(b)));
  run(end_session{.session = a.session});
  while (run(free_manifests{.parts_max = 2}).more > 0) {
  }
  EXPECT_EQ(rows(table::abandoned), 1u);
  EXPECT_EQ(refused(put(b, "late", abandoned)), errc::blob_dead);
}

} // namespace cairn::storage::metadata::gateways_test
