// Authenticates and authorizes a request from its head, before a chunk is read or a byte of a body is stored. Unsigned
// requests are anonymous (auth.anonymous, public buckets and objects); one that is signed with the root key may do
// everything; all other keys and their rights are rows of the metadata.
//
// In two steps, because rows of the metadata are read asynchronously: `authorize` decides what the head alone can
// decide (the root key, auth.anonymous, malformed requests), or answers which rows it needs; `authorize_with_rows`
// decides with these rows.
#pragma once

#include "actors/protocol/values/access.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/s3/request.hpp"

#include <optional>
#include <string_view>
#include <variant>

namespace cairn::net {

class s3_gateway;

using request_head = boost::beast::http::header<true, boost::beast::http::fields>;

struct authorized {};
using authorization = std::variant<authorized, s3_error, actors::access_query>;

// Needs the request's target and operation, and its form if the operation takes one; fills in its signer or claim, its
// overrides and its origin.
authorization authorize(const request_head& head, s3_gateway& shared, request& request);

// Of IAM's API, whose body is signed: who sends it. `authorize_with_rows` checks a key that has to be looked up. What
// it may do is decided action by action (storage/metadata/commands/identity.hpp). AccessDenied: unsigned.
authorization authenticate(const request_head& head, std::string_view service, std::string_view body,
                           s3_gateway& shared, request& request);

// Decides with the answer to the query. nullopt: authorized.
std::optional<s3_error> authorize_with_rows(const request_head& head, const actors::found_access& found,
                                            s3_gateway& shared, request& request);

} // namespace cairn::net
