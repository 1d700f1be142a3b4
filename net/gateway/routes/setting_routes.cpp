#include "net/gateway/routes/setting_routes.hpp"

#include "net/s3/access.hpp"
#include "net/s3/operations/versions_xml.hpp"
#include "net/s3/router.hpp"
#include "net/s3/xml/acl_xml.hpp"
#include "net/s3/xml/cors.hpp"
#include "net/s3/xml/lifecycle_xml.hpp"
#include "net/s3/xml/settings.hpp"
#include "net/s3/xml/tags.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/fields.hpp"
#include "storage/policy/policy.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

void answer_document(const session_ptr& session, const std::string& document, std::string_view lines = {}) {
  session->respond(200, whole_answer(200, session->basics(), "application/xml", document, lines));
}

void with_object(const session_ptr& session, std::function<void(const actors::found_object&)> then) {
  const auto& target = session->current().target;
  ask<actors::found_object>(
      session, [then = std::move(then)](const actors::found_object& found) { then(found); }, actors::lookup_atom_v,
      actors::object_name{target.bucket, target.key, false, session->current().version, session->current().judged()});
}

void answer_unsupported(const session_ptr& session) {
  const auto& target = session->current().target;
  const auto setting = setting_answer(sub_resource_of(target), !target.key.empty());
  if (const auto* refused = std::get_if<s3_error>(&setting)) return session->respond_error(*refused);
  answer_document(session, std::get<std::string>(setting));
}

// By its policy or its access control list.
bool is_public(const metadata::bucket_row& row) {
  const bool ignores = (row.public_block & metadata::public_block::ignore_acls) != 0;
  const auto* const policy = row.policy.empty() ? nullptr : row.policy.compiled();
  return (!ignores && row.list_is_public()) || (policy != nullptr && policy->is_public());
}

void read_of_bucket(const session_ptr& session, const metadata::bucket_row& row) {
  const auto what = sub_resource_of(session->current().target);
  if (what == "acl") return answer_document(session, acl_document({row.public_read, row.public_write, row.grants}));
  if (what == "policy" && !row.policy.empty())
    return session->respond(200, whole_answer(200, session->basics(), "application/json", row.policy.text()));
  if (what == "policyStatus") return answer_document(session, policy_status_document(is_public(row)));
  if (what == "publicAccessBlock" && row.public_block != 0)
    return answer_document(session, public_block_document(row.public_block));
  if (what == "versioning") return answer_document(session, versioning_document(row.versioning));
  if (what == "location") return answer_document(session, location_document(session->shared().region));
  if (what == "lifecycle" && !row.lifecycle.empty())
    return answer_document(session, lifecycle_document(row.lifecycle), transition_size_line());
  if (what == "cors" && !row.cors.empty()) return answer_document(session, cors_document(row.cors));
  if (what == "tagging" && !row.tags.empty()) return answer_document(session, tagging_xml(row.tags));
  if (what == "ownershipControls" && row.ownership != metadata::ownership::not_given)
    return answer_document(session, ownership_document(row.ownership));
  answer_unsupported(session);
}

void read_of_object(const session_ptr& session, const actors::found_object& found) {
  const auto& row = *found.row;
  if (const auto refused = refused_object(session->current(), found.bucket.get(), &row))
    return session->respond_error(*refused);
  const bool without_lists = found.bucket && found.bucket->ownership == metadata::ownership::enforced;
  const auto& kept = row.extras;
  if (sub_resource_of(session->current().target) == "acl")
    return answer_document(session, without_lists ? acl_document({})
                                                  : acl_document({kept.public_read, false, kept.grants}, kept.owner));
  answer_unsupported(session);
}

metadata::set_bucket change_of(const session_ptr& session) {
  metadata::set_bucket command;
  command.name = session->current().target.bucket;
  command.by = session->current().by;
  return command;
}

void write_tagging(const session_ptr& session) {
  collect_body(session, tagging_body_bytes_max, [session](const std::string& body) {
    auto tags = read_tagging(body, bucket_tags_max);
    if (const auto* refused = std::get_if<s3_error>(&tags)) return session->respond_error(*refused);
    auto command = change_of(session);
    command.tags = std::move(std::get<tag_list>(tags));
    commit(session, std::move(command), 204);
  });
}

void commit_acl_of_object(const session_ptr& session, const access_list& list) {
  const auto& target = session->current().target;
  metadata::set_extras command;
  command.bucket = target.bucket;
  command.key = target.key;
  if (list.grants)
    command.grants = list.grants;
  else
    command.public_read = list.public_read;
  command.version = session->current().version;
  command.by = session->current().by;
  commit(session, std::move(command), 200);
}

void commit_acl(const session_ptr& session, const access_list& list) {
  with_known_grantees(session, grantees_in(list), [session, list] {
    if (!session->current().target.key.empty()) return commit_acl_of_object(session, list);
    auto command = change_of(session);
    set_list(command, list);
    commit(session, std::move(command), 200);
  });
}

