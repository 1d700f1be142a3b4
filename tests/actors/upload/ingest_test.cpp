#include "actors/chunks/chunk_router.hpp"
#include "actors/protocol/node.hpp"
#include "base/digest.hpp"
#include "tests/actors/protocol/scripted_actors.hpp"

#include <deque>

namespace cairn::actors::ingest_test {

namespace meta = storage::metadata;
using namespace std::chrono_literals;

constexpr std::uint32_t chunk_size = 64 << 10;

class noting_client final : public upload_client {
public:
  void grant(buffer_ptr empty, std::uint32_t fill_bytes) override {
    EXPECT_FALSE(outcome);
    EXPECT_GE(empty->capacity(), fill_bytes);
    grants.push_back({std::move(empty), fill_bytes});
    ++granted;
  }
  void upload_accepted() override { ++accepted; }
  void done(result<put_outcome> o) override {
    EXPECT_FALSE(outcome) << "two last calls";
    outcome = std::move(o);
    grants.clear();
  }
  std::optional<errc> refused() const {
    if (!outcome || *outcome) return std::nullopt;
    return outcome->error().code;
  }

  std::deque<std::pair<buffer_ptr, std::uint32_t>> grants;
  std::size_t granted = 0, accepted = 0;
  std::optional<result<put_outcome>> outcome;
};

// Refuses a body at its end.
class refusing_check final : public body_check {
public:
  result<void> update(bytes_view) override { return {}; }
  result<void> finish() override { return error{errc::payload_mismatch, "not what was signed"}; }
};

class ingest_test : public testing::Test {
protected:
  void SetUp() override {
    request.bucket = "b";
    request.key = "k";
    metadata.bucket.does = [](const std::string& name) -> result<meta::bucket_row> {
      EXPECT_EQ(name, "b");
      return meta::bucket_row{};
    };
    metadata.blob_id.does = []() -> result<blob_id> { return blob_id{7, 100}; };
    metadata.commits.does = [this](const meta::command& c) -> result<committed> {
      commits.push_back(c);
      if (!refusals.empty()) {
        const auto why = refusals.front();
        refusals.pop_front();
        if (why != errc{}) return error{why, "the test"};
      }
      committed done;
      done.result.version = 55;
      return done;
    };
  }
  void start() {
    std::vector<store_router::member> disks; // all are the scripted one
    for (std::uint8_t n = 1; n <= disk_count; ++n) disks.push_back({{{n}, 1.0}, {disk.actor()}, nullptr});
    s.system = &w.system();
    s.metadata = metadata.spawn(w.system());
    s.buffers = buffers;
    s.digests = std::make_shared<immediate_executor>();
    s.metrics = &metrics;
    s.clock = &w.clock();
    s.stores = std::make_shared<chunk_router>(std::make_shared<store_router>(std::move(disks)));
    s.chunk_size = chunk_size;
    s.inline_max = 100;
    s.upload_window = 4;
    s.object_size_max = 100 * chunk_size;
    ingest = start_upload(s, request, client);
    w.settle();
  }
  void TearDown() override {
    disk.write_all();
    w.run_for(10s);
    EXPECT_EQ(w.live_actors(), 2u) << "the ingest has ended; disk and metadata are left";
    EXPECT_EQ(metrics.active_uploads, 0u);
    caf::anon_send_exit(s.metadata, caf::exit_reason::kill);
    disk.stop();
    ingest = nullptr;
    client->grants.clear();
    s = {};
    w.settle();
    EXPECT_EQ(buffers->in_use_bytes(), 0u);
    w.forget_everything();
  }

