// Requests and answers of the admin port, as its connections (admin_server.cpp) and the code that answers share them.
#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/wire/grammar/fields.hpp"
#include "net/wire/session_stream.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace cairn::net {

using admin_request = boost::beast::http::request<boost::beast::http::empty_body>; // a body is not read here
using admin_response = boost::beast::http::response<boost::beast::http::string_body>;

struct admin_answer {
  admin_response response;
  bool wrong_credentials = false; // sent after a pause, so that guessing takes time
  // Instead of a response: the connection continues at `adopt`, with this head of a request of S3 and what the client
  // has sent behind its own.
  std::string s3_head = {};
  adopt_connection adopt = {};
};
using admin_done = std::function<void(admin_answer)>; // called once, on any thread

enum class answer_format : std::uint8_t { json, text };

admin_response text_response(boost::beast::http::status status, std::string body,
                             std::string_view type = "text/plain; charset=utf-8");
admin_response json_response(const json_value& value,
                             boost::beast::http::status status = boost::beast::http::status::ok);
// json: {"code", "message"}.
admin_response refusal(boost::beast::http::status status, const error& why, answer_format format);
admin_response refusal(const error& why, answer_format format); // with the status of the error's code

} // namespace cairn::net
