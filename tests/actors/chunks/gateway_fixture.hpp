// Downloads and uploads of one gateway over the nodes of chunk_fixture. The gateway is node 0; its metadata notes what
// is committed.
#pragma once

#include "actors/chunks/chunk_router.hpp"
#include "actors/download/sequencer.hpp"
#include "actors/protocol/node.hpp"
#include "tests/actors/chunks/chunk_fixture.hpp"

namespace cairn::actors {

namespace meta = storage::metadata;

struct noted_commits {
  std::mutex mutex;
  std::vector<command_box> all;

  template <class Command>
  std::vector<Command> of() {
    const std::lock_guard lock{mutex};
    std::vector<Command> out;
    for (const auto& c : all)
      if (const auto* found = std::get_if<Command>(c.get())) out.push_back(*found);
    return out;
  }
};

inline metadata_actor spawn_noting_metadata(caf::actor_system& system, std::shared_ptr<noted_commits> noted) {
  return system.spawn([noted](metadata_actor::pointer) -> metadata_actor::behavior_type {
    const auto no = [] { return to_caf({errc::unsupported, "not part of this test"}); };
    return {
        [no](lookup_atom, const object_name&) -> caf::result<found_object> { return no(); },
        [no](parts_atom, manifest_id, std::uint64_t) -> caf::result<part_list> { return no(); },
        [](bucket_atom, const bucket_name&) -> caf::result<meta::bucket_row> { return meta::bucket_row{}; },
        [no](list_atom, const meta::buckets_query&) -> caf::result<buckets_listing> { return no(); },
        [no](list_atom, const meta::listing_query&) -> caf::result<listing_page> { return no(); },
        [no](list_atom, const meta::uploads_query&) -> caf::result<uploads_listing> { return no(); },
        [no](parts_atom, const upload_query&) -> caf::result<found_upload> { return no(); },
        [no](parts_atom, const object_parts_query&) -> caf::result<found_parts> { return no(); },
        [no](access_atom, const access_query&) -> caf::result<found_access> { return no(); },
        [no](list_atom, const meta::versions_query&) -> caf::result<versions_listing> { return no(); },
        [no](list_atom, const keys_query&) -> caf::result<key_list> { return no(); },
        [no](list_atom, const storage::metadata::identity_query&) -> caf::result<found_identities> { return no(); },
        [noted](commit_atom, const command_box& c) -> caf::result<committed> {
          const std::lock_guard lock{noted->mutex};
          noted->all.push_back(c);
          return committed{};
        },
        [](new_blob_atom) -> caf::result<blob_id> {
          return blob_id{7, 100};
        },
        [no](buried_atom, std::uint32_t) -> caf::result<buried_list> { return no(); },
        [no](dead_atom, const chunk_ids&) -> caf::result<chunk_ids> { return no(); },
        [](peer_atom, const peer_call&) {},
        [no](status_atom) -> caf::result<log_status_ptr> { return no(); },
        [no](change_atom, const log_change&) -> caf::result<std::uint8_t> { return no(); },
        [no](transfer_atom, node_number) -> caf::result<std::uint8_t> { return no(); },
        [](completion& c) { c.run(); },
        [](tick_atom) {},
    };
  });
}

// Fills grants from a body as they come.
class body_sender final : public upload_client {
public:
  explicit body_sender(std::string body) : body_(std::move(body)) {}
  void attach(const ingest_actor& to) {
    const std::lock_guard lock{mutex_};
    to_ = to;
    pump();
  }
  void grant(buffer_ptr empty, std::uint32_t fill_bytes) override {
    const std::lock_guard lock{mutex_};
    grants_.emplace_back(std::move(empty), fill_bytes);
    if (to_) pump();
  }
  void done(result<put_outcome> outcome) override {
    {
      const std::lock_guard lock{mutex_};
      grants_.clear();
      over_ = true;
      to_ = nullptr;
    }
    outcome_.set_value(std::move(outcome));
  }
  result<put_outcome> wait() {
    auto f = outcome_.get_future();
    if (f.wait_for(30s) != std::future_status::ready) return error{errc::timeout, "the upload does not end"};
    return f.get();
  }

private:
  void pump() {
    while (!grants_.empty() && sent_ < body_.size()) {
      auto [buffer, fill] = std::move(grants_.front());
      grants_.pop_front();
      const auto n = std::uint32_t(std::min<std::size_t>(fill, body_.size() - sent_));
      std::memcpy(buffer->data(), body_.data() + sent_, n);
      sent_ += n;
      caf::anon_send(to_, body_atom_v, slice{std::move(buffer), 0, n});
      if (sent_ == body_.size()) caf::anon_send(to_, body_end_atom_v, body_end{});
    }
  }
  const std::string body_;
  std::mutex mutex_;
  ingest_actor to_;
  std::deque<std::pair<buffer_ptr, std::uint32_t>> grants_;
  std::size_t sent_ = 0;
  bool over_ = false;
  std::promise<result<put_outcome>> outcome_;
};

class gateway_fixture : public chunk_fixture {
public:
  ~gateway_fixture() override {
    if (services_.metadata) caf::anon_send_exit(services_.metadata, caf::exit_reason::kill);
    services_ = {};
    if (digests) digests->stop();
  }

protected:
  static constexpr std::uint32_t chunk_size = 64 << 10;
  static constexpr blob_id blob{7, 100};

