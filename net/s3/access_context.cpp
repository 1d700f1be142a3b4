#include "net/s3/access_context.hpp"

#include "net/s3/operations/copy_source.hpp"
#include "net/s3/xml/acl_xml.hpp"
#include "net/s3/xml/object_lock_xml.hpp"
#include "net/s3/xml/settings.hpp"
#include "net/s3/xml/tags.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/fields.hpp"
#include "net/wire/grammar/http_date.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
namespace policy = storage::policy;
using policy::action;
using policy::context_key;

bool has_version(const request& request) {
  return !request.target.key.empty() && request.target.find("versionId") != nullptr;
}

// The values of keys that are named like a header: s3:x-amz-acl.
void add_headers(const boost::beast::http::fields& head, policy::context& with) {
  for (const auto& field : head) {
    const auto name = view_of(field.name_string());
    if (!istarts_with(name, "x-amz-")) continue;
    const auto named = policy::key_of("s3:" + std::string{name});
    if (named && named->key != context_key::x_amz_copy_source)
      with.set(named->key, std::string{view_of(field.value())});
  }
}

// s3:if-match and s3:if-none-match, as they are compared: joined if they came more than once. With a write the key
// s3:if-none-match is there only for "*", the one form that prevents an overwrite: policies ask for the key to enforce
// that.
void add_conditions(const request& request, policy::context& with) {
  const auto& sent = request.conditions;
  if (sent.if_match) with.set(context_key::if_match, *sent.if_match);
  if (!sent.if_none_match) return;
  if (!request.operation->changes_data) return with.set(context_key::if_none_match, *sent.if_none_match);
  const auto condition = write_condition_of(sent);
  if (condition && condition->if_absent) with.set(context_key::if_none_match, "*");
}

void add_signature(const request& request, wall_ms now, policy::context& with) {
  if (!request.signer) return;
  const auto& claim = request.signer->claim;
  with.set(context_key::auth_type, claim.of_form ? "POST" : claim.presigned ? "REST-QUERY-STRING" : "REST-HEADER");
  with.set(context_key::signature_version, claim.version_2 ? "AWS" : "AWS4-HMAC-SHA256");
  if (!claim.version_2 && !claim.of_form)
    with.set(context_key::signature_age, std::to_string(std::max<wall_ms>(now - claim.signed_at, 0)));
}

// The parameters of a listing, and the version that a request names.
void add_query(const request& request, policy::context& with) {
  const auto add = [&](std::string_view parameter, context_key key) {
    if (const auto* value = request.target.find(parameter)) with.set(key, *value);
  };
  if (request.target.key.empty()) {
    add("prefix", context_key::prefix);
    add("delimiter", context_key::delimiter);
    add("max-keys", context_key::max_keys);
  } else {
    add("versionId", context_key::version_id);
  }
}

void add_lock(const boost::beast::http::fields& head, metadata::asked_access& asked) {
  const auto mode = field_of(head, lock_mode_header), date = field_of(head, lock_until_header),
             hold = field_of(head, lock_hold_header);
  asked.with.set_object_lock(mode, date, parse_iso_time(date).value_or(0), hold);
  if (!mode.empty() || !date.empty()) asked.actions.push_back(action::put_object_retention);
  if (!hold.empty()) asked.actions.push_back(action::put_object_legal_hold);
}

// As in S3, an upload that also sets an access control list, tags or a lock needs the actions of setting them. A copy
// that keeps its source's tags sets those (with_copied_tags).
void add_settings(const boost::beast::http::fields& head, bool copies, metadata::asked_access& asked) {
  add_lock(head, asked);
  const auto gives = [](const auto& field) {
    return gives_rights(view_of(field.name_string()), view_of(field.value()));
  };
  if (std::any_of(head.begin(), head.end(), gives)) asked.actions.push_back(action::put_object_acl);
  if (copies && !replaces_tags(head)) {
    asked.with.body_known = false;
    return;
  }
  const auto tagging = field_of(head, "x-amz-tagging");
  if (tagging.empty()) return;
  const auto tags = read_tagging_header(tagging);
  if (const auto* read = std::get_if<tag_list>(&tags)) {
    asked.with.set_request_tags(*read);
    if (!read->empty()) asked.actions.push_back(action::put_object_tagging);
  }
}

