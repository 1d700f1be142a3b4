#include "net/admin/objects/object_rights.hpp"

#include "net/s3/access.hpp"
#include "net/s3/request.hpp"
#include "net/s3/router.hpp"
#include "net/wire/grammar/fields.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

// The request that uses a right.
struct right_row {
  std::string_view name, method, parameter;
  bool of_object = true;
};
constexpr right_row right_rows[] = {{"list", "GET", "", false},
                                    {"list_versions", "GET", "versions", false},
                                    {"read", "GET", ""},
                                    {"write", "PUT", ""},
                                    {"delete", "DELETE", ""},
                                    {"delete_versions", "DELETE", "versionId"},
                                    {"read_tags", "GET", "tagging"},
                                    {"write_tags", "PUT", "tagging"}};

s3_target target_of(const object_rights_query& asked, const right_row& row) {
  s3_target out;
  out.bucket = asked.bucket.name;
  if (!row.parameter.empty()) out.query.push_back({std::string{row.parameter}, ""});
  if (row.of_object) {
    out.key = asked.object.empty() ? "*" : asked.object; // of an empty prefix: any key
  } else {
    out.query.push_back({"prefix", std::string{asked.object}});
    out.query.push_back({"delimiter", "/"});
  }
  return out;
}

bool has_right(const object_rights_query& asked, const right_row& row, const boost::beast::http::fields& head) {
  request r;
  r.target = target_of(asked, row);
  const auto routed = route(asked.operations, row.method, r.target);
  if (routed.refused) return false;
  r.operation = routed.operation;
  r.route = routed.route;
  r.key = asked.key;
  r.signer.emplace();
  r.signer->claim.access_key = asked.access_key;
  r.signer->claim.signed_at = asked.sender.now;
  r.by.by = asked.key ? metadata::allowed_by::key : metadata::allowed_by::configuration;
  r.by.key = asked.key ? asked.key->id : std::string{};
  const auto asked_access = describe_access(r, head, asked.sender);
  r.by.asked = asked_access;
  const auto ruling_on = [&](storage::policy::action one, bool without_list = false) {
    return judge(r.by, one, asked.key.get(), asked.bucket, {.key = r.target.key, .without_list = without_list}).made;
  };
  return std::ranges::none_of(asked_access->actions, [&](storage::policy::action one) {
    r.by.asked = asked_access;
    if (const auto made = ruling_on(one); made != metadata::ruling::undecided) return made == metadata::ruling::denied;
    // It depends on the object's row. What the object's access control list may grant does not count.
    auto without_acl = *asked_access;
    without_acl.by_acl = false;
    r.by.asked = std::make_shared<const metadata::asked_access>(std::move(without_acl));
    return ruling_on(one, true) == metadata::ruling::denied;
  });
}

} // namespace

std::vector<std::pair<std::string_view, bool>> object_rights(const object_rights_query& asked) {
  boost::beast::http::fields head;
  if (!asked.user_agent.empty()) head.set(boost::beast::http::field::user_agent, beast_view(asked.user_agent));
  std::vector<std::pair<std::string_view, bool>> out;
  for (const auto& row : right_rows) out.emplace_back(row.name, has_right(asked, row, head));
  return out;
}

} // namespace cairn::net
