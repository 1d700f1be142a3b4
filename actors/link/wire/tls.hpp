// Mutual TLS between the nodes of a cluster: TLS 1.3 only, both sides show a certificate of the cluster's own CA, and
// the certificate names its node in a URI subject alternative name, `urn:uuid:<node>`. Whether that node is still a
// member is for the caller to check. Sessions are not resumed, so a removed node cannot come back with an old ticket.
//
// Errors: not_found and io_error for files; invalid_argument for certificates and keys that do not do ("the key does
// not belong to the certificate"). No certificate revocation lists: membership revokes.
#pragma once

#include "actors/link/wire/stream.hpp"
#include "base/file_system.hpp"
#include "base/seams.hpp"

#include <string>

namespace cairn::actors::link {

// PEM texts.
struct tls_material {
  std::string ca;          // one or more certificates
  std::string certificate; // the node's
  std::string key;
};

result<tls_material> read_tls_files(storage::file_system& files, const std::string& ca_path,
                                    const std::string& certificate_path, const std::string& key_path);

class tls_identity {
public:
  static result<std::shared_ptr<tls_identity>> make(const tls_material& material);
  virtual ~tls_identity() = default;

  virtual const storage::uuid& node() const = 0; // whom the own certificate names
  virtual storage::wall_ms ends() const = 0;     // when it does
  // New streams use the other one's certificate, which names the same node. Any thread.
  virtual void take(const tls_identity& fresh) = 0;
  virtual std::unique_ptr<byte_stream> stream(link_socket socket) const = 0;
};

} // namespace cairn::actors::link
