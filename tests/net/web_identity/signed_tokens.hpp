// Keys made by OpenSSL, and tokens that they sign, for the tests of net/web_identity.
#pragma once

#include "base/codec.hpp"
#include "net/wire/grammar/base64.hpp"

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <memory>
#include <string>
#include <string_view>

namespace cairn::net::signed_tokens {

class test_key {
public:
  static test_key rsa(std::size_t bits) { return test_key{EVP_RSA_gen(static_cast<unsigned>(bits)), 0}; }
  // "P-256"; `bytes`: of one number of a signature
  static test_key curve(const char* name, std::size_t bytes) { return test_key{EVP_EC_gen(name), bytes}; }

  // Its public part as JSON: `{"kty":…` without the closing brace.
  std::string json() const {
    if (bytes_ == 0)
      return R"({"kty":"RSA","n":")" + number(OSSL_PKEY_PARAM_RSA_N) + R"(","e":")" + number(OSSL_PKEY_PARAM_RSA_E) +
             '"';
    const auto* const name = bytes_ == 32 ? "P-256" : bytes_ == 48 ? "P-384" : "P-521";
    return std::string{R"({"kty":"EC","crv":")"} + name + R"(","x":")" + number(OSSL_PKEY_PARAM_EC_PUB_X) +
           R"(","y":")" + number(OSSL_PKEY_PARAM_EC_PUB_Y) + '"';
  }

  // HEADER.CLAIMS.SIGNATURE, with the digest and padding of the algorithm, whatever the header says.
  std::string sign(std::string_view algorithm, std::string_view header, std::string_view claims) const {
    const auto text = base64url_encode(header) + "." + base64url_encode(claims);
    return text + "." + base64url_encode(signature(algorithm, text));
  }

private:
  test_key(EVP_PKEY* key, std::size_t bytes) : key_(key, EVP_PKEY_free), bytes_(bytes) { EXPECT_NE(key, nullptr); }

  std::string number(const char* name) const {
    BIGNUM* value = nullptr;
    EXPECT_EQ(EVP_PKEY_get_bn_param(key_.get(), name, &value), 1);
    std::string bytes(bytes_ != 0 ? bytes_ : static_cast<std::size_t>(BN_num_bytes(value)), '\0');
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(value);
    return base64url_encode(bytes);
  }

  std::string signature(std::string_view algorithm, std::string_view text) const {
    const auto* const digest = algorithm.ends_with("256")   ? EVP_sha256()
                               : algorithm.ends_with("384") ? EVP_sha384()
                                                            : EVP_sha512();
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context{EVP_MD_CTX_new(), EVP_MD_CTX_free};
    EVP_PKEY_CTX* options = nullptr;
    EXPECT_EQ(EVP_DigestSignInit(context.get(), &options, digest, nullptr, key_.get()), 1);
    if (algorithm.starts_with("PS")) {
      EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
      EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST);
    }
    std::string made(2048, '\0');
    std::size_t size = made.size();
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    EXPECT_EQ(EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(made.data()), &size, bytes, text.size()),
              1);
    made.resize(size);
    return bytes_ == 0 ? made : two_numbers(made);
  }

  // DER → R||S
  std::string two_numbers(const std::string& der) const {
    const auto* at = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)> pair{
        d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())), ECDSA_SIG_free};
    std::string both(2 * bytes_, '\0');
    auto* const out = reinterpret_cast<unsigned char*>(both.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), out, static_cast<int>(bytes_));
    BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), out + bytes_, static_cast<int>(bytes_));
    return both;
  }

  std::shared_ptr<EVP_PKEY> key_;
  std::size_t bytes_; // 0: RSA
};

inline std::string header_of(std::string_view algorithm, std::string_view key_id) {
  return R"({"alg":")" + std::string{algorithm} + R"(","kid":")" + std::string{key_id} + "\"}";
}
// A set of keys, each as test_key::json() with further members and its closing brace.
inline std::string set_of(std::initializer_list<std::string> keys) {
  std::string all;
  for (const auto& one : keys) all += (all.empty() ? "" : ",") + one;
  return R"({"keys":[)" + all + "]}";
}

} // namespace cairn::net::signed_tokens
