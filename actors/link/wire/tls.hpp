// Mutual TLS between the nodes of a cluster: TLS 1.3 only. Both sides present a certificate of the cluster's own CA,
// which names its node in a URI subject alternative name, `urn:uuid:<node>`. The caller checks whether that node is
// still a member. Sessions are not resumed, so a removed node cannot reconnect with an old ticket.
//
// Errors: not_found and io_error for files; invalid_argument for unusable certificates and keys ("the key does not
// belong to the certificate"). No certificate revocation lists: a node is revoked by removing it from the cluster.
#pragma once

#include "actors/link/wire/stream.hpp"
#include "base/file_system.hpp"
#include "base/seams.hpp"
#include "base/sockets/handshake_reader.hpp"

#include <string>

namespace cairn::actors::link {

// PEM texts.
struct tls_material {
  std::string ca;          // one or more certificates
  std::string certificate; // the node's
  std::string key;
};

result<tls_material> read_tls_files(file_system& files, const std::string& ca_path, const std::string& certificate_path,
                                    const std::string& key_path);

class tls_identity {
public:
  static result<std::shared_ptr<tls_identity>> make(const tls_material& material);
  virtual ~tls_identity() = default;

  virtual const uuid& node() const = 0; // the node that the own certificate names
  virtual wall_ms ends() const = 0;     // the end of the certificate's validity
  // New streams use the certificate of `fresh`, which names the same node. Any thread.
  virtual void take(const tls_identity& fresh) = 0;
  // `steps`: of an acceptor's handshake.
  virtual std::unique_ptr<byte_stream> stream(link_socket socket, sockets::handshake_steps steps = {}) const = 0;
};

} // namespace cairn::actors::link
