#include "base/sockets/certificates.hpp"

#include "base/third_party/freed_by.hpp"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace cairn::certificates {

namespace {

using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION, freed_by<X509_EXTENSION_free>>;
using number_ptr = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using names_ptr = std::unique_ptr<GENERAL_NAMES, freed_by<GENERAL_NAMES_free>>;

constexpr std::int64_t day_s = 24 * 60 * 60;
constexpr std::int64_t days_max = 36'500;
constexpr std::string_view uri_prefix = "urn:uuid:";

// The last reason on OpenSSL's queue, as an error; clears the queue.
error failure(std::string what) {
  if (const auto code = ERR_peek_last_error(); code != 0) {
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    what += std::string{": "} + text;
  }
  ERR_clear_error();
  return {errc::invalid_argument, std::move(what)};
}

bio_ptr reading(const std::string& text) {
  return bio_ptr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

template <class Write>
std::string pem_of(Write write) {
  const bio_ptr out{BIO_new(BIO_s_mem())};
  const int written = out ? write(out.get()) : 0;
  CAIRN_ASSERT(written == 1);
  char* bytes = nullptr;
  const auto length = BIO_get_mem_data(out.get(), &bytes);
  return {bytes, static_cast<std::size_t>(length)};
}

// A key that needs a password must not make OpenSSL ask on the process's terminal.
int no_password(char*, int, int, void*) {
  return 0;
}

result<x509_ptr> read_certificate(const std::string& text) {
  x509_ptr read{PEM_read_bio_X509(reading(text).get(), nullptr, no_password, nullptr)};
  if (!read) return failure("not a certificate in PEM");
  return read;
}

bool add_extension(X509* to, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, to, nullptr, nullptr, 0);
  const extension_ptr made{X509V3_EXT_conf_nid(nullptr, &context, nid, value)};
  return made && X509_add_ext(to, made.get(), -1) == 1;
}

bool add_name(X509_NAME* name, const char* field, std::string_view value) {
  return X509_NAME_add_entry_by_txt(name, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(value.data()),
                                    static_cast<int>(value.size()), -1, 0) == 1;
}

// The validity starts a day early, for clocks that differ.
bool set_times(X509* certificate, wall_ms now, std::int64_t days) {
  const std::int64_t now_s = now / 1000;
  return ASN1_TIME_set(X509_getm_notBefore(certificate), now_s - day_s) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), now_s + days * day_s) != nullptr;
}

