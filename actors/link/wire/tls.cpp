#include "actors/link/wire/tls.hpp"

#include "base/files/small_file.hpp"
#include "base/sockets/certificates.hpp"
#include "base/sockets/tls_layer.hpp"
#include "base/third_party/asio_tls.hpp"

#include <atomic>

namespace cairn::actors::link {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;

namespace {

class tls final : public byte_stream {
public:
  tls(link_socket socket, sockets::handshake_steps steps, std::shared_ptr<ssl::context> context)
      : socket_(std::move(socket)), steps_(std::move(steps)), context_(std::move(context)) {}

  void handshake(role own, std::shared_ptr<stream_user> user) override {
    layer_ = sockets::make_tls_layer(socket_, std::move(context_),
                                     own == role::dialer ? sockets::tls_end::client : sockets::tls_end::server);
    layer_->handshake(std::move(steps_),
                      [user = std::move(user)](const error_code& failed, std::size_t) { user->on_handshake(failed); });
  }
  void read_some(std::span<std::byte> into, std::shared_ptr<stream_user> user) override {
    layer_->read_some(
        {into.data(), into.size()},
        [user = std::move(user)](const error_code& failed, std::size_t bytes) { user->on_read(failed, bytes); });
  }
  void write(std::span<const asio::const_buffer> data, std::shared_ptr<stream_user> user) override {
    auto* const told = user.get();
    layer_->write(
        data, [told](std::size_t) { told->on_progress(); },
        [user = std::move(user)](const error_code& failed, std::size_t) { user->on_written(failed); });
  }
  result<std::optional<uuid>> certified() override {
    const auto shown = layer_->peer_certificate();
    if (!shown) return error{errc::invalid_argument, "the peer showed no certificate"};
    auto named = certificates::node_of(shown.get());
    if (!named) return named.error();
    return std::optional<uuid>{*named};
  }
  link_socket& socket() override { return socket_; }

private:
  link_socket socket_;
  sockets::handshake_steps steps_;        // until the handshake begins
  std::shared_ptr<ssl::context> context_; // likewise
  std::unique_ptr<sockets::tls_layer> layer_;
};

class openssl_identity final : public tls_identity {
public:
  openssl_identity(std::shared_ptr<ssl::context> context, const uuid& node, wall_ms ends)
      : context_(std::move(context)), node_(node), ends_(ends) {}
  const uuid& node() const override { return node_; }
  wall_ms ends() const override { return ends_.load(); }
  std::unique_ptr<byte_stream> stream(link_socket socket, sockets::handshake_steps steps) const override {
    return std::make_unique<tls>(std::move(socket), std::move(steps), context_.load());
  }
  void take(const tls_identity& fresh) override {
    const auto& other = dynamic_cast<const openssl_identity&>(fresh);
    CAIRN_ASSERT(other.node_ == node_);
    context_.store(other.context_.load());
    ends_.store(other.ends_.load());
  }

private:
  std::atomic<std::shared_ptr<ssl::context>> context_; // a stream keeps the context with which it began
  const uuid node_;
  std::atomic<wall_ms> ends_;
};

error unusable(const char* what, const error_code& why) {
  return {errc::invalid_argument, std::string{what} + ": " + why.message()};
}

} // namespace

result<tls_material> read_tls_files(file_system& files, const std::string& ca_path, const std::string& certificate_path,
                                    const std::string& key_path) {
  tls_material material;
  const std::pair<const std::string&, std::string&> wanted[] = {
      {ca_path, material.ca}, {certificate_path, material.certificate}, {key_path, material.key}};
  for (const auto& [path, text] : wanted) {
    auto content = read_small_file(files, path);
    if (!content) return content.error();
    text = std::move(*content);
  }
  return material;
}

result<std::shared_ptr<tls_identity>> tls_identity::make(const tls_material& material) {
  auto node = certificates::check_node_certificate(material.ca, material.certificate);
  if (!node) return node.error();
  const auto ends = certificates::certificate_end(material.certificate);
  if (!ends) return ends.error();
  const auto context = std::make_shared<ssl::context>(ssl::context::tlsv13);
  error_code failed;
  context->add_certificate_authority(asio::buffer(material.ca), failed);
  if (failed) return unusable("the certificate authority's certificate", failed);
  context->use_certificate_chain(asio::buffer(material.certificate), failed);
  if (failed) return unusable("the node's certificate", failed);
  context->use_private_key(asio::buffer(material.key), ssl::context::pem, failed);
  // use_private_key also compares the key with the certificate.
  if (failed || SSL_CTX_check_private_key(context->native_handle()) != 1)
    return error{errc::invalid_argument, "the node's key cannot be read or does not belong to its certificate"};
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert, failed);
  if (failed) return unusable("the verification of peers", failed);
  SSL_CTX_set_session_cache_mode(context->native_handle(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context->native_handle(), 0);
  return std::shared_ptr<tls_identity>{std::make_shared<openssl_identity>(context, *node, *ends)};
}

} // namespace cairn::actors::link
