// Response heads, built by appending: no stream, no serialiser, one allocation.
#pragma once

#include "base/seams.hpp"
#include "net/s3/xml/s3_errors.hpp"

#include <string>
#include <string_view>

namespace cairn::net {

// The parts that all answers of one request have in common.
struct answer_basics {
  std::string request_id;
  wall_ms now = 0;
  bool close = false;    // "Connection: close"
  bool http_1_0 = false; // keeping the connection must be announced in the answer
  std::string lines{};   // further headers of every answer: CORS, and the connection's
};

class head_builder {
public:
  // Status line, Server, Date, x-amz-request-id, Connection.
  head_builder(unsigned status, const answer_basics& basics, std::size_t reserve_bytes = 512);
  head_builder& add(std::string_view name, std::string_view value);
  head_builder& add(std::string_view name, std::uint64_t value);
  head_builder& lines(std::string_view complete_lines); // "Allow: GET\r\n"
  std::string& bytes() { return out_; }                 // to append to; complete lines only
  std::string take();                                   // with the empty line

private:
  std::string out_;
};

// A whole answer with a small body.
std::string whole_answer(unsigned status, const answer_basics& basics, std::string_view content_type,
                         std::string_view body, std::string_view header_lines = {}, bool head_only = false);
// A whole answer with the error document. `head_only`: the same head without the body (HEAD).
std::string error_answer(const s3_error& problem, const answer_basics& basics, std::string_view resource,
                         bool head_only);

std::string_view reason_phrase(unsigned status);

} // namespace cairn::net
