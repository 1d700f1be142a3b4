#include "net/wire/tls.hpp"

#include "base/file_system.hpp"
#include "base/files/small_file.hpp"
#include "base/sockets/certificates.hpp"
#include "base/third_party/asio_tls.hpp"

#include <openssl/ssl.h>

#include <string_view>

namespace cairn::net {

namespace {

namespace asio = boost::asio;
namespace ssl = boost::asio::ssl;
using boost::system::error_code;

// For TLS 1.2: no RSA key exchange, no CBC. All ciphers of TLS 1.3 meet this.
constexpr const char* ciphers_1_2 = "ECDHE+AESGCM:ECDHE+CHACHA20";

class openssl_context final : public tls_context {
public:
  openssl_context(std::shared_ptr<ssl::context> context, wall_ms ends) : context_(std::move(context)), ends_(ends) {}
  wall_ms ends() const override { return ends_; }
  std::unique_ptr<sockets::tls_layer> layer(session_socket& socket) const override {
    return sockets::make_tls_layer(socket, context_, sockets::tls_end::server);
  }

private:
  std::shared_ptr<ssl::context> context_;
  const wall_ms ends_;
};

// RFC 7301: the client offers names, each with its length before it. A client that offers only other protocols is
// refused (no_application_protocol). A client that offers none is accepted.
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* length, const unsigned char* offered,
                    unsigned int offered_bytes, void*) {
  constexpr std::string_view protocol = "http/1.1";
  for (unsigned int at = 0; at < offered_bytes && at + offered[at] < offered_bytes; at += offered[at] + 1u) {
    if (std::string_view{reinterpret_cast<const char*>(offered + at + 1), offered[at]} != protocol) continue;
    *chosen = offered + at + 1;
    *length = offered[at];
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

} // namespace

result<std::shared_ptr<const tls_context>> tls_context::load(const std::string& certificate_path,
                                                             const std::string& key_path) {
  auto& files = posix_file_system();
  const auto certificate = read_small_file(files, certificate_path);
  if (!certificate) return certificate.error();
  const auto key = read_small_file(files, key_path);
  if (!key) return key.error();
  const auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  auto* const native = context->native_handle();
  error_code failed;
  context->use_certificate_chain(asio::buffer(*certificate), failed);
  if (failed) return error{errc::invalid_argument, certificate_path + ": " + failed.message()};
  context->use_private_key(asio::buffer(*key), ssl::context::pem, failed);
  // OpenSSL checks that the key belongs to the certificate once it has both.
  if (failed || SSL_CTX_check_private_key(native) != 1)
    return error{errc::invalid_argument, key_path + ": it cannot be read or does not belong to the certificate"};
  if (SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION) != 1)
    return error{errc::invalid_argument, "this OpenSSL has no TLS 1.2"};
  SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (SSL_CTX_set_cipher_list(native, ciphers_1_2) != 1)
    return error{errc::invalid_argument, "this OpenSSL has none of the ciphers"};
  SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
  const auto ends = certificates::certificate_end(*certificate);
  if (!ends) return error{errc::invalid_argument, certificate_path + ": " + ends.error().text};
  return std::shared_ptr<const tls_context>{std::make_shared<openssl_context>(context, *ends)};
}

} // namespace cairn::net
