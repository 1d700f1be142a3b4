// Signatures as strangers send them: a target, then header lines. Whatever they hold, without the secret none is right.
#include "base/error.hpp"
#include "net/s3/auth/sigv4.hpp"

#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto line = [&text] {
    const auto end = text.find('\n');
    const auto found = text.substr(0, end);
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    return found;
  };
  const auto target = line();
  const auto parsed = cairn::net::parse_target(target);
  if (!parsed) return 0;
  std::vector<cairn::net::header_view> headers;
  while (!text.empty() && headers.size() < 100) {
    const auto field = line();
    const auto colon = field.find(':');
    if (colon != field.npos) headers.push_back({field.substr(0, colon), field.substr(colon + 1)});
  }
  const cairn::net::signed_request request{"GET", target.substr(0, target.find('?')), parsed->query, headers};
  const auto read = cairn::net::read_signature(request);
  const auto* claim = std::get_if<cairn::net::signature_claim>(&read);
  if (claim == nullptr) return 0;
  CAIRN_ASSERT(cairn::net::carries_credentials(request));
  (void)check_claim(*claim, "us-east-1", 1369353600000);
  CAIRN_ASSERT(check_signature(*claim, request, {}).has_value());
  return 0;
}
