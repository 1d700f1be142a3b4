#include "net/logs/line_log.hpp"

#include "base/files/memory_file_system.hpp"

#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

#include <deque>

namespace cairn::net::line_log_test {

using namespace std::chrono_literals;

// Runs its jobs when the test says so.
class stepped_executor final : public executor {
public:
  using executor::post;
  result<void> post(steady_time, job work, const party_ptr&) override {
    if (stopped) return error{errc::stopping};
    jobs.push_back(std::move(work));
    return {};
  }
  std::size_t queued() const override { return jobs.size(); }
  std::chrono::nanoseconds longest_running() const override { return {}; }
  void stop() override {
    stopped = true;
    run(true);
  }
  void run(bool expired = false) {
    while (!jobs.empty()) {
      const auto next = std::move(jobs.front());
      jobs.pop_front();
      next(expired);
    }
  }
  std::deque<job> jobs;
  bool stopped = false;
};

struct stepped_clock final : clock {
  steady_time now() const override { return time; }
  wall_ms wall() const override { return 0; }
  steady_time time{1h};
};

class line_logs : public ::testing::Test {
protected:
  void SetUp() override { ASSERT_TRUE(files.make_directories("/log")); }
  void TearDown() override { log.reset(); }

  void open(bool durable = false) {
    auto opened =
        line_log::open(files, writer, time, metrics.audit, {.name = "audit log", .path = path, .durable = durable});
    ASSERT_TRUE(opened) << to_string(opened.error());
    log = std::move(*opened);
  }
  void append(const std::string& line) {
    log->append(line + "\n", [this, line](bool written) { told += line + (written ? "+" : "-"); });
  }
  std::string content(const std::string& name = path) {
    const auto opened = files.open(name, open_mode::read_only);
    if (!opened) return "?";
    std::string text((*opened)->size().value(), '?');
    const bytes_span into{reinterpret_cast<std::byte*>(text.data()), text.size()};
    EXPECT_TRUE((*opened)->read(0, std::span{&into, 1}));
    return text;
  }
  void fail(disk_operation what, errc how = errc::no_space) {
    files.set_fault([what, how](disk_operation operation, const std::string& name) -> std::optional<error> {
      if (operation == what && name == path) return error{how, "as planned"};
      return std::nullopt;
    });
  }
  void heal() {
    files.set_fault({});
    time.time += 2s;
  }

