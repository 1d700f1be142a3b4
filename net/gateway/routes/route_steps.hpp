// Steps that the routes share: reading a small body, a turn for an expensive request. On the session's strand.
#pragma once

#include "net/gateway/ask.hpp"

namespace cairn::net {

// Calls `then` with the current row of the request's bucket, whichever node changed it last.
void with_bucket(const session_ptr& session, std::function<void(const storage::metadata::bucket_row&)> then);

// Commits and answers with `status`.
void commit(const session_ptr& session, storage::metadata::command command, unsigned status,
            const std::string& header_lines = {});

// Reads the whole body, of at most `bytes_max`, and calls `then` with it. The memory of the body and of the values read
// from it is charged to limits.memory as the body arrives. Refusals: 411 without Content-Length, 400 MalformedXML for a
// longer body, BadDigest if the body differs from Content-MD5 or a checksum header, SlowDown.
enum class body_checksums : std::uint8_t { of_the_body, of_something_else };
void collect_body(const session_ptr& session, std::size_t bytes_max, const std::function<void(std::string body)>& then,
                  body_checksums headers = body_checksums::of_the_body);

// The URL of the request's object, under the host that the client used; only a path if the request has no Host.
std::string location_of(const s3_session& session);

// Calls the function when it is the request's turn; the turn ends with its last copy.
using turn = fair_turns::turn;
void with_turn(const session_ptr& session, fair_turns& turns, std::function<void(turn)> then);

// Answers 200 with a document, whose memory is charged to limits.memory until it is sent; or SlowDown.
void respond_document(const session_ptr& session, const std::string& xml, std::string_view header_lines = {});

} // namespace cairn::net