void add_source(const request& request, const boost::beast::http::fields& head, metadata::asked_access& asked) {
  const auto source = read_source(head, request.operation->renames, request.target.bucket);
  const auto* read = std::get_if<copy_source>(&source);
  if (read == nullptr) return; // will be refused
  asked.source = read->version ? action::get_object_version : action::get_object;
  if (!request.operation->renames) asked.with.set(context_key::x_amz_copy_source, read->bucket + "/" + read->key);
  if (read->version) asked.with.set(context_key::version_id, to_string(*read->version));
}

// Its body has values of condition keys.
bool sets_by_body(action a) {
  return a == action::put_object_tagging || a == action::put_object_retention || a == action::put_object_legal_hold;
}

void replace(policy::context& with, context_key key, std::string value) {
  std::erase_if(with.values, [key](const auto& v) { return v.key == key; });
  with.set(key, std::move(value));
}

} // namespace

std::shared_ptr<const metadata::asked_access>
describe_access(const request& request, const boost::beast::http::fields& head, const sender_facts& sender) {
  auto asked = std::make_shared<metadata::asked_access>();
  asked->by_acl = request.operation->public_by != publicity::none;
  if (request.route != nullptr && request.route->act != action::none) {
    const bool of_version = has_version(request) && request.route->of_version != action::none;
    asked->actions.push_back(of_version ? request.route->of_version : request.route->act);
    if (request.route->also != action::none)
      asked->actions.push_back(of_version ? action::get_object_version : request.route->also);
  }
  auto& with = asked->with;
  if (request.signer) with.kind = request.key ? policy::sender::key : policy::sender::account;
  with.time = sender.now;
  with.values.reserve(12);
  with.set(context_key::source_ip, std::string{sender.address});
  with.set(context_key::secure_transport, sender.encrypted ? "true" : "false");
  with.set(context_key::requested_region, std::string{sender.region});
  if (const auto agent = find_field(head, "User-Agent")) with.set(context_key::user_agent, std::string{*agent});
  if (const auto referer = find_field(head, "Referer")) with.set(context_key::referer, std::string{*referer});
  add_signature(request, sender.now, with);
  add_query(request, with);
  const auto& about = request.form ? request.form->head : head;
  add_headers(about, with);
  add_conditions(request, with);
  if (request.operation->sets_attributes) add_settings(about, request.operation->copies, *asked);
  if (request.operation->copies) add_source(request, head, *asked);
  if (request.route != nullptr && sets_by_body(request.route->act)) with.body_known = request.route->method != "PUT";
  return asked;
}

metadata::authority as_listing(const metadata::authority& by, std::string_view prefix) {
  return metadata::with_asked(by, [prefix](metadata::asked_access& asked) {
    asked.by_acl = true;
    replace(asked.with, context_key::prefix, std::string{prefix});
  });
}

metadata::authority with_request_tags(const metadata::authority& by, const policy::tag_pairs& tags) {
  return metadata::with_asked(by, [&tags](metadata::asked_access& asked) { asked.with.set_request_tags(tags); });
}

metadata::authority with_copied_tags(const metadata::authority& by, const policy::tag_pairs& tags) {
  return metadata::with_asked(by, [&tags](metadata::asked_access& asked) {
    asked.with.set_request_tags(tags);
    if (!tags.empty()) asked.actions.push_back(action::put_object_tagging);
  });
}

metadata::authority with_object_lock(const metadata::authority& by, const metadata::object_lock& lock) {
  return metadata::with_asked(by, [&lock](metadata::asked_access& asked) {
    asked.with.set_object_lock(mode_text(lock.retained.mode), date_text(lock.retained), lock.retained.until,
                               hold_text(lock.hold));
  });
}

metadata::authority as_deletion(const metadata::authority& by, const std::optional<metadata::version_id>& version) {
  if (!version) return by;
  return metadata::with_asked(by, [&version](metadata::asked_access& asked) {
    asked.actions = {action::delete_object_version};
    replace(asked.with, context_key::version_id, to_string(*version));
  });
}

} // namespace cairn::net
