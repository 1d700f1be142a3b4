#include "base/secrets/sealing.hpp"

#include "base/codec.hpp"
#include "base/digest.hpp"
#include "base/third_party/freed_by.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <memory>

namespace cairn::secrets {

namespace {

constexpr char sealed_version = 1;
constexpr std::size_t id_bytes = 4, tag_bytes = 16, head_bytes = 1 + id_bytes + nonce_bytes;
static_assert(head_bytes + tag_bytes == sealing_overhead_bytes);

// OpenSSL returns 1 on success; it fails when it has no memory or does not have the algorithm.
void check_openssl(int answer) {
  CAIRN_ASSERT(answer == 1);
}

std::array<std::uint8_t, id_bytes> id_of(const sealing_key& key) {
  const auto digest = sha256_of(key.bytes());
  std::array<std::uint8_t, id_bytes> id{};
  std::copy_n(digest.begin(), id.size(), id.begin());
  return id;
}

using cipher_context = std::unique_ptr<EVP_CIPHER_CTX, freed_by<EVP_CIPHER_CTX_free>>;

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// AES-256-GCM with this key and nonce, `bound_to` taken in.
cipher_context begin(const sealing_key& key, std::string_view nonce, std::string_view bound_to, bool seals) {
  static const EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  CAIRN_ASSERT(algorithm != nullptr);
  cipher_context context{EVP_CIPHER_CTX_new()};
  CAIRN_ASSERT(context != nullptr);
  const auto* const raw_key = reinterpret_cast<const unsigned char*>(key.bytes().data());
  check_openssl(EVP_CipherInit_ex2(context.get(), algorithm, raw_key, bytes_of(nonce), seals ? 1 : 0, nullptr));
  int written = 0;
  if (!bound_to.empty())
    check_openssl(
        EVP_CipherUpdate(context.get(), nullptr, &written, bytes_of(bound_to), static_cast<int>(bound_to.size())));
  return context;
}

// Also of texts whose tag will turn out to be wrong.
std::string run(EVP_CIPHER_CTX* context, std::string_view text) {
  std::string out(text.size(), '\0');
  int written = 0;
  if (!text.empty())
    check_openssl(EVP_CipherUpdate(context, bytes_of(out), &written, bytes_of(text), static_cast<int>(text.size())));
  return out;
}

bool read_digits(std::string_view text, std::span<std::byte, key_bytes> into) {
  return read_hex(text, std::span{reinterpret_cast<std::uint8_t*>(into.data()), into.size()});
}

bool read_base64(std::string_view text, std::span<std::byte, key_bytes> into) {
  constexpr std::size_t encoded_bytes = 44; // the last character pads
  if (text.size() != encoded_bytes || text.find('=') != encoded_bytes - 1) return false;
  if (text.find_first_of(" \t\r\n") != text.npos) return false; // which OpenSSL would skip
  std::array<unsigned char, key_bytes + 1> decoded{};
  const int count = EVP_DecodeBlock(decoded.data(), bytes_of(text), static_cast<int>(text.size()));
  const bool good = count == static_cast<int>(decoded.size()) && decoded.back() == 0;
  if (good) std::transform(decoded.begin(), decoded.end() - 1, into.begin(), [](auto b) { return std::byte{b}; });
  OPENSSL_cleanse(decoded.data(), decoded.size());
  return good;
}

} // namespace

sealing_key::sealing_key(std::span<const std::byte, key_bytes> bytes) {
  std::copy(bytes.begin(), bytes.end(), bytes_.begin());
}

sealing_key::~sealing_key() {
  OPENSSL_cleanse(bytes_.data(), bytes_.size());
}

result<sealing_key> sealing_key::read(std::string_view text) {
  std::array<std::byte, key_bytes> bytes{};
  const bool good = read_digits(text, bytes) || read_base64(text, bytes);
  const sealing_key key{bytes};
  OPENSSL_cleanse(bytes.data(), bytes.size());
  if (!good) return error{errc::invalid_argument, "expected 32 bytes as 64 hexadecimal digits or in base64"};
  return key;
}

std::string sealing_key::id() const {
  return hex_of(id_of(*this));
}

std::string seal(const sealing_key& key, std::string_view plain, std::string_view bound_to,
                 std::span<const std::byte, nonce_bytes> nonce) {
  const auto id = id_of(key);
  const std::string_view nonce_text{reinterpret_cast<const char*>(nonce.data()), nonce.size()};
  std::string sealed(1, sealed_version);
  sealed.append(reinterpret_cast<const char*>(id.data()), id.size()).append(nonce_text);
  const auto context = begin(key, nonce_text, bound_to, true);
  sealed.append(run(context.get(), plain));
  std::string tag(tag_bytes, '\0');
  int written = 0;
  check_openssl(EVP_CipherFinal_ex(context.get(), bytes_of(tag), &written));
  check_openssl(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(tag_bytes), tag.data()));
  return sealed.append(tag);
}

result<std::string> open(const sealing_key& key, std::string_view sealed, std::string_view bound_to) {
  const auto id = key_id_of(sealed);
  if (id.empty()) return error{errc::corrupt, "not a sealed secret"};
  if (id != key.id()) return error{errc::not_found, "the secret is sealed with the key " + id};
  const auto context = begin(key, sealed.substr(1 + id_bytes, nonce_bytes), bound_to, false);
  auto plain = run(context.get(), sealed.substr(head_bytes, sealed.size() - sealing_overhead_bytes));
  std::string tag{sealed.substr(sealed.size() - tag_bytes)};
  check_openssl(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, static_cast<int>(tag_bytes), tag.data()));
  int written = 0;
  std::array<unsigned char, tag_bytes> rest{};
  if (EVP_CipherFinal_ex(context.get(), rest.data(), &written) == 1) return plain;
  OPENSSL_cleanse(plain.data(), plain.size());
  return error{errc::corrupt, "the sealed secret was changed, or belongs to something else"};
}

std::string key_id_of(std::string_view sealed) {
  if (sealed.size() < sealing_overhead_bytes || sealed.front() != sealed_version) return {};
  return hex_of(sealed.substr(1, id_bytes));
}

} // namespace cairn::secrets
