// Certificates of a cluster: its own CA, and for each node a certificate that names the node. EC keys on P-256,
// signatures with SHA-256, X.509 v3 (RFC 5280). No files here: all texts are PEM. A key text is a secret (PKCS #8, not
// encrypted); the code that writes it chooses the file's mode.
//
//   CA    CN=<cluster name>,O=Cairn    CA:TRUE,pathlen:0   keyCertSign, cRLSign
//   node  CN=<node uuid>,O=Cairn       CA:FALSE            digitalSignature; serverAuth, clientAuth
//         subject alternative names: URI:urn:uuid:<node uuid>, then the given DNS names and IP addresses
//
// Errors: invalid_argument, with a text for the operator. The time comes from the caller, keys and serial numbers from
// OpenSSL's generator.
#pragma once

#include "base/error.hpp"
#include "base/ids.hpp"
#include "base/seams.hpp"

#include <span>
#include <string>
#include <string_view>

struct x509_st; // OpenSSL's X509

namespace cairn::certificates {

struct key_and_certificate {
  std::string key, certificate;
};

constexpr std::int64_t certificate_days_default = 3650;
constexpr std::size_t certified_name_bytes_max = 64; // X.520: the bound of a common name

result<key_and_certificate> make_ca(std::string_view cluster_name, wall_ms now,
                                    std::int64_t days = certificate_days_default);
// `names`: host names and numeric addresses by which the node is reached; may be empty.
result<key_and_certificate> issue(const key_and_certificate& ca, const uuid& node, std::span<const std::string> names,
                                  wall_ms now, std::int64_t days = certificate_days_default);

// The node that a certificate names: its one `urn:uuid:` URI.
result<uuid> node_of(x509_st* certificate);
// The same for a PEM text whose first certificate must be signed by one of `ca`.
result<uuid> check_node_certificate(const std::string& ca, const std::string& certificate);
// When the validity of the text's first certificate ends, for warnings ahead of time.
result<wall_ms> certificate_end(const std::string& certificate);

} // namespace cairn::certificates
