// Stored header values beyond ASCII in answers, in a form that clients can read. Encoded words (RFC 2047, section 2)
// that a client sent are kept and answered unchanged. Pure.
#pragma once

#include <string>
#include <string_view>

namespace cairn::net {

// For user metadata, as S3 does it. Printable ASCII unchanged; else one or more "=?UTF-8?B?…?=" of at most 75
// characters, none of which splits a character. Bytes that are not UTF-8 are labelled ISO-8859-1, which preserves every
// byte.
std::string as_encoded_words(std::string_view value);

// For Content-Disposition and the like: in ISO-8859-1, the charset of header fields, as the overrides of a GET are
// sent. In a value with other characters, each part beyond ASCII is written as encoded words; the delimiters between
// the parts stay, so that clients still find the parameters. Bytes that are not UTF-8 are taken for ISO-8859-1:
// unchanged.
std::string as_field_value(std::string_view value);

} // namespace cairn::net
