#include "storage/digest.hpp"

#include <openssl/evp.h>

namespace cairn::storage {

struct md5::context {
  EVP_MD_CTX* evp = EVP_MD_CTX_new();
  context() { CAIRN_ASSERT(evp != nullptr); }
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  ~context() { EVP_MD_CTX_free(evp); }
};

md5::md5() : context_(std::make_unique<context>()) {
  reset();
}
md5::~md5() = default;
md5::md5(md5&&) noexcept = default;
md5& md5::operator=(md5&&) noexcept = default;

void md5::reset() {
  CAIRN_ASSERT(EVP_DigestInit_ex(context_->evp, EVP_md5(), nullptr) == 1);
}

void md5::update(bytes_view data) {
  CAIRN_ASSERT(EVP_DigestUpdate(context_->evp, data.data(), data.size()) == 1);
}

md5::digest md5::finish() {
  digest out{};
  CAIRN_ASSERT(EVP_DigestFinal_ex(context_->evp, out.data(), nullptr) == 1);
  return out;
}

namespace {

// One context a thread, keyed anew for each tag: setting SipHash's key costs nothing, making a context does.
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
  CAIRN_ASSERT(EVP_MAC_init(context.evp, key.data(), key.size(), nullptr) == 1);
  for (const auto part : parts)
    CAIRN_ASSERT(EVP_MAC_update(context.evp, reinterpret_cast<const unsigned char*>(part.data()), part.size()) == 1);
  mac_tag tag{};
  std::size_t length = 0;
  CAIRN_ASSERT(EVP_MAC_final(context.evp, tag.data(), &length, tag.size()) == 1 && length == tag.size());
  return tag;
}

} // namespace cairn::storage
