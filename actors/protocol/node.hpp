// What the HTTP layer needs of a node's actors: the handles and limits of a download or upload, how to begin one, and
// how a thread outside the actor system asks one of them. Filled in by actors/runtime/storage_node.cpp, and by the
// simulator, which spawns the same actors.
#pragma once

#include "actors/protocol/errors.hpp"
#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/ports.hpp"
#include "base/execution/executor.hpp"
#include "base/metrics.hpp"
#include "base/secrets/key_ring.hpp"
#include "config/config.hpp"

#include <memory>

namespace cairn::actors {

class chunk_cache;  // actors/chunks/chunk_cache.hpp
class chunk_router; // actors/chunks/chunk_router.hpp

// What a download or upload needs. Copied into each streamer and ingest.
struct services {
  caf::actor_system* system = nullptr;
  metadata_actor metadata;
  std::shared_ptr<const chunk_router> stores; // this node's disks and its peers
  std::shared_ptr<buffer_pool> buffers;
  std::shared_ptr<chunk_cache> cache; // of downloads; null: none
  std::shared_ptr<executor> digests;  // digests of bodies, too long for the socket threads
  node_metrics* metrics = nullptr;
  const cairn::clock* clock = nullptr;
  std::shared_ptr<const secrets::key_ring> sealing; // of secrets of access keys; null: they are stored in clear
  std::uint32_t window_min = 2, window_max = 8, upload_window = 32; // chunks
  std::uint32_t chunk_size = 1 << 20, inline_max = 4096;            // bytes
  std::uint64_t object_size_max = 5ull << 40;
  std::chrono::milliseconds memory_wait{2000};         // for a stream's first buffer; then slow_down
  std::chrono::milliseconds memory_wait_midway{60000}; // for a later one
};

// Begins a GET or HEAD. The streamer keeps `client` until its last call to the client.
streamer_actor start_download(const services& s, object_name object, std::shared_ptr<download_client> client);
// Begins a PUT.
ingest_actor start_upload(const services& s, put_request request, std::shared_ptr<upload_client> client);

// One request from outside the actor system (a socket thread): spawns a one-shot actor. `answer` is called on an actor
// thread and may only post. The request has no timeout: the metadata actor and the admin service answer every request
// within their own deadlines (interfaces.hpp), so an answered request leaves no timer behind.
template <class Answer, class Actor, class... Message>
void ask_actor(caf::actor_system& system, Actor target, std::function<void(result<Answer>)> answer,
               Message... message) {
  auto ask = [target = std::move(target), answer = std::move(answer),
              message...](caf::event_based_actor* self) mutable {
    self->request(target, caf::infinite, std::move(message)...)
        .then([answer](Answer& value) { answer(std::move(value)); },
              [answer](caf::error& reason) { answer(from_caf(reason)); });
  };
  system.spawn(std::move(ask));
}

template <class Answer, class... Message>
void ask_metadata(const services& s, std::function<void(result<Answer>)> answer, Message... message) {
  ask_actor<Answer>(*s.system, s.metadata, std::move(answer), std::move(message)...);
}

} // namespace cairn::actors
