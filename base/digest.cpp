#include "base/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace cairn {

namespace {

// OpenSSL returns 1 on success; it fails when it has no memory or does not have the algorithm.
void check_openssl(int answer) {
  CAIRN_ASSERT(answer == 1);
}

// OpenSSL's context of one digest, initialized.
class digest_context {
public:
  explicit digest_context(const EVP_MD* algorithm) : algorithm_(algorithm) {
    CAIRN_ASSERT(evp_ != nullptr);
    begin();
  }
  digest_context(const digest_context&) = delete;
  digest_context& operator=(const digest_context&) = delete;
  ~digest_context() { EVP_MD_CTX_free(evp_); }

  void begin() { check_openssl(EVP_DigestInit_ex2(evp_, algorithm_, nullptr)); }
  void update(bytes_view data) { check_openssl(EVP_DigestUpdate(evp_, data.data(), data.size())); }
  template <class Digest>
  Digest finish() {
    Digest out{};
    check_openssl(EVP_DigestFinal_ex(evp_, out.data(), nullptr));
    return out;
  }

private:
  EVP_MD_CTX* const evp_ = EVP_MD_CTX_new();
  const EVP_MD* const algorithm_;
};

// Called once per algorithm: EVP_MD_fetch costs more than hashing a short text.
const EVP_MD* fetched(const char* name) {
  const EVP_MD* const found = EVP_MD_fetch(nullptr, name, nullptr);
  CAIRN_ASSERT(found != nullptr);
  return found;
}

const EVP_MD* md5_algorithm() {
  static const EVP_MD* const algorithm = fetched("MD5");
  return algorithm;
}

const EVP_MD* sha1_algorithm() {
  static const EVP_MD* const algorithm = fetched("SHA1");
  return algorithm;
}

const EVP_MD* sha256_algorithm() {
  static const EVP_MD* const algorithm = fetched("SHA256");
  return algorithm;
}

// RFC 2104. Both digests have blocks of 64 bytes.
template <class Hash>
auto hmac(bytes_view key, bytes_view message) {
  constexpr std::size_t block_bytes = 64;
  std::array<std::uint8_t, block_bytes> block{};
  thread_local Hash hash;
  if (key.size() > block_bytes) {
    hash.update(key);
    const auto shorter = hash.finish();
    std::copy(shorter.begin(), shorter.end(), block.begin());
  } else {
    std::transform(key.begin(), key.end(), block.begin(), [](std::byte b) { return std::uint8_t(b); });
  }
  for (auto& byte : block) byte ^= 0x36;
  hash.update(std::as_bytes(std::span{block}));
  hash.update(message);
  const auto inner = hash.finish();
  for (auto& byte : block) byte ^= 0x36 ^ 0x5c;
  hash.update(std::as_bytes(std::span{block}));
  hash.update(std::as_bytes(std::span{inner}));
  OPENSSL_cleanse(block.data(), block.size());
  return hash.finish();
}

} // namespace

struct md5::context : digest_context {
  context() : digest_context(md5_algorithm()) {}
};
struct sha256::context : digest_context {
  context() : digest_context(sha256_algorithm()) {}
};
struct sha1::context : digest_context {
  context() : digest_context(sha1_algorithm()) {}
};

md5::md5() : context_(std::make_unique<context>()) {}
md5::~md5() = default;
md5::md5(md5&&) noexcept = default;
md5& md5::operator=(md5&&) noexcept = default;

void md5::reset() {
  context_->begin();
}

void md5::update(bytes_view data) {
  context_->update(data);
}

md5::digest md5::finish() {
  return context_->finish<digest>();
}

sha256::sha256() : context_(std::make_unique<context>()) {}
sha256::~sha256() = default;
sha256::sha256(sha256&&) noexcept = default;
sha256& sha256::operator=(sha256&&) noexcept = default;

void sha256::update(bytes_view data) {
  context_->update(data);
}

sha256_digest sha256::finish() {
  const auto out = context_->finish<sha256_digest>();
  context_->begin();
  return out;
}

sha1::sha1() : context_(std::make_unique<context>()) {}
sha1::~sha1() = default;
sha1::sha1(sha1&&) noexcept = default;
sha1& sha1::operator=(sha1&&) noexcept = default;

void sha1::update(bytes_view data) {
  context_->update(data);
}

sha1_digest sha1::finish() {
  const auto out = context_->finish<sha1_digest>();
  context_->begin();
  return out;
}

sha256_digest sha256_of(bytes_view data) {
  thread_local sha256 hash;
  hash.update(data);
  return hash.finish();
}

sha256_digest hmac_sha256(bytes_view key, bytes_view message) {
  return hmac<sha256>(key, message);
}

sha1_digest hmac_sha1(bytes_view key, bytes_view message) {
  return hmac<sha1>(key, message);
}

bool equal_in_constant_time(bytes_view a, bytes_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

namespace {

// One context per thread, re-keyed for each tag: creating a context is expensive, setting SipHash's key is not.
struct mac_context {
  EVP_MAC* algorithm = EVP_MAC_fetch(nullptr, "SIPHASH", nullptr);
  EVP_MAC_CTX* evp = EVP_MAC_CTX_new(algorithm);
  mac_context() { CAIRN_ASSERT(algorithm != nullptr && evp != nullptr); }
  mac_context(const mac_context&) = delete;
  mac_context& operator=(const mac_context&) = delete;
  ~mac_context() {
    EVP_MAC_CTX_free(evp);
    EVP_MAC_free(algorithm);
  }
};

} // namespace

mac_tag keyed_mac(const mac_key& key, std::span<const bytes_view> parts) noexcept {
  thread_local const mac_context context;
  check_openssl(EVP_MAC_init(context.evp, key.data(), key.size(), nullptr));
  for (const auto part : parts)
    check_openssl(EVP_MAC_update(context.evp, reinterpret_cast<const unsigned char*>(part.data()), part.size()));
  mac_tag tag{};
  std::size_t length = 0;
  check_openssl(EVP_MAC_final(context.evp, tag.data(), &length, tag.size()));
  CAIRN_ASSERT(length == tag.size());
  return tag;
}

} // namespace cairn