  inline static const std::string path = "/log/audit.log";
  memory_file_system files;
  stepped_executor writer;
  stepped_clock time;
  node_metrics metrics;
  std::shared_ptr<line_log> log;
  std::string told; // each line that was answered, with how
};

TEST_F(line_logs, tell_of_a_line_when_it_is_in_the_file_and_not_before) {
  open();
  append("a");
  EXPECT_EQ(told, "");
  EXPECT_EQ(content(), "");
  writer.run();
  EXPECT_EQ(told, "a+");
  EXPECT_EQ(content(), "a\n");
  EXPECT_EQ(metrics.audit.written, 1u);
}

TEST_F(line_logs, flush_once_for_all_lines_that_wait_and_before_they_are_told) {
  open(true);
  const auto before = files.flushes();
  for (const auto* line : {"a", "b", "c"}) append(line);
  EXPECT_EQ(writer.queued(), 1u);
  files.set_fault([this](disk_operation operation, const std::string&) -> std::optional<error> {
    if (operation == disk_operation::flush) {
      EXPECT_EQ(told, "");
    }
    return std::nullopt;
  });
  writer.run();
  EXPECT_EQ(files.flushes(), before + 1);
  EXPECT_EQ(told, "a+b+c+");
  EXPECT_EQ(content(), "a\nb\nc\n");
}

TEST_F(line_logs, append_to_what_an_earlier_process_wrote) {
  open();
  append("a");
  writer.run();
  open();
  append("b");
  writer.run();
  EXPECT_EQ(content(), "a\nb\n");
}

TEST_F(line_logs, begin_a_new_line_behind_one_that_a_crash_cut_off) {
  const auto f = files.open(path, open_mode::append);
  const auto half = std::as_bytes(std::span{"{\"half", 6});
  ASSERT_TRUE((*f)->write(0, std::span{&half, 1}));
  open();
  append("a");
  append("b");
  writer.run();
  append("c");
  writer.run();
  EXPECT_EQ(content(), "{\"half\na\nb\nc\n");
}

TEST_F(line_logs, refuse_while_the_file_cannot_be_written_and_lose_nothing) {
  for (const auto what : {disk_operation::write, disk_operation::flush}) {
    told.clear();
    open(true);
    const auto before = content();
    fail(what);
    EXPECT_TRUE(log->accepts());
    append("a");
    append("b");
    writer.run();
    EXPECT_EQ(told, "a-b-");
    EXPECT_EQ(content(), before) << "as if nothing had been written";
    EXPECT_FALSE(log->accepts());
    EXPECT_NE(log->problem(), "");
    append("c"); // was running when the file failed
    writer.run();
    EXPECT_EQ(told, "a-b-c-");
    heal();
    EXPECT_FALSE(log->accepts()) << "until it was tried";
    writer.run();
    EXPECT_TRUE(log->accepts());
    EXPECT_EQ(log->problem(), "");
    EXPECT_EQ(content(), before + "a\nb\nc\n");
    append("d");
    writer.run();
    EXPECT_EQ(told, "a-b-c-d+");
    EXPECT_EQ(content(), before + "a\nb\nc\nd\n");
  }
}

TEST_F(line_logs, are_tried_again_once_a_second_at_most) {
  open();
  fail(disk_operation::write);
  append("a");
  writer.run();
  time.time += 2s;
  EXPECT_FALSE(log->accepts());
  EXPECT_EQ(writer.queued(), 1u);
  writer.run();
  EXPECT_FALSE(log->accepts());
  EXPECT_EQ(writer.queued(), 0u) << "it was tried a moment ago";
  time.time += 2s;
  EXPECT_FALSE(log->accepts());
  EXPECT_EQ(writer.queued(), 1u);
}

TEST_F(line_logs, refuse_when_too_many_lines_wait_for_the_disk) {
  open();
  const std::string line(1 << 20, 'x');
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(log->accepts());
    append(line);
  }
  EXPECT_FALSE(log->accepts());
  EXPECT_NE(log->problem().find("too slow"), std::string::npos);
  writer.run();
  EXPECT_TRUE(log->accepts());
  EXPECT_EQ(log->problem(), "");
}

// Such as those of sign-ins, which are not refused while the disk hangs.
TEST_F(line_logs, that_nobody_waits_for_are_bounded_while_the_disk_does_not_answer) {
  open();
  const std::string line((1 << 20) - 1, 'x');
  for (int i = 0; i < 20; ++i) log->append(line + "\n", {});
  EXPECT_EQ(metrics.audit.lost, 4u);
  append("waited for");
  writer.run();
  EXPECT_EQ(metrics.audit.written, 17u);
  EXPECT_EQ(told, "waited for+");
}

TEST_F(line_logs, keep_a_bounded_number_of_lines_that_cannot_be_written) {
  open();
  fail(disk_operation::write);
  const std::string line((1 << 20) - 1, 'x');
  for (int i = 0; i < 70; ++i) append(line);
  writer.run();
  EXPECT_EQ(metrics.audit.lost, 6u);
  heal();
  log->accepts();
  writer.run();
  EXPECT_EQ(content().size(), 64u << 20);
  EXPECT_EQ(metrics.audit.written, 64u);
}

