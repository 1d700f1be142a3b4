// TLS on the HTTP and admin ports: TLS 1.2 and 1.3 with forward secrecy and AEAD ciphers only, HTTP/1.1 by ALPN (a
// client that offers only other protocols is refused), no client certificates.
//
// A context is one certificate with its key, immutable; a connection keeps the one that it began with, so a reload
// changes new connections only. Errors: not_found and io_error for files; invalid_argument for unusable ones ("the key
// does not belong to the certificate").
#pragma once

#include "base/error.hpp"
#include "base/seams.hpp"
#include "base/sockets/tls_layer.hpp"
#include "net/wire/session_socket.hpp"

#include <memory>
#include <string>

namespace cairn::net {

class tls_context {
public:
  // PEM files: the certificate with the chain behind it, and its private key.
  static result<std::shared_ptr<const tls_context>> load(const std::string& certificate_path,
                                                         const std::string& key_path);
  virtual ~tls_context() = default;
  virtual std::unique_ptr<sockets::tls_layer> layer(session_socket& socket) const = 0; // the socket outlives it
  virtual wall_ms ends() const = 0;                                                    // when the certificate expires
};

} // namespace cairn::net