// The access control list is in the headers or in the body. `owner`: of the object; empty: the account.
void write_judged_acl(const session_ptr& session, const std::string& owner) {
  const bool of_object = !session->current().target.key.empty();
  const auto sent = read_list(session->fields(), of_object);
  if (const auto* refused = std::get_if<s3_error>(&sent)) return session->respond_error(*refused);
  collect_body(
      session, acl_body_bytes_max, [session, of_object, owner, list = std::get<0>(sent)](const std::string& body) {
        if (list && !body.empty())
          return session->respond_error({400, "UnexpectedContent", "A list in the headers and another in the body."});
        if (list) return commit_acl(session, *list);
        if (body.empty())
          return session->respond_error({400, "MissingSecurityHeader",
                                         "Your request was missing a required header: x-amz-acl, or a list as body."});
        const auto read = read_acl_document(body, of_object, owner);
        if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
        commit_acl(session, std::get<access_list>(read));
      });
}

// A document names the object's owner. And who may do this only if the object's own list grants it is refused before
// the body is read and a command is logged.
void write_acl(const session_ptr& session) {
  if (session->current().target.key.empty()) return write_judged_acl(session, {});
  with_object(session, [session](const actors::found_object& found) {
    if (const auto refused = refused_object(session->current(), found.bucket.get(), found.row.get()))
      return session->respond_error(*refused);
    write_judged_acl(session, found.row->extras.owner);
  });
}

void write_cors(const session_ptr& session) {
  collect_body(session, cors_body_bytes_max, [session](const std::string& body) {
    auto rules = read_cors_document(body);
    if (const auto* refused = std::get_if<s3_error>(&rules)) return session->respond_error(*refused);
    auto command = change_of(session);
    command.cors = std::move(std::get<cors_rules>(rules));
    commit(session, std::move(command), 200);
  });
}

void write_versioning(const session_ptr& session) {
  collect_body(session, versioning_body_bytes_max, [session](const std::string& body) {
    const auto wanted = read_versioning_document(body);
    if (const auto* refused = std::get_if<s3_error>(&wanted)) return session->respond_error(*refused);
    auto command = change_of(session);
    command.versioning = std::get<std::uint8_t>(wanted);
    commit(session, std::move(command), 200);
  });
}

void write_lifecycle(const session_ptr& session) {
  if (const auto size = find_field(session->fields(), transition_size_header))
    if (const auto refused = refused_transition_size(*size)) return session->respond_error(*refused);
  collect_body(session, lifecycle_body_bytes_max, [session](const std::string& body) {
    auto rules = read_lifecycle_document(body);
    if (const auto* refused = std::get_if<s3_error>(&rules)) return session->respond_error(*refused);
    auto command = change_of(session);
    command.lifecycle = std::move(std::get<lifecycle_rule_list>(rules));
    commit(session, std::move(command), 200, transition_size_line());
  });
}

void write_ownership(const session_ptr& session) {
  collect_body(session, ownership_body_bytes_max, [session](const std::string& body) {
    const auto wanted = read_ownership(body);
    if (const auto* refused = std::get_if<s3_error>(&wanted)) return session->respond_error(*refused);
    auto command = change_of(session);
    command.ownership = std::get<std::uint8_t>(wanted);
    ask_result<actors::committed>(
        session,
        [session](const result<actors::committed>& done) {
          if (done) return session->respond_empty(200);
          if (done.error() == errc::acl_not_supported) return session->respond_error(ownership_refused_by_acl());
          session->respond_failure(done.error());
        },
        actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
  });
}

metadata::set_bucket_access access_change_of(const session_ptr& session) {
  metadata::set_bucket_access command;
  command.name = session->current().target.bucket;
  command.by = session->current().by;
  return command;
}

s3_error malformed_policy(const std::string& why) {
  return {400, "MalformedPolicy", "The policy is refused: " + why + "."};
}

void write_policy(const session_ptr& session) {
  constexpr auto bytes_max = storage::policy::policy_bytes_max;
  if (!session->http().chunked() && session->http().body_left() > bytes_max)
    return session->respond_error(malformed_policy("it has more than " + std::to_string(bytes_max) + " bytes"));
  collect_body(session, bytes_max, [session](const std::string& body) {
    const auto compiled =
        storage::policy::policy::compile(body, storage::policy::owner_kind::bucket, session->current().target.bucket);
    if (!compiled) return session->respond_error(malformed_policy(compiled.error().text));
    auto command = access_change_of(session);
    command.policy = body;
    commit(session, std::move(command), 204);
  });
}

void write_public_block(const session_ptr& session) {
  collect_body(session, public_block_body_bytes_max, [session](const std::string& body) {
    const auto block = read_public_block(body);
    if (const auto* refused = std::get_if<s3_error>(&block)) return session->respond_error(*refused);
    auto command = access_change_of(session);
    command.public_block = std::get<std::uint8_t>(block);
    commit(session, std::move(command), 200);
  });
}

void remove_access_setting(const session_ptr& session, bool policy) {
  auto command = access_change_of(session);
  if (policy)
    command.policy.emplace();
  else
    command.public_block = 0;
  commit(session, std::move(command), 204);
}

bool is_delete(const session_ptr& session) {
  return session->http().parser().get().method() == boost::beast::http::verb::delete_;
}

} // namespace

