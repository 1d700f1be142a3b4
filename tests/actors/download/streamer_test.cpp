#include "actors/chunks/chunk_router.hpp"
#include "actors/protocol/node.hpp"
#include "tests/actors/protocol/scripted_actors.hpp"

namespace cairn::actors::streamer_test {

using namespace std::chrono_literals;

constexpr std::uint32_t chunk_size = block_size_bytes;

// The last call to a client; it gets one.
enum class end { none, finished, failed, aborted };

class noting_client final : public download_client {
public:
  struct noted_write {
    std::string text;
    std::uint32_t bytes = 0;
  };
  download_plan plan(const found_object&) override {
    EXPECT_EQ(planned++, 0);
    return wanted;
  }
  void fail(const error& reason) override { last(end::failed, reason); }
  void write(std::uint64_t number, std::string text, slice bytes) override {
    EXPECT_EQ(how, end::none);
    EXPECT_EQ(number, writes.size());
    writes.push_back({std::move(text), bytes.owner ? bytes.length : 0});
  }
  void finish() override { last(end::finished, {}); }
  void abort(const error& reason) override { last(end::aborted, reason); }

  download_plan wanted;
  int planned = 0;
  std::vector<noted_write> writes;
  end how = end::none;
  error why;

private:
  void last(end e, const error& reason) {
    EXPECT_EQ(how, end::none) << "two last calls";
    how = e;
    why = reason;
  }
};

class streamer_test : public testing::Test {
protected:
  // An object of so many chunks.
  void chunks_of_object(std::uint32_t n) {
    auto row = std::make_shared<storage::metadata::object_row>();
    row->size = std::uint64_t{n} * chunk_size;
    row->content = storage::metadata::content_kind::manifest;
    row->manifest = 9;
    storage::metadata::manifest_part part;
    part.blob = {7, 1};
    part.length = row->size;
    part.chunk_size = chunk_size;
    found.row = row;
    found.parts = std::make_shared<const std::vector<storage::metadata::manifest_part>>(1, part);
    found.hold = std::shared_ptr<void>(nullptr, [this](void*) { held = false; });
    held = true;
  }
  void bytes_of_object(const std::string& bytes) {
    auto row = std::make_shared<storage::metadata::object_row>();
    row->size = bytes.size();
    row->content = storage::metadata::content_kind::inline_bytes;
    found.row = row;
    found.inline_bytes = std::make_shared<const std::string>(bytes);
  }
  void start() {
    metadata.lookup.does = [this](const object_name& name) -> result<found_object> {
      EXPECT_EQ(name.key, "k");
      if (no_row) return *no_row;
      return std::exchange(found, {});
    };
    std::vector<store_router::member> disks{{{{1}, 1.0}, {disk.actor()}, nullptr}};
    s.system = &w.system();
    s.metadata = metadata.spawn(w.system());
    s.buffers = buffers;
    s.metrics = &metrics;
    s.clock = &w.clock();
    s.stores = std::make_shared<chunk_router>(std::make_shared<store_router>(std::move(disks)));
    s.window_min = s.window_max = 2;
    streamer = start_download(s, {"b", "k"}, client);
    w.settle();
  }
  void TearDown() override {
    if (client->how == end::none) caf::anon_send(streamer, gone_atom_v);
    w.settle();
    EXPECT_EQ(w.live_actors(), 2u) << "streamer and sequencer have ended; disk and metadata are left";
    EXPECT_EQ(metrics.active_downloads, 0u);
    EXPECT_FALSE(held) << "what it held may be reaped";
    caf::anon_send_exit(s.metadata, caf::exit_reason::kill);
    disk.stop();
    streamer = nullptr;
    s = {};
    w.settle();
    EXPECT_EQ(buffers->in_use_bytes(), 0u);
    w.forget_everything();
  }
  // The socket took everything up to and with this write.
  void written(std::uint64_t number) {
    caf::anon_send(streamer, written_atom_v, number);
    w.settle();
  }
  std::vector<std::string> texts() const {
    std::vector<std::string> out;
    for (const auto& one : client->writes) out.push_back(one.text);
    return out;
  }

