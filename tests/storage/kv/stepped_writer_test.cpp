#include "storage/kv/stepped_writer.hpp"

#include <gtest/gtest.h>

namespace cairn::storage::stepped_writer_test {

class stepped_writer_test : public testing::Test {
protected:
  stepped_writer::begin_function begins() {
    return [this]() -> result<std::unique_ptr<kv_writer>> {
      if (++begun_ > begins_max_) return error{errc::no_space, "as the test wants it"};
      return engine_->begin_write();
    };
  }
  std::uint64_t rows() { return (*engine_->begin_read())->entries(0); }

  std::unique_ptr<kv_engine> engine_ = make_memory_kv(1);
  std::size_t begun_ = 0, begins_max_ = 1000;
};

TEST_F(stepped_writer_test, commits_after_every_step) {
  stepped_writer writer{begins(), 100};
  for (char c = 'a'; c <= 'z'; ++c) writer.put(0, std::string(1, c), std::string(29, c));
  EXPECT_EQ(rows(), 24u) << "four rows per step";
  ASSERT_TRUE(writer.commit());
  EXPECT_EQ(rows(), 26u);
  EXPECT_EQ(begun_, 7u);
}

TEST_F(stepped_writer_test, reports_a_failure_between_two_steps) {
  begins_max_ = 2;
  stepped_writer writer{begins(), 100};
  for (char c = 'a'; c <= 'z'; ++c) writer.put(0, std::string(1, c), std::string(29, c));
  EXPECT_EQ(writer.status().error(), errc::no_space);
  EXPECT_EQ(writer.commit().error(), errc::no_space);
  EXPECT_EQ(rows(), 8u);
}

TEST_F(stepped_writer_test, reports_that_it_could_not_begin) {
  begins_max_ = 0;
  stepped_writer writer{begins()};
  EXPECT_EQ(writer.status().error(), errc::no_space);
  EXPECT_EQ(writer.commit().error(), errc::no_space);
}

} // namespace cairn::storage::stepped_writer_test
