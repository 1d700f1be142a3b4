// A client that uploads pattern(content): a socket that fills granted buffers slowly, or closes. Checks that grants
// stay within the window and are large enough, and that nothing follows the last call.
#pragma once

#include "actors/protocol/node.hpp"
#include "sim/world/checks.hpp"
#include "sim/world/world.hpp"

#include <deque>

namespace cairn::sim {

struct uploader_habits {
  microseconds fill_min{0}, fill_max{0}; // time that the socket takes per buffer
  bool end_at_once = false;              // an empty body ends before its grant arrives
  bool on_demand = false;                // requests each buffer when it has bytes for it
  std::optional<storage::metadata::md5_digest> content_md5;
  std::optional<std::uint64_t> leaves_after_bytes;
};

class slow_uploader final : public actors::upload_client, public std::enable_shared_from_this<slow_uploader> {
public:
  // nullopt: the client left, whatever the node did.
  using ending = std::function<void(std::optional<result<actors::put_outcome>>)>;

  slow_uploader(world& w, checks& c, uploader_habits habits, std::uint64_t content, std::uint64_t size,
                std::size_t grants_max, ending on_end);
  void attach(actors::ingest_actor ingest);
  const actors::ingest_actor& ingest() const noexcept { return ingest_; }
  void forget(); // the node crashed: further calls are ignored, buffers are dropped

  void grant(buffer_ptr empty, std::uint32_t fill_bytes) override;
  void upload_accepted() override;
  void done(result<actors::put_outcome> outcome) override;

private:
  struct granted {
    buffer_ptr empty;
    std::uint32_t fill_bytes;
  };
  microseconds delay();
  void request_later();
  void schedule_fill();
  void fill();
  void end_body();
  void leave();

  world& w_;
  checks& checks_;
  const uploader_habits habits_;
  const std::uint64_t content_, size_;
  const std::size_t grants_max_;
  ending on_end_; // null after the end
  actors::ingest_actor ingest_;
  std::deque<granted> grants_;
  std::uint64_t sent_ = 0;
  bool filling_ = false, body_ended_ = false;
};

} // namespace cairn::sim
