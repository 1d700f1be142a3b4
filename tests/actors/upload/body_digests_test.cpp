#include "actors/upload/body_digests.hpp"

#include <gtest/gtest.h>

#include <cstring>

namespace cairn::actors::body_digests_test {

// Holds the jobs until the test runs them.
class held_executor final : public cairn::executor {
public:
  using executor::post;
  result<void> post(steady_time, job work, const party_ptr&) override {
    if (full) return error{errc::busy, "full"};
    jobs.push_back(std::move(work));
    return {};
  }
  std::size_t queued() const override { return jobs.size(); }
  std::chrono::nanoseconds longest_running() const override { return {}; }
  void stop() override {}

  void run(std::size_t which, bool expired = false) {
    const auto taken = std::move(jobs.at(which));
    jobs.erase(jobs.begin() + std::ptrdiff_t(which));
    taken(expired);
  }
  std::vector<job> jobs;
  bool full = false;
};

class noted_check final : public body_check {
public:
  result<void> update(bytes_view bytes) override {
    seen.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return seen.find('!') == seen.npos ? result<void>{} : error{errc::payload_mismatch, "!"};
  }
  result<void> finish() override { return seen.empty() ? error{errc::payload_mismatch, "empty"} : result<void>{}; }
  std::string seen;
};

class body_digests_test : public testing::Test, public body_digests::user {
protected:
  void start(std::shared_ptr<body_check> of) {
    digests.start({executor, &system_clock(), [](const std::function<void()>& run) { run(); }}, std::move(of), *this);
  }
  slice bytes(std::string_view text) {
    auto b = pool.try_acquire(4096, reservation::minimum);
    std::memcpy(b->data(), text.data(), text.size());
    return {std::move(b), 0, std::uint32_t(text.size())};
  }
  void digested(std::uint32_t first, std::uint32_t end) override { through.emplace_back(first, end); }
  void digest_failed(error why) override { failures.push_back(why.code); }

  static storage::metadata::md5_digest md5_of(std::string_view text) {
    md5 sum;
    sum.update(std::as_bytes(std::span{text}));
    return sum.finish();
  }

  buffer_pool pool{1 << 20};
  std::shared_ptr<held_executor> executor = std::make_shared<held_executor>();
  std::shared_ptr<noted_check> check = std::make_shared<noted_check>();
  std::vector<std::pair<std::uint32_t, std::uint32_t>> through;
  std::vector<errc> failures;
  body_digests digests;
};

using ranges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

TEST_F(body_digests_test, both_digests_have_a_job_of_their_own) {
  start(check);
  digests.add(bytes("one"));
  ASSERT_EQ(executor->jobs.size(), 2u);
  executor->run(1);
  EXPECT_EQ(check->seen, "one");
  EXPECT_EQ(digests.chunks(), 0u); // the MD5 is not through
  executor->run(0);
  EXPECT_EQ(through, (ranges{{0, 1}}));
  EXPECT_EQ(digests.finish().value(), md5_of("one"));
}

TEST_F(body_digests_test, a_slow_digest_holds_the_chunks_and_takes_several_at_once) {
  start(check);
  digests.add(bytes("a"));
  digests.add(bytes("b"));
  digests.add(bytes("c"));
  ASSERT_EQ(executor->jobs.size(), 2u); // one job a digest
  executor->run(1);
  executor->run(1); // the check again: b and c
  EXPECT_EQ(check->seen, "abc");
  EXPECT_TRUE(through.empty());
  EXPECT_EQ(pool.in_use_bytes(), 3u * 4096);
  executor->run(0);
  EXPECT_EQ(through, (ranges{{0, 1}}));
  EXPECT_EQ(pool.in_use_bytes(), 2u * 4096); // the next job of the MD5 has b and c
  executor->run(0);
  EXPECT_EQ(through, (ranges{{0, 1}, {1, 3}}));
  EXPECT_EQ(pool.in_use_bytes(), 0u);
  EXPECT_EQ(digests.finish().value(), md5_of("abc"));
}

TEST_F(body_digests_test, the_first_failure_is_told_once_and_lets_go_of_the_chunks) {
  start(check);
  digests.add(bytes("no!"));
  digests.add(bytes("more"));
  executor->run(1);
  EXPECT_EQ(failures, std::vector{errc::payload_mismatch});
  executor->run(0, true);
  digests.add(bytes("even more"));
  EXPECT_TRUE(executor->jobs.empty());
  EXPECT_EQ(failures.size(), 1u);
  EXPECT_EQ(pool.in_use_bytes(), 0u);
}

TEST_F(body_digests_test, a_job_that_got_no_time_is_a_timeout) {
  start(nullptr);
  digests.add(bytes("x"));
  ASSERT_EQ(executor->jobs.size(), 1u);
  executor->run(0, true);
  EXPECT_EQ(failures, std::vector{errc::timeout});
}

TEST_F(body_digests_test, a_full_executor_fails_the_upload) {
  start(check);
  executor->full = true;
  digests.add(bytes("x"));
  EXPECT_EQ(failures, std::vector{errc::busy});
}

TEST_F(body_digests_test, a_small_body_is_digested_at_once) {
  start(check);
  EXPECT_TRUE(digests.digest_now(std::as_bytes(std::span{std::string_view{"small"}})));
  EXPECT_TRUE(executor->jobs.empty());
  EXPECT_EQ(digests.finish().value(), md5_of("small"));
  body_digests empty;
  empty.start({executor, &system_clock(), {}}, std::make_shared<noted_check>(), *this);
  EXPECT_FALSE(empty.finish());
}

} // namespace cairn::actors::body_digests_test