  sim::world w;
  node_metrics metrics;
  std::shared_ptr<buffer_pool> buffers = std::make_shared<buffer_pool>(64 << 20);
  scripted_metadata metadata;
  scripted_store disk{w};
  std::shared_ptr<noting_client> client = std::make_shared<noting_client>();
  services s;
  found_object found;
  std::optional<error> no_row;
  bool held = false;
  streamer_actor streamer;
};

using strings = std::vector<std::string>;

TEST_F(streamer_test, sends_the_head_with_the_first_bytes_and_finishes_when_the_socket_took_the_last) {
  chunks_of_object(2);
  client->wanted = {"head", {byte_range{0, 2 * chunk_size}}};
  start();
  EXPECT_TRUE(client->writes.empty()) << "an error could still be answered";
  EXPECT_EQ(metrics.active_downloads, 1u);
  disk.answer_all();
  EXPECT_EQ(texts(), (strings{"head", ""}));
  EXPECT_EQ(client->writes[1].bytes, chunk_size);
  written(0);
  EXPECT_EQ(client->how, end::none);
  EXPECT_TRUE(held) << "a read of it may still be under way";
  written(1);
  EXPECT_EQ(client->how, end::finished);
}

TEST_F(streamer_test, answers_a_small_object_in_one_write_without_asking_a_disk) {
  bytes_of_object("0123456789");
  client->wanted = {"head ",
                    {std::string{"<"}, byte_range{2, 3}, std::string{"|"}, byte_range{9, 1}, std::string{">"}}};
  start();
  EXPECT_EQ(texts(), (strings{"head <234|9>"}));
  EXPECT_TRUE(disk.reads.empty());
  written(0);
  EXPECT_EQ(client->how, end::finished);
}

TEST_F(streamer_test, puts_what_stands_between_ranges_before_the_next_bytes_and_what_follows_into_a_write_of_its_own) {
  chunks_of_object(4);
  client->wanted = {"head",
                    {std::string{" a "}, byte_range{3 * chunk_size, chunk_size}, std::string{" b "}, byte_range{0, 0},
                     byte_range{0, chunk_size}, std::string{" c"}}};
  start();
  disk.answer_all();
  EXPECT_EQ(texts(), (strings{"head a ", " b ", " c"}));
  EXPECT_EQ(client->writes[2].bytes, 0u);
  written(2);
  EXPECT_EQ(client->how, end::finished);
}

TEST_F(streamer_test, an_answer_without_a_body_reads_nothing) {
  chunks_of_object(3);
  client->wanted = {"head", {}};
  start();
  EXPECT_EQ(texts(), (strings{"head"}));
  EXPECT_TRUE(disk.reads.empty());
  written(0);
  EXPECT_EQ(client->how, end::finished);
}

TEST_F(streamer_test, reads_ahead_no_further_than_its_window_whatever_the_socket_does) {
  chunks_of_object(10);
  client->wanted = {"head", {byte_range{0, 10 * chunk_size}}};
  start();
  disk.answer_all();
  EXPECT_EQ(disk.reads.size(), 2u);
  written(0);
  EXPECT_EQ(disk.reads.size(), 3u);
  disk.answer_all();
  written(2); // acknowledged together
  EXPECT_EQ(disk.reads.size(), 5u);
}

TEST_F(streamer_test, answers_why_there_is_no_object) {
  no_row = error{errc::no_such_key, "nothing there"};
  start();
  EXPECT_EQ(client->how, end::failed);
  EXPECT_EQ(client->why, errc::no_such_key);
  EXPECT_EQ(client->planned, 0);
}

TEST_F(streamer_test, answers_an_error_as_long_as_no_byte_was_sent) {
  chunks_of_object(2);
  client->wanted = {"head", {byte_range{0, 2 * chunk_size}}};
  start();
  disk.refuse(0, errc::not_found);
  EXPECT_EQ(client->how, end::failed);
  EXPECT_EQ(client->why, errc::chunk_lost);
  EXPECT_EQ(metrics.downloads_broken, 0u);
  disk.answer_all();
}

TEST_F(streamer_test, cuts_the_connection_when_bytes_were_sent_and_the_rest_can_not_be) {
  chunks_of_object(2);
  client->wanted = {"head", {byte_range{0, 2 * chunk_size}}};
  start();
  disk.answer(0);
  disk.refuse(1, errc::not_found);
  EXPECT_EQ(client->how, end::aborted);
  EXPECT_EQ(client->why, errc::chunk_lost);
  EXPECT_EQ(metrics.downloads_broken, 1u);
}

TEST_F(streamer_test, calls_a_client_that_is_gone_no_more) {
  chunks_of_object(4);
  client->wanted = {"head", {byte_range{0, 4 * chunk_size}}};
  start();
  disk.answer(0);
  caf::anon_send(streamer, gone_atom_v);
  w.settle();
  const auto before = client->writes.size();
  disk.answer_all();
  EXPECT_EQ(client->writes.size(), before);
  EXPECT_EQ(client->how, end::none);
  EXPECT_EQ(metrics.downloads_cancelled, 1u);
}

TEST_F(streamer_test, fetches_further_parts_of_a_long_manifest_and_fails_with_what_is_wrong_with_them) {
  chunks_of_object(2);
  auto part = found.parts->front();
  part.length = chunk_size; // the rest is on another page
  found.parts = std::make_shared<const std::vector<storage::metadata::manifest_part>>(1, part);
  client->wanted = {"head", {byte_range{0, 2 * chunk_size}}};
  std::vector<std::uint64_t> asked;
  metadata.parts.does = [&asked](manifest_id id, std::uint64_t from) -> result<part_list> {
    EXPECT_EQ(id, 9u);
    asked.push_back(from);
    return error{errc::io_error, "the page can't be read"};
  };
  start();
  EXPECT_EQ(asked, (std::vector<std::uint64_t>{chunk_size}));
  EXPECT_EQ(client->how, end::failed);
  EXPECT_EQ(client->why, errc::io_error);
  disk.answer_all();
}

} // namespace cairn::actors::streamer_test
