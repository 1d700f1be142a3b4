#include "net/web_identity/json_web_keys.hpp"

#include "base/json.hpp"
#include "base/third_party/freed_by.hpp"
#include "net/wire/grammar/base64.hpp"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <bit>

namespace cairn::net {

namespace {

constexpr std::size_t set_depth_max = 8, member_bytes_max = 255;

struct algorithm_row {
  std::string_view name;
  key_kind kind;
  const EVP_MD* (*digest)();
  bool is_pss = false;
};
constexpr algorithm_row algorithms[] = {
    {"RS256", key_kind::rsa, EVP_sha256},       {"RS384", key_kind::rsa, EVP_sha384},
    {"RS512", key_kind::rsa, EVP_sha512},       {"PS256", key_kind::rsa, EVP_sha256, true},
    {"PS384", key_kind::rsa, EVP_sha384, true}, {"PS512", key_kind::rsa, EVP_sha512, true},
    {"ES256", key_kind::p256, EVP_sha256},      {"ES384", key_kind::p384, EVP_sha384},
    {"ES512", key_kind::p521, EVP_sha512},
};

struct curve_row {
  std::string_view name;
  key_kind kind;
  std::size_t coordinate_bytes;
};
constexpr curve_row curves[] = {
    {"P-256", key_kind::p256, 32},
    {"P-384", key_kind::p384, 48},
    {"P-521", key_kind::p521, 66},
};

const algorithm_row* find_algorithm(std::string_view name) {
  const auto found =
      std::find_if(std::begin(algorithms), std::end(algorithms), [name](const auto& row) { return row.name == name; });
  return found == std::end(algorithms) ? nullptr : &*found;
}

// What OpenSSL leaves behind would look like an error of the thread's next TLS operation.
struct clean_errors {
  ~clean_errors() { ERR_clear_error(); }
};

using number_ptr = std::unique_ptr<BIGNUM, freed_by<BN_free>>;
using parameters_ptr = std::unique_ptr<OSSL_PARAM_BLD, freed_by<OSSL_PARAM_BLD_free>>;

std::string_view text_in(const json_object& object, std::string_view name) {
  const auto* const value = object.if_contains({name.data(), name.size()});
  return value != nullptr ? text_of(*value) : std::string_view{};
}

// A large number; empty: none.
std::string number_in(const json_object& object, std::string_view name) {
  auto bytes = base64url_decode(text_in(object, name)).value_or("");
  bytes.erase(0, std::min(bytes.find_first_not_of('\0'), bytes.size()));
  return bytes;
}

const unsigned char* raw(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

number_ptr big_number(std::string_view bytes) {
  return number_ptr{BN_bin2bn(raw(bytes), static_cast<int>(bytes.size()), nullptr)};
}

// Null: OpenSSL does not take it for a public key; a point must be on its curve.
std::shared_ptr<EVP_PKEY> public_key(const char* type, OSSL_PARAM_BLD* given) {
  const std::unique_ptr<OSSL_PARAM, freed_by<OSSL_PARAM_free>> parameters{OSSL_PARAM_BLD_to_param(given)};
  const std::unique_ptr<EVP_PKEY_CTX, freed_by<EVP_PKEY_CTX_free>> context{
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)};
  EVP_PKEY* key = nullptr;
  if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
      EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return nullptr;
  return {key, EVP_PKEY_free};
}

bool read_rsa(const json_object& object, json_web_key& into) {
  constexpr std::size_t bits_min = 2048, bits_max = 8192, exponent_bytes_max = 4;
  const auto modulus = number_in(object, "n"), exponent = number_in(object, "e");
  if (modulus.empty() || exponent.empty() || exponent.size() > exponent_bytes_max) return false;
  const auto bits = modulus.size() * 8 - std::size_t(std::countl_zero(static_cast<unsigned char>(modulus.front())));
  const bool is_odd = (modulus.back() & 1) != 0 && (exponent.back() & 1) != 0;
  if (bits < bits_min || bits > bits_max || !is_odd || exponent == "\x01") return false;
  const auto n = big_number(modulus), e = big_number(exponent);
  const parameters_ptr given{OSSL_PARAM_BLD_new()};
  if (!n || !e || !given || OSSL_PARAM_BLD_push_BN(given.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) != 1 ||
      OSSL_PARAM_BLD_push_BN(given.get(), OSSL_PKEY_PARAM_RSA_E, e.get()) != 1)
    return false;
  into.kind = key_kind::rsa;
  into.signature_bytes = modulus.size();
  into.handle = public_key("RSA", given.get());
  return into.handle != nullptr;
}

bool read_curve(const json_object& object, json_web_key& into) {
  const auto name = text_in(object, "crv");
  const auto* const row =
      std::find_if(std::begin(curves), std::end(curves), [name](const auto& c) { return c.name == name; });
  const auto x = base64url_decode(text_in(object, "x")), y = base64url_decode(text_in(object, "y"));
  if (row == std::end(curves) || !x || !y || x->size() != row->coordinate_bytes || y->size() != row->coordinate_bytes)
    return false;
  const std::string point = '\x04' + *x + *y; // SEC 1, 2.3.3: not compressed
  const parameters_ptr given{OSSL_PARAM_BLD_new()};
  if (!given ||
      OSSL_PARAM_BLD_push_utf8_string(given.get(), OSSL_PKEY_PARAM_GROUP_NAME, row->name.data(), row->name.size()) !=
          1 ||
      OSSL_PARAM_BLD_push_octet_string(given.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) != 1)
    return false;
  into.kind = row->kind;
  into.signature_bytes = 2 * row->coordinate_bytes;
  into.handle = public_key("EC", given.get());
  return into.handle != nullptr;
}

// Absent, or a text that is not too long.
bool is_text_or_absent(const json_object& object, std::string_view name) {
  const auto* const value = object.if_contains({name.data(), name.size()});
  return value == nullptr || (value->is_string() && text_of(*value).size() <= member_bytes_max);
}

// Whether key_ops is absent or has "verify".
bool may_verify(const json_object& object) {
  const auto* const uses = object.if_contains("key_ops");
  const auto* const list = uses != nullptr ? uses->if_array() : nullptr;
  return uses == nullptr || (list != nullptr && std::any_of(list->begin(), list->end(),
                                                            [](const auto& u) { return text_of(u) == "verify"; }));
}

// The two numbers of an ECDSA signature one after the other (RFC 7518, 3.4), as OpenSSL wants them; nullopt: out of
// memory.
std::optional<std::string> der_signature(std::string_view numbers) {
  const auto half = numbers.size() / 2;
  auto r = big_number(numbers.substr(0, half)), s = big_number(numbers.substr(half));
  const std::unique_ptr<ECDSA_SIG, freed_by<ECDSA_SIG_free>> made{ECDSA_SIG_new()};
  if (!r || !s || !made || ECDSA_SIG_set0(made.get(), r.get(), s.get()) != 1) return std::nullopt;
  static_cast<void>(r.release());
  static_cast<void>(s.release());
  unsigned char* der = nullptr;
  const int bytes = i2d_ECDSA_SIG(made.get(), &der);
  if (bytes <= 0) return std::nullopt;
  std::string out{reinterpret_cast<const char*>(der), static_cast<std::size_t>(bytes)};
  OPENSSL_free(der);
  return out;
}

// nullopt: a key that is not for signatures of tokens, or of a kind that is not known.
std::optional<json_web_key> read_key(const json_value& value) {
  const auto* const object = value.if_object();
  if (object == nullptr || !may_verify(*object)) return std::nullopt;
  for (const auto* name : {"kid", "alg", "use"})
    if (!is_text_or_absent(*object, name)) return std::nullopt;
  if (object->contains("use") && text_in(*object, "use") != "sig") return std::nullopt;
  json_web_key key{.id = std::string{text_in(*object, "kid")}, .algorithm = std::string{text_in(*object, "alg")}};
  const auto type = text_in(*object, "kty");
  if (!(type == "RSA" ? read_rsa(*object, key) : type == "EC" && read_curve(*object, key))) return std::nullopt;
  const auto* const only = find_algorithm(key.algorithm);
  if (object->contains("alg") && (only == nullptr || only->kind != key.kind)) return std::nullopt;
  return key;
}

} // namespace

bool is_signature_algorithm(std::string_view name) {
  return find_algorithm(name) != nullptr;
}

result<json_web_keys> json_web_keys::read(std::string_view json) {
  const clean_errors cleaner;
  const auto document = read_json(json, bytes_max, set_depth_max);
  const auto* const object = document ? document->if_object() : nullptr;
  const auto* const list = object != nullptr && object->contains("keys") ? object->at("keys").if_array() : nullptr;
  if (list == nullptr || has_repeated_members(json, *document))
    return error{errc::invalid_argument, "it is no JSON Web Key Set"};
  if (list->size() > keys_max)
    return error{errc::invalid_argument, "it has more than " + std::to_string(keys_max) + " keys"};
  json_web_keys all;
  for (const auto& one : *list)
    if (auto key = read_key(one)) all.keys_.push_back(std::move(*key));
  return all;
}

const json_web_key* json_web_keys::find(const signature_header& wanted) const {
  const auto* const algorithm = find_algorithm(wanted.algorithm);
  if (algorithm == nullptr) return nullptr;
  const json_web_key* found = nullptr;
  for (const auto& key : keys_) {
    const bool fits = key.kind == algorithm->kind && (key.algorithm.empty() || key.algorithm == wanted.algorithm) &&
                      (wanted.key_id.empty() || key.id == wanted.key_id);
    if (!fits) continue;
    if (!wanted.key_id.empty()) return &key;
    if (found != nullptr) return nullptr;
    found = &key;
  }
  return found;
}

bool has_signed(const json_web_key& key, const signature_header& header, std::string_view token) {
  const clean_errors cleaner;
  const auto* const algorithm = find_algorithm(header.algorithm);
  if (algorithm == nullptr || algorithm->kind != key.kind) return false;
  const auto first = token.find('.'), last = token.rfind('.');
  if (first == last) return false;
  auto signature = base64url_decode(token.substr(last + 1));
  if (!signature || signature->size() != key.signature_bytes) return false;
  if (key.kind != key_kind::rsa) signature = der_signature(*signature);
  const std::unique_ptr<EVP_MD_CTX, freed_by<EVP_MD_CTX_free>> context{EVP_MD_CTX_new()};
  EVP_PKEY_CTX* options = nullptr; // the context's
  if (!signature || !context ||
      EVP_DigestVerifyInit(context.get(), &options, algorithm->digest(), nullptr, key.handle.get()) != 1)
    return false;
  // RFC 7518, 3.5: the salt is as long as the digest, which is also that of the mask.
  if (algorithm->is_pss && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                            EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1))
    return false;
  const auto text = token.substr(0, last);
  return EVP_DigestVerify(context.get(), raw(*signature), signature->size(), raw(text), text.size()) == 1;
}

} // namespace cairn::net