void read_setting(const session_ptr& session) {
  if (session->current().target.key.empty())
    return with_bucket(session, [session](const metadata::bucket_row& row) { read_of_bucket(session, row); });
  with_object(session, [session](const actors::found_object& found) { read_of_object(session, found); });
}

void write_setting(const session_ptr& session) {
  const auto what = sub_resource_of(session->current().target);
  if (what == "policy" && !is_delete(session)) return write_policy(session);
  if (what == "publicAccessBlock" && !is_delete(session)) return write_public_block(session);
  if (what == "ownershipControls" && !is_delete(session)) return write_ownership(session);
  if (what == "acl") return write_acl(session);
  if (what == "versioning") return write_versioning(session);
  if (what == "cors" && !is_delete(session)) return write_cors(session);
  if (what == "lifecycle" && !is_delete(session)) return write_lifecycle(session);
  if (what == "tagging" && !is_delete(session)) return write_tagging(session);
  if (what == "cors" || what == "lifecycle" || what == "tagging") {
    auto command = change_of(session);
    if (what == "cors")
      command.cors.emplace();
    else if (what == "lifecycle")
      command.lifecycle.emplace();
    else
      command.tags.emplace();
    return commit(session, std::move(command), 204);
  }
  with_bucket(session, [session, what](const metadata::bucket_row& row) {
    if (what == "policy" && !row.policy.empty()) return remove_access_setting(session, true);
    if (what == "publicAccessBlock" && row.public_block != 0) return remove_access_setting(session, false);
    // DELETE of a setting that does not exist.
    if (what != "ownershipControls" || row.ownership == metadata::ownership::not_given)
      return session->respond_empty(204);
    auto command = change_of(session);
    command.ownership = metadata::ownership::not_given;
    commit(session, std::move(command), 204);
  });
}

void preflight(const session_ptr& session) {
  const auto& request = session->current();
  const auto allowed = allow_header(request.target);
  if (request.target.bucket.empty()) return session->respond_empty(200, allowed);
  if (request.origin.empty())
    return session->respond_error(
        {400, "BadRequest", "OPTIONS needs an Origin here: only browsers send preflights.", std::string{allowed}});
  static const cors_rules none;
  const auto& rules = request.bucket ? request.bucket->cors : none;
  const auto answer =
      preflight_answer(rules, {request.origin, field_of(session->fields(), "Access-Control-Request-Method"),
                               field_of(session->fields(), "Access-Control-Request-Headers")});
  if (const auto* refused = std::get_if<s3_error>(&answer)) return session->respond_error(*refused);
  session->respond_empty(200, std::get<std::string>(answer));
}

void set_list(metadata::set_bucket& change, const access_list& list) {
  if (list.grants) {
    change.grants = list.grants;
    return;
  }
  change.public_read = list.public_read;
  if (list.public_read) change.public_objects = false;
  if (list.public_write) change.public_write = true;
}

std::variant<metadata::bucket_settings, s3_error> read_bucket_headers(const session_ptr& session) {
  metadata::bucket_settings settings;
  for (const auto& field : session->fields()) {
    const auto name = view_of(field.name_string()), value = view_of(field.value());
    if (iequals(name, "x-amz-bucket-object-lock-enabled")) {
      settings.lock = iequals(value, "true");
      if (!settings.lock && !iequals(value, "false"))
        return s3_error{400, "InvalidArgument", "x-amz-bucket-object-lock-enabled is true or false."};
    }
    if (iequals(name, "x-amz-object-ownership")) {
      const auto ownership = ownership_of(value);
      if (!ownership)
        return s3_error{400, "InvalidArgument", "Invalid x-amz-object-ownership header: " + std::string{value}};
      settings.ownership = *ownership;
    }
  }
  auto read = read_list(session->fields(), false);
  if (auto* refused = std::get_if<s3_error>(&read)) return std::move(*refused);
  if (auto& list = std::get<std::optional<access_list>>(read)) {
    settings.public_read = list->public_read;
    settings.public_write = list->public_write;
    settings.grants = std::move(list->grants);
  }
  if (settings.has_list() && settings.ownership == metadata::ownership::enforced) return ownership_refused_by_acl();
  return settings;
}

} // namespace cairn::net