bool set_serial(X509* certificate) {
  const number_ptr drawn{BN_new()};
  return drawn && BN_rand(drawn.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(drawn.get(), X509_get_serialNumber(certificate)) != nullptr;
}

struct unsigned_certificate {
  key_ptr key;
  x509_ptr certificate;
};

result<unsigned_certificate> begin_certificate(std::string_view common_name, wall_ms now, std::int64_t days) {
  if (days < 1 || days > days_max)
    return error{errc::invalid_argument, "a certificate is valid for 1 to " + std::to_string(days_max) + " days"};
  unsigned_certificate made{key_ptr{EVP_EC_gen("P-256")}, x509_ptr{X509_new()}};
  if (!made.key || !made.certificate) return failure("make a key");
  auto* const to = made.certificate.get();
  auto* const subject = X509_get_subject_name(to);
  const bool good = X509_set_version(to, 2) == 1 && set_serial(to) && set_times(to, now, days) &&
                    X509_set_pubkey(to, made.key.get()) == 1 && add_name(subject, "O", "Cairn") &&
                    add_name(subject, "CN", common_name);
  if (!good) return failure("make a certificate for '" + std::string{common_name} + "'");
  return made;
}

result<key_and_certificate> sign(const unsigned_certificate& made, EVP_PKEY* key) {
  if (X509_sign(made.certificate.get(), key, EVP_sha256()) == 0) return failure("sign the certificate");
  key_and_certificate out;
  out.key = pem_of([&](BIO* to) {
    return PEM_write_bio_PKCS8PrivateKey(to, made.key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  out.certificate = pem_of([&](BIO* to) { return PEM_write_bio_X509(to, made.certificate.get()); });
  return out;
}

bool is_host_name(std::string_view name) {
  return !name.empty() && name.size() <= 253 && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
         });
}

bool is_address(const std::string& name) {
  const std::unique_ptr<ASN1_OCTET_STRING, freed_by<ASN1_OCTET_STRING_free>> read{a2i_IPADDRESS(name.c_str())};
  if (!read) ERR_clear_error();
  return read != nullptr;
}

// The value is a configuration text for OpenSSL, so only checked names may be part of it.
result<std::string> alternative_names(const uuid& node, std::span<const std::string> names) {
  std::string value = "URI:" + std::string{uri_prefix} + cairn::to_string(node);
  for (const auto& name : names) {
    if (is_address(name))
      value += ",IP:" + name;
    else if (is_host_name(name))
      value += ",DNS:" + name;
    else
      return error{errc::invalid_argument, "'" + name + "' is neither a host name nor an address"};
  }
  return value;
}

} // namespace

result<key_and_certificate> make_ca(std::string_view cluster_name, wall_ms now, std::int64_t days) {
  if (cluster_name.empty() || cluster_name.size() > certified_name_bytes_max)
    return error{errc::invalid_argument, "a cluster's name has 1 to 64 bytes"};
  auto made = begin_certificate(cluster_name, now, days);
  if (!made) return made.error();
  auto* const to = made->certificate.get();
  const bool good = X509_set_issuer_name(to, X509_get_subject_name(to)) == 1 &&
                    add_extension(to, to, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(to, to, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(to, to, NID_subject_key_identifier, "hash");
  if (!good) return failure("make the certificate authority");
  return sign(*made, made->key.get());
}

result<key_and_certificate> issue(const key_and_certificate& ca, const uuid& node, std::span<const std::string> names,
                                  wall_ms now, std::int64_t days) {
  auto authority = read_certificate(ca.certificate);
  if (!authority) return error{errc::invalid_argument, "the certificate authority: " + authority.error().text};
  const key_ptr key{PEM_read_bio_PrivateKey(reading(ca.key).get(), nullptr, no_password, nullptr)};
  if (!key) return failure("the certificate authority's key cannot be read");
  if (X509_check_private_key(authority->get(), key.get()) != 1)
    return failure("the certificate authority's key does not belong to its certificate");
  if (X509_check_ca(authority->get()) != 1)
    return error{errc::invalid_argument, "the certificate given as the authority's is not an authority's"};
  const auto alternatives = alternative_names(node, names);
  if (!alternatives) return alternatives.error();
  auto made = begin_certificate(cairn::to_string(node), now, days);
  if (!made) return made.error();
  auto* const to = made->certificate.get();
  const bool good = X509_set_issuer_name(to, X509_get_subject_name(authority->get())) == 1 &&
                    add_extension(to, authority->get(), NID_basic_constraints, "critical,CA:FALSE") &&
                    add_extension(to, authority->get(), NID_key_usage, "critical,digitalSignature") &&
                    add_extension(to, authority->get(), NID_ext_key_usage, "serverAuth,clientAuth") &&
                    add_extension(to, authority->get(), NID_subject_key_identifier, "hash") &&
                    add_extension(to, authority->get(), NID_authority_key_identifier, "keyid:always") &&
                    add_extension(to, authority->get(), NID_subject_alt_name, alternatives->c_str());
  if (!good) return failure("make the certificate of node " + cairn::to_string(node));
  return sign(*made, key.get());
}

result<uuid> node_of(x509_st* certificate) {
  const names_ptr names{
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::optional<uuid> found;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const auto* const uri = name->d.uniformResourceIdentifier;
    const std::string_view text{reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                                static_cast<std::size_t>(ASN1_STRING_length(uri))};
    if (!text.starts_with(uri_prefix)) continue;
    const auto id = parse_uuid(text.substr(uri_prefix.size()));
    if (!id || found) return error{errc::invalid_argument, "the certificate does not name one node"};
    found = id;
  }
  ERR_clear_error();
  if (!found) return error{errc::invalid_argument, "the certificate names no node (no urn:uuid: URI)"};
  return *found;
}

result<uuid> check_node_certificate(const std::string& ca, const std::string& certificate) {
  auto leaf = read_certificate(certificate);
  if (!leaf) return error{errc::invalid_argument, "the node's certificate: " + leaf.error().text};
  const auto authorities = reading(ca);
  bool any = false, signed_by_one = false;
  while (const x509_ptr authority{PEM_read_bio_X509(authorities.get(), nullptr, no_password, nullptr)}) {
    any = true;
    signed_by_one = signed_by_one || X509_verify(leaf->get(), X509_get0_pubkey(authority.get())) == 1;
  }
  ERR_clear_error(); // OpenSSL reports the end of the text as an error
  if (!any) return error{errc::invalid_argument, "the certificate authority: not a certificate in PEM"};
  if (!signed_by_one)
    return error{errc::invalid_argument, "the node's certificate is not signed by the cluster's certificate authority"};
  return node_of(leaf->get());
}

result<wall_ms> certificate_end(const std::string& certificate) {
  auto read = read_certificate(certificate);
  if (!read) return read.error();
  const std::unique_ptr<ASN1_TIME, freed_by<ASN1_TIME_free>> epoch{ASN1_TIME_set(nullptr, 0)};
  int days = 0, seconds = 0;
  if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch.get(), X509_get0_notAfter(read->get())) != 1)
    return failure("the certificate's end");
  return (std::int64_t{days} * day_s + seconds) * 1000;
}

} // namespace cairn::certificates
