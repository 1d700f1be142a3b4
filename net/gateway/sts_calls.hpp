// STS's Query API: POST / with a form of its version. Judges AssumeRole by the rows of the role and of the sender, and
// seals the token of the credentials with a key of the metadata, which it makes if there is none. On the session's
// strand.
#pragma once

#include "net/gateway/s3_session.hpp"
#include "net/iam/iam_query.hpp"

namespace cairn::net {

void sts_api(const session_ptr& session, const std::string& body, iam_query query);

// Random letters, of an alphabet whose size is a power of two.
std::string random_letters(random_source& random, std::size_t count, std::string_view alphabet);
constexpr std::string_view id_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view secret_alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t key_letters = 16, secret_letters = 40; // as AWS's

} // namespace cairn::net
