#include "net/s3/response.hpp"

#include "net/wire/grammar/http_date.hpp"

#include <array>
#include <charconv>

namespace cairn::net {

namespace {

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits{};
  const auto [end, problem] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  out.append(digits.data(), end);
}

// The Date line changes once a second; each thread keeps its own copy.
std::string_view date_line(wall_ms now) {
  thread_local std::int64_t second = -1;
  thread_local std::string line;
  if (const auto current = whole_seconds(now); current != second || line.empty()) {
    second = current;
    line = "Date: ";
    append_http_date(line, current);
    line += "\r\n";
  }
  return line;
}

} // namespace

std::string_view reason_phrase(unsigned status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 400: return "Bad Request";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 505: return "HTTP Version Not Supported";
    case 507: return "Insufficient Storage";
    default: return "Unknown";
  }
}

head_builder::head_builder(unsigned status, const answer_basics& basics, std::size_t reserve_bytes) {
  out_.reserve(reserve_bytes);
  out_ += "HTTP/1.1 ";
  append_number(out_, status);
  out_ += ' ';
  out_ += reason_phrase(status);
  out_ += "\r\nServer: Cairn\r\n";
  out_ += date_line(basics.now);
  out_ += "x-amz-request-id: ";
  out_ += basics.request_id;
  out_ += "\r\n";
  out_ += basics.lines;
  if (basics.close)
    out_ += "Connection: close\r\n";
  else if (basics.http_1_0)
    out_ += "Connection: keep-alive\r\n";
}

head_builder& head_builder::add(std::string_view name, std::string_view value) {
  out_ += name;
  out_ += ": ";
  out_ += value;
  out_ += "\r\n";
  return *this;
}

head_builder& head_builder::add(std::string_view name, std::uint64_t value) {
  out_ += name;
  out_ += ": ";
  append_number(out_, value);
  out_ += "\r\n";
  return *this;
}

head_builder& head_builder::lines(std::string_view complete_lines) {
  out_ += complete_lines;
  return *this;
}

std::string head_builder::take() {
  out_ += "\r\n";
  return std::move(out_);
}

std::string whole_answer(unsigned status, const answer_basics& basics, std::string_view content_type,
                         std::string_view body, std::string_view header_lines, bool head_only) {
  head_builder head{status, basics, 512 + (head_only ? 0 : body.size())};
  head.lines(header_lines);
  if (!content_type.empty()) head.add("Content-Type", content_type);
  if (status != 204 && status != 304) head.add("Content-Length", body.size());
  auto bytes = head.take();
  if (!head_only) bytes += body;
  return bytes;
}

std::string error_answer(const s3_error& problem, const answer_basics& basics, std::string_view resource,
                         bool head_only) {
  return whole_answer(problem.status, basics, "application/xml", error_xml(problem, resource, basics.request_id),
                      problem.headers, head_only);
}

} // namespace cairn::net
