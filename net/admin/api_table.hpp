// The admin API, version 1: one table from which requests are dispatched (admin_api.cpp), checked, and documented
// (openapi.cpp). Operations take what they need from the path and the query; there are no bodies. Answers are JSON
// objects; with format=text, where a row allows it, text for people.
#pragma once

#include "actors/protocol/admin_command.hpp"
#include "base/third_party/beast_message.hpp"
#include "net/admin/admin_http.hpp"
#include "net/wire/grammar/uri.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace cairn::net {

struct api_services; // admin_api.hpp
struct api_call;

enum class api_right : std::uint8_t {
  anyone,    // needs neither token nor session
  signed_in, // any access key's session; answers are about what the key may see
  operators, // the admin token, or a session of the root key or the token
};

struct api_parameter {
  std::string_view name, type; // type: as a field's, or values: "on|off"
  bool required = false;
  std::string_view help;
};

// A member of an answer. Type: "string", "integer", "boolean", or the name of a schema; "[…]": an array of it; a '?' at
// its end: or null.
struct api_field {
  std::string_view name, type, help = {};
};
struct api_schema {
  std::string_view name;
  std::span<const api_field> fields; // all of them are always there
};

struct api_row {
  boost::beast::http::verb method;
  std::string_view path; // "/v1/nodes/{node}/drain": at most one segment is a name in braces
  api_right right;
  std::string_view name;    // its operationId
  std::string_view command; // of the command line: a verb, or a kind of keys_page.hpp; empty: none
  std::string_view summary; // empty: the help of `verb`
  void (*handle)(api_services& services, const api_call& call, const admin_done& done);
  std::span<const api_parameter> parameters;
  std::string_view schema;                      // of the answer
  bool text = false;                            // takes format=text
  const actors::admin_verb_row* verb = nullptr; // of handle_verb
};

std::span<const api_row> api_rows();
std::span<const api_schema> api_schemas();

struct api_match {
  const api_row* row = nullptr; // null: no row has this path, or none with this method
  std::string subject;          // what stands for the name in braces, decoded
  std::string allowed;          // the methods of the path, "GET, POST"; empty: there is no such path
};
// HEAD is taken as GET.
api_match find_api_row(boost::beast::http::verb method, std::string_view path);

// Whether these are parameters of the row, and all that it needs. invalid_argument says which are not.
result<void> check_parameters(const api_row& row, const request_target& asked);

std::string_view summary_of(const api_row& row);

// The OpenAPI 3.1 document of the table (openapi.cpp).
json_object openapi_document(std::string_view version);

} // namespace cairn::net
