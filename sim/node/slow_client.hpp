// A client that downloads: a socket that takes writes slowly, acknowledges several at once, or closes. Checks that
// writes are numbered in order, that the bytes are the planned ones when the socket takes them (not only when they were
// queued), that the queue respects the window, and that nothing follows the last call.
#pragma once

#include "actors/protocol/node.hpp"
#include "sim/world/checks.hpp"
#include "sim/world/world.hpp"

#include <deque>

namespace cairn::sim {

struct client_habits {
  microseconds take_min{0}, take_max{0}; // time that the socket takes per write
  double stalls = 0;                     // probability that the socket waits up to stall_max before a write
  microseconds stall_max{0};
  bool acknowledges_together = false;              // one written_atom for several writes
  std::optional<std::uint64_t> leaves_after_bytes; // the client closes the connection then
};

enum class download_end : std::uint8_t { running, finished, failed, aborted, gone };

class slow_client final : public actors::download_client, public std::enable_shared_from_this<slow_client> {
public:
  using planner = std::function<actors::download_plan(const storage::metadata::object_row&)>;
  using comparison = std::function<bool(const storage::metadata::object_row&, std::uint64_t offset, bytes_view)>;

  // `same`: whether these are the object's bytes at this offset.
  slow_client(world& w, checks& c, client_habits habits, std::size_t queue_max, planner plan, comparison same);
  void attach(actors::streamer_actor streamer) { streamer_ = std::move(streamer); }
  void leave(); // closes the connection now

  download_end end() const noexcept { return end_; }
  const error& reason() const noexcept { return reason_; }
  std::size_t queued() const noexcept { return queue_.size(); }
  std::uint64_t taken_bytes() const noexcept { return taken_bytes_; }
  const std::optional<storage::metadata::object_row>& row() const noexcept { return row_; }

  actors::download_plan plan(const actors::found_object& object) override;
  void fail(const error& reason) override;
  void write(std::uint64_t number, std::string text, slice bytes) override;
  void finish() override;
  void abort(const error& reason) override;

private:
  struct queued_write {
    std::uint64_t number;
    std::string text;
    slice bytes;
  };
  void schedule_take();
  void take();
  void verify(bytes_view bytes);
  void last_call(download_end how);

  world& w_;
  checks& checks_;
  const client_habits habits_;
  const std::size_t queue_max_;
  planner plan_;
  comparison same_;
  actors::streamer_actor streamer_;
  std::optional<storage::metadata::object_row> row_;
  std::deque<std::variant<std::string, actors::byte_range>> expected_;
  std::deque<queued_write> queue_;
  bool taking_ = false;
  std::uint64_t next_number_ = 0, taken_bytes_ = 0;
  download_end end_ = download_end::running;
  error reason_;
};

} // namespace cairn::sim