  // The next bytes of the body into the oldest grant.
  void send(std::uint32_t bytes, char what = 'x') {
    ASSERT_FALSE(client->grants.empty());
    auto [buffer, room] = std::move(client->grants.front());
    client->grants.pop_front();
    std::fill_n(buffer->data(), bytes, std::byte(what));
    body.append(bytes, what);
    caf::anon_send(ingest, body_atom_v, slice{std::move(buffer), 0, bytes});
    w.settle();
  }
  void end_of_body(std::optional<meta::md5_digest> content_md5 = {}) {
    caf::anon_send(ingest, body_end_atom_v, body_end{content_md5});
    w.settle();
  }
  void leave() {
    caf::anon_send(ingest, gone_atom_v);
    w.settle();
  }
  meta::md5_digest md5_of_body() const {
    md5 sum;
    sum.update(std::as_bytes(std::span{body}));
    return sum.finish();
  }
  template <class Command>
  std::vector<Command> committed_of() const {
    std::vector<Command> out;
    for (const auto& c : commits)
      if (const auto* one = std::get_if<Command>(&c)) out.push_back(*one);
    return out;
  }

  sim::world w;
  node_metrics metrics;
  std::shared_ptr<buffer_pool> buffers = std::make_shared<buffer_pool>(64 << 20);
  scripted_metadata metadata;
  scripted_store disk{w};
  std::uint8_t disk_count = 1;
  std::shared_ptr<noting_client> client = std::make_shared<noting_client>();
  services s;
  put_request request;
  std::string body;
  std::vector<meta::command> commits;
  std::deque<errc> refusals; // of the next commits; errc{}: it is done
  ingest_actor ingest;
};

TEST_F(ingest_test, keeps_a_small_body_in_its_row_and_writes_no_chunk) {
  request.length = 5;
  start();
  send(5);
  end_of_body();
  ASSERT_TRUE(client->outcome && *client->outcome);
  EXPECT_EQ((*client->outcome)->version, 55u);
  EXPECT_EQ((*client->outcome)->size, 5u);
  EXPECT_EQ((*client->outcome)->etag.digest, md5_of_body());
  EXPECT_TRUE(disk.writes.empty());
  const auto puts = committed_of<meta::put_object>();
  ASSERT_EQ(puts.size(), 1u);
  EXPECT_EQ(std::get<std::string>(puts[0].content), "xxxxx");
}

TEST_F(ingest_test, commits_when_every_chunk_is_durable_and_not_before) {
  request.length = 3 * chunk_size - 1;
  start();
  send(chunk_size, 'a');
  send(chunk_size, 'b');
  send(chunk_size - 1, 'c');
  end_of_body();
  ASSERT_EQ(disk.writes.size(), 3u);
  for (std::uint32_t i = 0; i < 3; ++i) EXPECT_EQ(disk.writes[i].id, (chunk_id{{7, 100}, i}));
  EXPECT_EQ(disk.writes[2].length, chunk_size - 1);
  disk.written(2);
  disk.written(0);
  EXPECT_TRUE(commits.empty());
  disk.written(1);
  ASSERT_TRUE(client->outcome && *client->outcome);
  EXPECT_EQ((*client->outcome)->etag.digest, md5_of_body());
  const auto puts = committed_of<meta::put_object>();
  ASSERT_EQ(puts.size(), 1u);
  const auto& blob = std::get<meta::written_blob>(puts[0].content);
  EXPECT_EQ(blob.blob, (blob_id{7, 100}));
  EXPECT_EQ(blob.length, 3 * chunk_size - 1);
  EXPECT_TRUE(blob.unconfirmed.empty());
}

TEST_F(ingest_test, holds_no_more_buffers_than_its_window_while_the_disk_is_slow) {
  request.length = 20 * chunk_size;
  start();
  EXPECT_EQ(client->grants.size(), 2u) << "empty ones at the socket";
  for (int i = 0; i < 4; ++i) send(chunk_size);
  EXPECT_TRUE(client->grants.empty());
  EXPECT_EQ(disk.writes.size(), 4u);
  disk.written(0);
  EXPECT_EQ(client->grants.size(), 1u);
  leave();
}

TEST_F(ingest_test, a_bucket_that_is_not_there_is_told_before_a_byte_is_asked_for) {
  metadata.bucket.does = [](const std::string&) -> result<meta::bucket_row> { return error{errc::no_such_bucket}; };
  request.length = 5;
  start();
  EXPECT_EQ(client->refused(), errc::no_such_bucket);
  EXPECT_EQ(client->granted, 0u);
}

TEST_F(ingest_test, a_body_that_is_announced_too_large_is_refused_before_a_byte_is_asked_for) {
  request.length = 100 * chunk_size + 1;
  start();
  EXPECT_EQ(client->refused(), errc::too_large);
  EXPECT_EQ(client->granted, 0u);
}

TEST_F(ingest_test, a_body_that_is_announced_larger_than_the_quota_is_refused_before_a_byte_is_asked_for) {
  metadata.bucket.does = [](const std::string&) -> result<meta::bucket_row> {
    meta::bucket_row row;
    row.quota.bytes_max = chunk_size;
    return row;
  };
  request.length = chunk_size + 1;
  start();
  EXPECT_EQ(client->refused(), errc::quota_exceeded);
  EXPECT_EQ(client->granted, 0u);
  client = std::make_shared<noting_client>();
  request.length = chunk_size;
  caf::anon_send_exit(s.metadata, caf::exit_reason::kill);
  w.settle();
  start();
  EXPECT_FALSE(client->outcome) << "the commit decides";
  leave();
}

TEST_F(ingest_test, a_body_that_ends_early_is_not_stored) {
  request.length = 2 * chunk_size;
  start();
  send(chunk_size);
  end_of_body();
  EXPECT_EQ(client->refused(), errc::connection_lost);
  disk.write_all();
  EXPECT_TRUE(committed_of<meta::put_object>().empty());
  EXPECT_EQ(committed_of<meta::abandon_blob>().size(), 1u);
}

TEST_F(ingest_test, a_body_of_another_md5_is_not_stored) {
  request.length = chunk_size;
  start();
  send(chunk_size);
  end_of_body(meta::md5_digest{1});
  disk.write_all();
  EXPECT_EQ(client->refused(), errc::digest_mismatch);
  EXPECT_TRUE(committed_of<meta::put_object>().empty());
}

TEST_F(ingest_test, a_body_that_fails_its_check_is_not_stored) {
  request.check = std::make_shared<refusing_check>();
  request.length = 5;
  start();
  send(5);
  end_of_body();
  EXPECT_EQ(client->refused(), errc::payload_mismatch);
  EXPECT_TRUE(commits.empty());
}

TEST_F(ingest_test, abandons_the_blob_of_a_client_that_left_only_when_no_write_of_it_can_come_any_more) {
  request.length = 10 * chunk_size;
  start();
  send(chunk_size);
  send(chunk_size);
  leave();
  EXPECT_TRUE(commits.empty()) << "the disk still writes";
  disk.written(1);
  EXPECT_TRUE(commits.empty());
  disk.written(0);
  const auto abandoned = committed_of<meta::abandon_blob>();
  ASSERT_EQ(abandoned.size(), 1u);
  EXPECT_EQ(abandoned[0].blob, (blob_id{7, 100}));
  EXPECT_EQ(abandoned[0].chunks, 2u);
  EXPECT_FALSE(client->outcome) << "who left is not told";
  EXPECT_EQ(metrics.uploads_cancelled, 1u);
}

TEST_F(ingest_test, abandons_the_blob_when_a_chunk_can_not_be_written_and_says_why) {
  request.length = 2 * chunk_size;
  start();
  send(chunk_size);
  send(chunk_size);
  disk.refuse_write(0, errc::no_space);
  EXPECT_EQ(client->refused(), errc::no_space);
  disk.written(1);
  EXPECT_EQ(committed_of<meta::abandon_blob>().size(), 1u);
  EXPECT_TRUE(committed_of<meta::put_object>().empty());
}

TEST_F(ingest_test, writes_a_chunk_that_a_full_disk_refuses_to_the_next_one) {
  disk_count = 2;
  request.length = chunk_size;
  start();
  send(chunk_size);
  end_of_body();
  disk.refuse_write(0, errc::no_space);
  ASSERT_EQ(disk.writes.size(), 2u);
  EXPECT_EQ(disk.writes[1].id, disk.writes[0].id);
  EXPECT_FALSE(client->outcome);
  disk.written(1);
  ASSERT_TRUE(client->outcome);
  EXPECT_TRUE(*client->outcome);
  EXPECT_EQ(committed_of<meta::put_object>().size(), 1u);
}

TEST_F(ingest_test, says_that_there_is_no_space_when_all_disks_are_full) {
  disk_count = 2;
  request.length = chunk_size;
  start();
  send(chunk_size);
  end_of_body();
  disk.refuse_write(0, errc::no_space);
  disk.refuse_write(1, errc::no_space);
  EXPECT_EQ(client->refused(), errc::no_space);
  w.run_for(1s);
  EXPECT_EQ(disk.writes.size(), 2u);
}

TEST_F(ingest_test, passes_on_that_the_disk_of_a_standalone_node_is_busy_and_writes_nothing_twice) {
  request.length = chunk_size;
  start();
  send(chunk_size);
  end_of_body();
  disk.refuse_write(0, errc::busy);
  EXPECT_EQ(client->refused(), errc::busy);
  w.run_for(1s);
  EXPECT_EQ(disk.writes.size(), 1u);
}

TEST_F(ingest_test, does_not_abandon_what_a_refused_commit_has_buried) {
  for (const auto why : {errc::no_such_bucket, errc::precondition_failed, errc::session_ended, errc::access_denied,
                         errc::quota_exceeded}) {
    commits.clear();
    refusals = {why};
    client = std::make_shared<noting_client>();
    request.length = chunk_size;
    if (ingest) disk.writes.clear();
    start();
    send(chunk_size);
    end_of_body();
    disk.write_all();
    EXPECT_EQ(client->refused(), why);
    EXPECT_TRUE(committed_of<meta::abandon_blob>().empty()) << to_string(why);
    EXPECT_EQ(commits.size(), 1u);
    caf::anon_send_exit(s.metadata, caf::exit_reason::kill);
    w.settle();
  }
  client = std::make_shared<noting_client>();
  start(); // for the end of the test
  leave();
}

TEST_F(ingest_test, abandons_again_until_the_metadata_takes_it) {
  refusals = {errc::timeout, errc::timeout, errc::busy};
  request.length = chunk_size;
  start();
  send(chunk_size);
  end_of_body();
  disk.write_all();
  EXPECT_EQ(client->refused(), errc::timeout) << "whether it was committed is not known";
  w.run_for(5s);
  EXPECT_EQ(committed_of<meta::abandon_blob>().size(), 3u);
}

TEST_F(ingest_test, lets_the_log_decide_when_the_client_leaves_during_the_commit) {
  request.length = 5;
  metadata.commits.does = [this](const meta::command& c) -> result<committed> {
    commits.push_back(c);
    caf::anon_send(ingest, gone_atom_v); // arrives before the answer
    return committed{};
  };
  start();
  send(5);
  end_of_body();
  EXPECT_EQ(metrics.uploads_cancelled, 1u);
  EXPECT_EQ(commits.size(), 1u) << "nothing is abandoned";
}

TEST_F(ingest_test, grants_on_demand_one_buffer_for_each_that_is_wanted) {
  request.grants = put_request::granting::on_demand;
  request.length = 3 * chunk_size;
  start();
  EXPECT_EQ(client->accepted, 1u);
  EXPECT_EQ(client->granted, 0u) << "who sends nothing holds nothing";
  caf::anon_send(ingest, want_atom_v);
  w.settle();
  EXPECT_EQ(client->granted, 1u);
  send(chunk_size);
  EXPECT_EQ(client->granted, 1u);
  leave();
}

TEST_F(ingest_test, answers_slow_down_when_no_memory_comes_for_its_first_buffer) {
  buffers = std::make_shared<buffer_pool>(chunk_size);
  auto others = buffers->try_acquire(chunk_size, reservation::minimum);
  request.length = chunk_size;
  start();
  w.run_for(1900ms);
  EXPECT_FALSE(client->outcome);
  w.run_for(200ms);
  EXPECT_EQ(client->refused(), errc::slow_down);
  EXPECT_EQ(buffers->waiting(), 0u);
}

} // namespace cairn::actors::ingest_test
