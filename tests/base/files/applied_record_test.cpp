#include "base/files/applied_record.hpp"

#include "base/files/memory_file_system.hpp"
#include "base/files/small_file.hpp"

#include <gtest/gtest.h>

namespace cairn::applied_record_test {

struct applied_record_test : testing::Test {
  applied_record_test() { files.make_directories("/data").value(); }
  result<log_index> load(uuid cluster = {7}) { return load_applied_record(files, "/data", cluster); }
  memory_file_system files;
};

TEST_F(applied_record_test, is_what_was_saved_last_for_this_cluster) {
  EXPECT_EQ(load().value(), 0u) << "no file";
  for (const log_index applied : {log_index{3}, ~log_index{0}, log_index{12}}) {
    ASSERT_TRUE(save_applied_record(files, "/data", uuid{7}, applied));
    EXPECT_EQ(load().value(), applied);
  }
  EXPECT_EQ(load(uuid{8}).value(), 0u) << "the node joined another cluster since";
}

TEST_F(applied_record_test, is_refused_when_it_is_not_one) {
  const auto id = to_string(uuid{7});
  for (const auto& text :
       {std::string{}, std::string{"cairn-applied 1 \n"}, "cairn-applied 1 " + id + "\n",
        "cairn-applied 1 " + id + " \n", "cairn-applied 1 " + id + " 12", "cairn-applied 2 " + id + " 12\n",
        "cairn-applied 1 " + id + " 12x\n", "cairn-applied 1 " + id + " -1\n"}) {
    ASSERT_TRUE(replace_small_file(files, "/data/applied", text));
    EXPECT_EQ(load().error(), errc::corrupt) << text;
  }
}

TEST(applied_record_pace, is_every_five_seconds_while_there_is_something_new) {
  using namespace std::chrono_literals;
  applied_record_pace pace{5};
  const steady_time start{1000s};
  int kept = 0;
  for (int second = 0; second < 120; ++second) kept += pace.due(5 + log_index(second), start + second * 1s);
  EXPECT_EQ(kept, 24);
  EXPECT_TRUE(pace.due(124, start + 1h));
  EXPECT_FALSE(pace.due(124, start + 2h)) << "it is kept";
}

} // namespace cairn::applied_record_test