TEST_F(line_logs, keep_as_much_as_their_owner_says) {
  auto opened =
      line_log::open(files, writer, time, metrics.access, {.name = "access log", .path = path, .kept_bytes_max = 10});
  ASSERT_TRUE(opened);
  log = std::move(*opened);
  fail(disk_operation::write);
  for (const auto* line : {"first", "other", "third"}) append(line);
  writer.run();
  EXPECT_EQ(metrics.access.lost, 2u);
  EXPECT_FALSE(log->accepts());
  heal();
  EXPECT_FALSE(log->accepts());
  writer.run();
  EXPECT_TRUE(log->accepts());
  EXPECT_EQ(content(), "first\n");
  EXPECT_EQ(metrics.access.written, 1u);
}

TEST_F(line_logs, write_to_a_new_file_after_the_old_one_was_renamed) {
  open(true);
  append("a");
  writer.run();
  ASSERT_TRUE(files.rename(path, "/log/audit.log.1"));
  append("b"); // waits when the signal comes: either file may have it
  log->reopen();
  writer.run();
  append("c");
  writer.run();
  EXPECT_EQ(content("/log/audit.log.1"), "a\n");
  EXPECT_EQ(content(), "b\nc\n");
  EXPECT_EQ(told, "a+b+c+");
}

TEST_F(line_logs, that_are_durable_have_after_a_power_loss_what_was_told_also_in_files_that_were_new) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    seeded_random random{seed};
    told.clear();
    open(true);
    append("a");
    writer.run();
    ASSERT_TRUE(files.rename(path, "/log/audit.log.1"));
    log->reopen();
    append("b");
    writer.run();
    EXPECT_EQ(told, "a+b+");
    log.reset();
    files.crash(random);
    EXPECT_EQ(content("/log/audit.log.1"), "a\n") << seed;
    EXPECT_EQ(content(), "b\n") << seed;
    ASSERT_TRUE(files.remove(path));
    ASSERT_TRUE(files.remove("/log/audit.log.1"));
  }
}

TEST_F(line_logs, begin_a_new_line_behind_one_that_a_failed_write_left_half) {
  open(true);
  append("a");
  writer.run();
  files.set_fault([](disk_operation operation, const std::string& name) -> std::optional<error> {
    if (name != path || (operation != disk_operation::flush && operation != disk_operation::truncate))
      return std::nullopt;
    return error{errc::io_error, "as planned"};
  });
  append("lost");
  writer.run();
  EXPECT_EQ(told, "a+lost-");
  heal();
  const auto half = files.open(path, open_mode::read_write);
  ASSERT_TRUE((*half)->truncate(content().size() - 3)); // what the disk has of it
  EXPECT_FALSE(log->accepts());
  writer.run();
  EXPECT_TRUE(log->accepts());
  EXPECT_EQ(content(), "a\nlo\nlost\n");
}

TEST_F(line_logs, stay_with_the_old_file_when_a_new_one_cannot_be_opened) {
  open();
  append("a");
  writer.run();
  fail(disk_operation::open, errc::io_error);
  log->reopen();
  append("b");
  writer.run();
  EXPECT_EQ(told, "a+b+");
  files.set_fault({});
  EXPECT_EQ(content(), "a\nb\n");
}

TEST_F(line_logs, refuse_while_the_disk_does_not_answer) {
  open();
  files.set_fault([this](disk_operation operation, const std::string&) -> std::optional<error> {
    if (operation != disk_operation::write) return std::nullopt;
    EXPECT_TRUE(log->accepts());
    time.time += 11s; // passes within the call
    EXPECT_FALSE(log->accepts());
    EXPECT_NE(log->problem().find("does not answer"), std::string::npos);
    return std::nullopt;
  });
  append("a");
  writer.run();
  EXPECT_TRUE(log->accepts());
}

TEST_F(line_logs, answer_each_line_also_when_the_node_stops) {
  open();
  append("a");
  writer.stop();
  append("b");
  EXPECT_EQ(told, "a-b-");
}

TEST_F(line_logs, do_not_open_where_no_file_can_be) {
  const auto opened =
      line_log::open(files, writer, time, metrics.audit, {.name = "audit log", .path = "/nowhere/audit.log"});
  EXPECT_FALSE(opened);
}

} // namespace cairn::net::line_log_test
