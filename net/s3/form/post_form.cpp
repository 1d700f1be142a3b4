#include "net/s3/form/post_form.hpp"

#include "net/s3/auth/sigv2.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/tags.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/field_text.hpp"
#include "net/wire/grammar/fields.hpp"
#include "storage/metadata/rows/names.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

namespace http = boost::beast::http;
using refusal = std::optional<s3_error>;

constexpr std::string_view file_name_variable = "${filename}";

constexpr std::array<std::string_view, 7> plain_fields{"cache-control",    "content-type",     "content-disposition",
                                                       "content-encoding", "content-language", "content-md5",
                                                       "expires"};
// Fields of the signature, which are not headers of PutObject.
constexpr std::array<std::string_view, 5> protocol_fields{"x-amz-algorithm", "x-amz-credential", "x-amz-date",
                                                          "x-amz-signature", "x-amz-security-token"};

template <std::size_t N>
bool is_one_of(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

s3_error missing_field(std::string_view name) {
  return invalid_argument("Bucket POST must contain a field named '" + std::string{name} +
                          "'.  If it is specified, please check the order of the fields.");
}

// False: the text becomes longer than form_text_bytes_max.
bool expand(std::string& text, std::string_view file_name) {
  for (auto at = text.find(file_name_variable); at != text.npos;
       at = text.find(file_name_variable, at + file_name.size())) {
    text.replace(at, file_name_variable.size(), file_name);
    if (text.size() > form_text_bytes_max) return false;
  }
  return true;
}

refusal add_header(http::fields& head, std::string_view name, std::string_view value) {
  if (!is_token(name)) return invalid_argument("The field " + std::string{name} + " is no name of a header.");
  if (!is_header_value(value)) return invalid_argument("A control character in " + std::string{name} + ".");
  if (head.find(beast_view(name)) != head.end())
    return invalid_argument("Two fields of the form stand for the header " + std::string{name} + ".");
  head.insert(beast_view(name), beast_view(trimmed(value)));
  return std::nullopt;
}

// Converts a Tagging document to the header x-amz-tagging.
refusal add_tags(http::fields& head, std::string_view document) {
  const auto tags = read_tagging(document);
  if (const auto* refused = std::get_if<s3_error>(&tags)) return *refused;
  std::string header;
  for (const auto& [name, value] : std::get<tag_list>(tags)) {
    if (!header.empty()) header += '&';
    append_percent_encoded(header, name, false);
    header += '=';
    append_percent_encoded(header, value, false);
  }
  return add_header(head, "x-amz-tagging", header);
}

refusal add_field(http::fields& head, const form_field& field) {
  if (field.name == "acl") return add_header(head, "x-amz-acl", field.value);
  if (field.name == "tagging") return add_tags(head, field.value);
  const bool about_object = field.name.starts_with("x-amz-") && !is_one_of(protocol_fields, field.name);
  if (about_object || is_one_of(plain_fields, field.name)) return add_header(head, field.name, field.value);
  return std::nullopt;
}

refusal read_key(post_form& form) {
  const auto* key = form.find("key");
  if (!key) return missing_field("key");
  if (key->empty()) return invalid_argument("User key must have a length greater than 0.");
  if (key->size() > storage::metadata::key_bytes_max) return key_too_long();
  if (!storage::metadata::valid_key(*key)) return invalid_argument("The key is not valid UTF-8 without NUL.");
  form.key = *key;
  return std::nullopt;
}

// S3 ignores a redirect that it cannot interpret as a URL.
bool is_url(std::string_view text) {
  return (istarts_with(text, "http://") || istarts_with(text, "https://")) &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

} // namespace

const std::string* post_form::find(std::string_view name) const {
  const auto found =
      std::find_if(fields.begin(), fields.end(), [name](const auto& field) { return field.name == name; });
  return found == fields.end() ? nullptr : &found->value;
}

bool post_form::carries_credentials() const {
  constexpr std::array<std::string_view, 6> marks{"policy",           "x-amz-signature", "x-amz-algorithm",
                                                  "x-amz-credential", "signature",       "awsaccesskeyid"};
  return std::any_of(marks.begin(), marks.end(), [this](std::string_view name) { return find(name) != nullptr; });
}

std::variant<post_form, s3_error> read_post_form(form_parser& parser) {
  post_form form;
  form.delimiter = parser.delimiter();
  std::size_t bytes = 0;
  for (auto& [sent_name, sent_value] : parser.fields()) {
    form_field field{ascii_lower(sent_name), std::move(sent_value)};
    if (form.find(field.name)) return invalid_argument("The field " + field.name + " comes twice.");
    bytes += field.name.size();
    if (!expand(field.value, parser.file_name()) || (bytes += field.value.size()) > form_text_bytes_max)
      return s3_error{400, "MaxPostPreDataLengthExceededError",
                      "Your POST request fields preceding the upload file were too large."};
    if (auto refused = add_field(form.head, field)) return std::move(*refused);
    form.fields.push_back(std::move(field));
  }
  if (auto refused = read_key(form)) return std::move(*refused);
  return form;
}

std::variant<signature_claim, s3_error> read_form_signature(const post_form& form) {
  if (!form.find("policy")) return missing_field("policy");
  const auto* const token = form.find("x-amz-security-token"); // the policy must name it, as every field
  const bool version_4 = form.find("x-amz-algorithm") || form.find("x-amz-credential") || form.find("x-amz-signature");
  const auto *key = form.find("awsaccesskeyid"), *signature = form.find("signature");
  if (version_4 && (key || signature)) return invalid_argument("Only one signature of a form is allowed.");
  if (key || signature) {
    if (!key) return missing_field("AWSAccessKeyId");
    if (!signature) return missing_field("signature");
    if (token && !token->empty()) return invalid_token();
    return policy_signature_2(*key, *signature);
  }
  for (const auto* name : {"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature"})
    if (!form.find(name)) return missing_field(name);
  return read_policy_signature({*form.find("x-amz-algorithm"), *form.find("x-amz-credential"), *form.find("x-amz-date"),
                                *form.find("x-amz-signature"), token ? std::string_view{*token} : std::string_view{}});
}

form_success success_of(const post_form& form, std::string_view bucket, std::string_view etag) {
  form_success success;
  const auto* url = form.find("success_action_redirect");
  if (!url) url = form.find("redirect"); // its older name
  if (url && is_url(*url)) {
    success.status = 303;
    const std::string_view fragment{url->begin() + static_cast<std::ptrdiff_t>(std::min(url->find('#'), url->size())),
                                    url->end()};
    success.redirect = url->substr(0, url->size() - fragment.size());
    success.redirect += success.redirect.find('?') == std::string::npos ? "?bucket=" : "&bucket=";
    append_percent_encoded(success.redirect, bucket, false);
    success.redirect += "&key=";
    append_percent_encoded(success.redirect, form.key, false);
    success.redirect += "&etag=";
    append_percent_encoded(success.redirect, "\"" + std::string{etag} + "\"", false);
    success.redirect += fragment;
    return success;
  }
  const auto* status = form.find("success_action_status");
  if (status && *status == "200") success.status = 200;
  if (status && *status == "201") success.status = 201;
  return success;
}

std::string post_response_xml(std::string_view location, std::string_view bucket, std::string_view key,
                              std::string_view etag) {
  xml_writer xml;
  xml.open("PostResponse");
  xml.text("Location", location);
  xml.text("Bucket", bucket);
  xml.text("Key", readable_xml(key));
  xml.text("ETag", "\"" + std::string{etag} + "\"");
  xml.close("PostResponse");
  return xml.take();
}

} // namespace cairn::net
