#include "actors/link/wire/stream.hpp"

#include "base/third_party/asio.hpp"

namespace cairn::actors::link {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

class plain final : public byte_stream {
public:
  explicit plain(link_socket socket) : socket_(std::move(socket)) {}

  void handshake(role, std::shared_ptr<stream_user> user) override {
    asio::post(socket_.get_executor(), [user = std::move(user)] { user->on_handshake({}); });
  }
  void read_some(std::span<std::byte> into, std::shared_ptr<stream_user> user) override {
    socket_.async_read_some(asio::mutable_buffer{into.data(), into.size()},
                            [user = std::move(user)](error_code failed, std::size_t n) { user->on_read(failed, n); });
  }
  void write(std::span<const asio::const_buffer> data, std::shared_ptr<stream_user> user) override {
    const reported_write condition{user.get()};
    asio::async_write(socket_, data, condition,
                      [user = std::move(user)](error_code failed, std::size_t) { user->on_written(failed); });
  }
  result<std::optional<uuid>> certified() override { return std::optional<uuid>{}; }
  link_socket& socket() override { return socket_; }

private:
  link_socket socket_;
};

} // namespace

std::unique_ptr<byte_stream> plain_stream(link_socket socket) {
  return std::make_unique<plain>(std::move(socket));
}

} // namespace cairn::actors::link
