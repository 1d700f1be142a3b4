// User metadata beyond ASCII in answers: HTTP header values may not carry it, so S3 writes it as encoded words (RFC
// 2047, section 2). What a client sent as encoded words is kept and answered as it was sent. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cairn::net {

// Printable ASCII as it is; else one or more "=?UTF-8?B?…?=" of at most 75 characters, none of which cuts a character.
// Bytes that are not UTF-8 are told to be ISO-8859-1, which keeps every byte.
std::string as_encoded_words(std::string_view value);

} // namespace cairn::net
