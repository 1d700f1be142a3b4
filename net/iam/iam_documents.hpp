// Elements of IAM's XML answers. Pure.
#pragma once

#include "net/iam/iam_query.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "storage/metadata/read/view.hpp"

#include <string>
#include <string_view>

namespace cairn::net {

// The contents of a result element: written like a document, whose declaration is dropped.
class result_writer : public xml_writer {
public:
  result_writer() { bytes().clear(); }
};

std::string iam_arn_of(std::string_view resource); // "user/team/ann" → "arn:aws:iam::ACCOUNT:user/team/ann"
std::string version_id_text(std::uint32_t number); // "v3"

// <Path>, <UserName>, …, without an element around them.
void write_user(xml_writer& xml, const storage::metadata::user_row& row, bool with_tags);
void write_group(xml_writer& xml, const storage::metadata::group_row& row);
void write_role(xml_writer& xml, const storage::metadata::role_row& row, bool with_tags);
void write_provider(xml_writer& xml, const storage::metadata::provider_row& row);
void write_managed_policy(xml_writer& xml, const storage::metadata::policy_row& row, bool whole);
// `with_text`: also the document.
void write_policy_version(xml_writer& xml, const storage::metadata::policy_row& row,
                          const storage::metadata::policy_version& version, bool with_text);
// The text of a policy, percent-encoded as in IAM.
void write_document(xml_writer& xml, std::string_view element, std::string_view text);
// `secret`: only when the key was created; else empty.
void write_access_key(xml_writer& xml, std::string_view user, const storage::metadata::access_key_row& key,
                      std::string_view secret = {});
void write_tags(xml_writer& xml, const storage::policy::tag_pairs& tags); // <Tags>
void write_truth(xml_writer& xml, std::string_view element, bool value);

// "<CreateUserResponse><CreateUserResult>…": the whole answer of the action. `result`: empty if it has none.
std::string iam_document(std::string_view action, std::string_view result, std::string_view request_id,
                         std::string_view name_space = iam_name_space);

} // namespace cairn::net
