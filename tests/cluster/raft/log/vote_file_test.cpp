#include "cluster/raft/log/vote_file.hpp"

#include "tests/cluster/raft/log/log_disk.hpp"

#include <set>

namespace cairn::cluster::raft::vote_file_test {

TEST(vote_file, survives_the_loss_of_either_copy_and_not_of_both) {
  for (const unsigned damaged : {0u, 1u, 2u}) {
    log_disk disk;
    ASSERT_TRUE(disk.open().begin(raft_core::first_state(1)));
    log_write w;
    for (term_t t = 2; t < 5; ++t) {
      w.vote = vote_record{t, 3};
      ASSERT_TRUE(disk.write(w));
    }
    if (damaged != 1) disk.flip("vote", 30);
    if (damaged != 0) disk.flip("vote", 4096 + 30);
    const auto back = disk.load();
    if (damaged == 2) {
      EXPECT_EQ(back.error(), errc::corrupt);
      continue;
    }
    ASSERT_TRUE(back);
    EXPECT_EQ(back->vote.term, 4u);
    EXPECT_TRUE(disk.log->check_vote()) << "both copies are good again";
  }
}

// Otherwise a crash may tear both copies at once, or lose both.
TEST(vote_file, flushes_each_copy_before_it_writes_the_other) {
  memory_file_system files;
  ASSERT_TRUE(files.make_directories(log_folder));
  vote_file votes{files, log_folder};
  ASSERT_TRUE(votes.create({1, 1}));
  std::vector<disk_operation> done;
  files.set_fault([&done](disk_operation o, const std::string&) {
    if (o == disk_operation::write || o == disk_operation::flush) done.push_back(o);
    return std::optional<error>{};
  });
  const std::vector each_flushed{disk_operation::write, disk_operation::flush, disk_operation::write,
                                 disk_operation::flush};
  ASSERT_TRUE(votes.open());
  EXPECT_EQ(done, each_flushed);
  done.clear();
  ASSERT_TRUE(votes.write({2, 1}));
  EXPECT_EQ(done, each_flushed);
}

TEST(vote_file, has_the_old_or_the_new_vote_after_a_crash_and_the_new_one_once_it_was_answered) {
  std::set<term_t> seen;
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    log_disk disk{seed};
    ASSERT_TRUE(disk.open().begin(raft_core::first_state(1)));
    log_write w;
    w.vote = vote_record{5, 2};
    ASSERT_TRUE(disk.write(w));
    w.vote = vote_record{6, 3};
    disk.fail_at(1 + seed % 5, errc::io_error, [](auto) { return true; });
    const bool answered = disk.write(w).has_value();
    disk.lose_power();
    const auto back = disk.load();
    ASSERT_TRUE(back) << seed << ": " << to_string(back.error());
    EXPECT_TRUE(back->vote.term == 6 ? back->vote.vote == 3
                                     : !answered && back->vote.term == 5 && back->vote.vote == 2);
    seen.insert(back->vote.term);
    disk.lose_power();
    EXPECT_EQ(disk.load()->vote.term, back->vote.term) << "what a start has seen stays";
  }
  EXPECT_EQ(seen.size(), 2u);
}

} // namespace cairn::cluster::raft::vote_file_test
