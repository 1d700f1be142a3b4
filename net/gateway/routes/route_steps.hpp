// Steps that the routes share: reading a small body, a turn for what costs much work. On the session's strand.
#pragma once

#include "net/gateway/ask.hpp"

namespace cairn::net {

// With the bucket of the request as it is now, whichever node changed it last.
void with_bucket(const session_ptr& session, std::function<void(const storage::metadata::bucket_row&)> then);

// Commits and answers with `status`.
void commit(const session_ptr& session, storage::metadata::command command, unsigned status,
            const std::string& header_lines = {});

// Reads the whole body, of at most `bytes_max`, and goes on with it. Its memory, and that of what is made of it, counts
// against limits.memory as it comes. Refused: 411 without Content-Length, 400 MalformedXML when it is longer, BadDigest
// when it is not what Content-MD5 or a checksum header announces, SlowDown.
enum class body_checksums : std::uint8_t { of_the_body, of_something_else };
void collect_body(const session_ptr& session, std::size_t bytes_max, const std::function<void(std::string body)>& then,
                  body_checksums headers = body_checksums::of_the_body);

// Goes on when it is the request's turn, which lasts as long as a copy of it.
using turn = fair_turns::turn;
void with_turn(const session_ptr& session, fair_turns& turns, std::function<void(turn)> then);

// 200 with a document whose memory counts against limits.memory until it is sent; or SlowDown.
void respond_document(const session_ptr& session, const std::string& xml, std::string_view header_lines = {});

} // namespace cairn::net
