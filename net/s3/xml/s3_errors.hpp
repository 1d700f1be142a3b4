// S3's errors: status, code and message of an error answer. Pure.
#pragma once

#include "base/error.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::net {

struct s3_error {
  unsigned status = 500;
  std::string_view code = "InternalError"; // static text
  std::string message;
  std::string headers{}; // further header lines, each with its CRLF: "Allow: GET\r\n"
  std::vector<std::pair<std::string_view, std::string>> details{}; // further elements of the document; static names
};

// The answer for an error of the store. Texts of internal faults go only to the log.
s3_error s3_error_of(const error& reason);

// 501 that names the feature: "<feature> is not implemented".
s3_error not_implemented(std::string_view feature);
s3_error invalid_argument(std::string message); // 400
s3_error key_too_long();                        // 400: more than key_bytes_max
s3_error malformed_xml(std::string message);    // 400

// <Error> document.
std::string error_xml(const s3_error& problem, std::string_view resource, std::string_view request_id);

} // namespace cairn::net