  // After the nodes were added.
  void start_gateway(std::chrono::milliseconds read_timeout = 5s) {
    chunk_router::cluster_services parts{nodes[0]->layouts, network, [this, read_timeout](const uuid& id) {
                                           return remote(std::size_t(id[0]) - 1, [&](auto& p) {
                                             p.read_timeout = read_timeout;
                                             p.write_timeout = 3s;
                                             p.layouts = nodes[0]->layouts;
                                           });
                                         }};
    digests = make_thread_executor("digest", 1, 1000);
    services_.system = &system;
    services_.metadata = spawn_noting_metadata(system, noted);
    services_.stores = std::make_shared<chunk_router>(nodes[0]->router, std::move(parts));
    services_.buffers = buffers;
    services_.digests = digests;
    services_.metrics = &metrics;
    services_.clock = &system_clock();
    services_.chunk_size = chunk_size;
    services_.inline_max = 100;
    services_.upload_window = 8;
  }

  static std::string body_of(std::size_t bytes) {
    const auto made = payload_of(99, bytes);
    return {reinterpret_cast<const char*>(made.data()), made.size()};
  }
  result<put_outcome> upload(const std::string& body) {
    const auto client = std::make_shared<body_sender>(body);
    put_request request;
    request.bucket = "b";
    request.key = "k";
    request.length = body.size();
    client->attach(start_upload(services_, std::move(request), client));
    return client->wait();
  }
  // Puts the body's chunks onto a node's disk.
  void place(chunk_node& n, const std::string& body) {
    for (std::uint32_t i = 0; i * std::size_t(chunk_size) < body.size(); ++i) {
      const auto piece = std::string_view{body}.substr(i * std::size_t(chunk_size), chunk_size);
      const storage::chunk_write w{{blob, i}, {reinterpret_cast<const std::byte*>(piece.data()), piece.size()}};
      ASSERT_TRUE(n.store->write(std::span{&w, 1}).front());
    }
  }
  // Reads the whole body through a sequencer.
  result<std::string> download(std::size_t bytes) {
    meta::manifest_part part;
    part.number = 1;
    part.blob = blob;
    part.length = bytes;
    part.chunk_size = chunk_size;
    const auto parts = std::make_shared<const std::vector<meta::manifest_part>>(1, part);
    const auto promise = std::make_shared<std::promise<result<std::string>>>();
    auto future = promise->get_future();
    const auto s = services_;
    system.spawn([=](streamer_actor::pointer self) -> streamer_actor::behavior_type {
      const auto sequencer =
          spawn_sequencer(self, s, download_range_list{{byte_range{0, bytes}}, parts}, streamer_actor{self});
      const auto got = std::make_shared<std::string>();
      return {
          [=](slice_atom, std::uint64_t, const slice& piece) {
            const auto view = piece.view();
            got->append(reinterpret_cast<const char*>(view.data()), view.size());
            self->send(sequencer, credit_atom_v, 1u, false);
            if (got->size() < bytes) return;
            promise->set_value(*got);
            self->quit();
          },
          [=](failed_atom, const failure& f) {
            promise->set_value(f.reason);
            self->quit();
          },
          [](written_atom, std::uint64_t) {},
          [](gone_atom) {},
          [](parts_atom, std::uint64_t) {},
      };
    });
    if (future.wait_for(30s) != std::future_status::ready) return error{errc::timeout, "the download does not end"};
    return future.get();
  }

  std::shared_ptr<noted_commits> noted = std::make_shared<noted_commits>();
  std::shared_ptr<executor> digests;
  services services_;
};

} // namespace cairn::actors
