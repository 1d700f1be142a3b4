// User metadata beyond ASCII in answers: HTTP header values may not contain it, so S3 writes it as encoded words (RFC
// 2047, section 2). Encoded words that a client sent are kept and answered unchanged. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cairn::net {

// Printable ASCII unchanged; else one or more "=?UTF-8?B?…?=" of at most 75 characters, none of which splits a
// character. Bytes that are not UTF-8 are labelled ISO-8859-1, which preserves every byte.
std::string as_encoded_words(std::string_view value);

} // namespace cairn::net
