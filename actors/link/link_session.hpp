// The serving side of one connection: receives the payloads of requests into buffers of the service, passes complete
// requests on, sends their answers. Runs on the connection's strand; answers come from any thread.
//
// Bounds: requests in progress and their bytes (beyond: busy), payload bytes of the link (its credit; beyond: busy),
// unsent answers (beyond: the connection is closed, because its peer does not read them). A request whose deadline has
// passed is answered `timeout` without being executed.
#pragma once

#include "actors/link/link_registry.hpp"
#include "actors/link/service.hpp"
#include "actors/link/wire/connection.hpp"

#include <unordered_map>

namespace cairn::actors::link {

// What the sessions of a server share.
struct session_services {
  std::shared_ptr<link_service> service;
  std::shared_ptr<link_registry> registry;
  const cairn::clock& clock;
  std::function<hello()> own;                     // called for each connection
  std::function<result<void>(const peer&)> admit; // membership; may be empty
  std::uint32_t requests_max = 4096;              // per connection
  std::size_t request_bytes_max = 64 << 20;       // per connection, without payloads
};

class link_session final : public connection_user, public std::enable_shared_from_this<link_session> {
public:
  explicit link_session(std::shared_ptr<const session_services> services) : services_(std::move(services)) {}

  // Before the connection starts.
  void attach(std::weak_ptr<connection> c, link_registry::ticket t) {
    connection_ = std::move(c);
    ticket_ = t;
  }

  hello_rules rules() override;
  result<void> admit(const peer& other) override;
  void on_open(connection& c, const hello& theirs) override;
  result<slice> place(const frame_header& header, const std::string& meta) override;
  result<void> on_frame(const frame_header& header, std::string meta) override;
  void on_closed(const error& why) override;

private:
  // A request that is still arriving.
  struct arrival {
    frame_header header; // of its first frame
    std::string meta;
    slice payload; // no owner: received and discarded
    std::uint32_t received = 0;
    std::uint64_t charge = 0;
    steady_time deadline;
    std::optional<error> refused; // sent once the request has arrived completely
  };
  // A request in progress.
  struct running {
    std::uint64_t charge = 0;
    lane on{};
    std::uint32_t reply_max = 0;
    std::size_t bytes = 0;
    responder::flag gone;
  };

  arrival begin(const frame_header& header, const std::string& meta);
  std::optional<error> admission_error(const frame_header& header, const std::string& meta, arrival& a);
  result<slice> next_place(arrival& a, const frame_header& header);
  result<void> take_piece(const frame_header& header);
  result<void> deliver(std::uint64_t id, arrival a);
  void cancel(std::uint64_t id);
  void reply(std::uint64_t id, result<answer>&& a);
  void send_reply(std::uint64_t id, const running& r, result<answer>&& a);

  const std::shared_ptr<const session_services> services_;
  std::weak_ptr<connection> connection_;
  link_registry::ticket ticket_ = 0;
  peer other_;
  std::shared_ptr<peer_credit> credit_;
  std::unordered_map<std::uint64_t, arrival> arriving_; // on the strand

  std::mutex mutex_; // the rest
  std::unordered_map<std::uint64_t, running> running_;
  std::size_t running_bytes_ = 0;
};

} // namespace cairn::actors::link
