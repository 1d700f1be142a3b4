// Request heads. A head is found wherever it is cut, and what check_head accepts Beast reads in the same way: a second
// opinion on how the body is delimited, which is what request smuggling lives on.
#include "base/error.hpp"
#include "base/third_party/beast.hpp"
#include "net/wire/grammar/head_check.hpp"

#include <boost/beast/src.hpp>

#include <string_view>

namespace {

void compare_with_beast(std::string_view head) {
  namespace http = boost::beast::http;
  const auto info = cairn::net::check_head(head);
  if (info.refused) {
    CAIRN_ASSERT(info.refused->status >= 400 && !info.refused->reason.empty());
    return;
  }
  CAIRN_ASSERT(!(info.chunked && info.content_length));
  http::request_parser<http::empty_body> parser;
  parser.body_limit(boost::none);
  parser.header_limit(static_cast<std::uint32_t>(head.size()) + 1);
  boost::system::error_code failed;
  parser.put(boost::asio::buffer(head), failed);
  if (!parser.is_header_done()) return; // stricter than we are: the session answers 400
  CAIRN_ASSERT(parser.chunked() == info.chunked);
  const auto length = parser.content_length();
  CAIRN_ASSERT(length.has_value() == info.content_length.has_value());
  if (length) CAIRN_ASSERT(*length == *info.content_length);
}

} // namespace

// One byte says where the bytes are cut.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes{reinterpret_cast<const char*>(data) + 1, size - 1};
  const auto whole = cairn::net::scan_head(bytes, 0);
  const auto first = cairn::net::scan_head(bytes.substr(0, std::min<std::size_t>(data[0], bytes.size())), 0);
  if (first.state == cairn::net::scan_state::incomplete) {
    const auto second = cairn::net::scan_head(bytes, first.length);
    CAIRN_ASSERT(second.state == whole.state && second.length == whole.length);
  } else {
    CAIRN_ASSERT(first.state == whole.state && first.length == whole.length);
  }
  if (whole.state == cairn::net::scan_state::complete) compare_with_beast(bytes.substr(0, whole.length));
  (void)cairn::net::check_head(bytes); // also what no scan let through
  return 0;
}
