// Base64 (RFC 4648): the standard alphabet with padding for Content-MD5, the URL alphabet without padding for tokens.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace cairn::net {

std::string base64_encode(std::string_view bytes); // standard alphabet, padded
std::string base64url_encode(std::string_view bytes);
// Accepts both alphabets; padding must be absent or right. nullopt for any other text, also for non-zero trailing bits.
std::optional<std::string> base64_decode(std::string_view text);

// Only the URL alphabet without padding, in which a text has one form.
std::optional<std::string> base64url_decode(std::string_view text);

} // namespace cairn::net
