// The fields of a POST form: the headers of PutObject, the key, the signature, the wanted answer ("POST Object", S3 API
// reference). Pure.
//
// ${filename} in any field is replaced with the name of the file before the fields are interpreted and before the
// policy is checked. Names of fields are case-insensitive. A repeated field is refused.
#pragma once

#include "base/third_party/beast_message.hpp"
#include "net/s3/auth/sigv4.hpp"
#include "net/s3/form/post_policy.hpp"

namespace cairn::net {

struct post_form {
  std::vector<form_field> fields;  // names in lower case
  boost::beast::http::fields head; // the fields about the object, as headers of PutObject
  std::string delimiter;           // at the end of the file
  std::string key;

  const std::string* find(std::string_view name) const; // null: no such field
  bool carries_credentials() const;                     // whether the form has credentials; otherwise it is anonymous
};

// Requires parser.at_file(). InvalidArgument, KeyTooLongError, the errors of a tagging document.
std::variant<post_form, s3_error> read_post_form(form_parser& parser);

// Of a form that carries credentials, of either version. The claim is checked with check_claim and
// check_policy_signature, or check_policy_signature_2.
std::variant<signature_claim, s3_error> read_form_signature(const post_form& form);

// The answer to a successful upload: 303 to a URL, 200, 201 with a document, or 204.
struct form_success {
  unsigned status = 204;
  std::string redirect; // 303: the URL
};
form_success success_of(const post_form& form, std::string_view bucket, std::string_view etag);
std::string post_response_xml(std::string_view location, std::string_view bucket, std::string_view key,
                              std::string_view etag);

} // namespace cairn::net
