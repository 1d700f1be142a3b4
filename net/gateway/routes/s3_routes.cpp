#include "net/gateway/routes/s3_routes.hpp"

#include "net/gateway/routes/bucket_routes.hpp"
#include "net/gateway/routes/copy_routes.hpp"
#include "net/gateway/routes/delete_objects.hpp"
#include "net/gateway/routes/multipart_routes.hpp"
#include "net/gateway/routes/object_routes.hpp"
#include "net/gateway/routes/route_steps.hpp"
#include "net/gateway/routes/setting_routes.hpp"
#include "net/s3/access.hpp"
#include "net/s3/operations/list_request.hpp"
#include "net/s3/operations/versions_xml.hpp"
#include "net/wire/grammar/fields.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

constexpr int empty_pages_max = 32; // a page may examine its rows without finding any

void delete_object(const session_ptr& session) {
  const auto& request = session->current();
  if (request.version && !request.may(version_removal_rights)) return session->respond_error(version_removal_denied());
  const auto sent = [&session](std::string_view name) {
    return std::optional<std::string>{find_field(session->fields(), name)};
  };
  auto only_if = removal_condition_of(
      {request.conditions.if_match, sent("x-amz-if-match-last-modified-time"), sent("x-amz-if-match-size")});
  if (!only_if) return session->respond_failure(only_if.error());
  auto others = request.conditions;
  others.if_match.reset();
  auto condition = write_condition_of(others);
  if (!condition) return session->respond_failure(condition.error());
  metadata::delete_object command;
  command.bucket = request.target.bucket;
  command.key = request.target.key;
  command.now = session->shared().clock.wall();
  command.condition = std::move(*condition);
  command.only_if = std::move(*only_if);
  command.version = request.version;
  command.by = request.authority(request.version ? version_removal_rights : 0);
  ask<actors::committed>(
      session,
      [session](const actors::committed& done) {
        auto told = metadata::version_outcome_of(done.result);
        if (session->current().version) told.id = session->current().version;
        auto lines = version_lines(told);
        if (lines.empty() && told.id) lines = "x-amz-version-id: " + to_string(*told.id) + "\r\n";
        session->respond_empty(204, lines);
      },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
}

void ask_page(const session_ptr& session, const turn& mine, const list_request& list, int tries) {
  // S3 answers max-keys=0 with an empty page, but only of a bucket that exists.
  const bool nothing_wanted = list.query.keys_max == 0;
  auto query = list.query;
  query.judged = session->current().judged();
  if (nothing_wanted) query.keys_max = 1;
  ask<actors::listing_page>(
      session,
      [=](const actors::listing_page& page) {
        const bool found = !page->objects.empty() || !page->common_prefixes.empty();
        if (!found && page->truncated && !nothing_wanted && tries < empty_pages_max) {
          auto next = list;
          next.query.start_after = page->last;
          return ask_page(session, mine, next, tries + 1);
        }
        respond_document(session, list_objects_xml(list, nothing_wanted ? metadata::listing{} : *page));
      },
      actors::list_atom_v, std::move(query));
}

void list_objects(const session_ptr& session) {
  auto& shared = session->shared();
  auto list = read_list_request(session->current().target, shared.list_keys_max);
  if (const auto* refused = std::get_if<s3_error>(&list)) return session->respond_error(*refused);
  with_turn(session, *shared.listing_turns,
            [session, list = std::get<list_request>(list)](const turn& mine) { ask_page(session, mine, list, 0); });
}

void list_versions(const session_ptr& session) {
  auto& shared = session->shared();
  const auto read = read_versions_request(session->current().target, shared.list_keys_max);
  if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
  const auto& request = std::get<versions_request>(read);
  auto query = request.query;
  query.judged = session->current().judged();
  with_turn(session, *shared.listing_turns, [session, request, query](const turn& mine) {
    ask<actors::versions_listing>(
        session,
        [session, request, mine](const actors::versions_listing& page) {
          respond_document(session, versions_document(request, *page));
        },
        actors::list_atom_v, query);
  });
}

} // namespace

void serve(const session_ptr& session) {
  switch (session->current().operation) {
    case http_operation::options: return preflight(session);
    case http_operation::list_buckets: return list_buckets(session);
    case http_operation::create_bucket: return put_bucket(session);
    case http_operation::head_bucket: return head_bucket(session);
    case http_operation::list_objects: return list_objects(session);
    case http_operation::delete_object: return delete_object(session);
    case http_operation::delete_objects: return delete_objects(session);
    case http_operation::read_setting: return read_setting(session);
    case http_operation::write_setting: return write_setting(session);
    case http_operation::delete_bucket: return delete_bucket(session);
    case http_operation::copy_object: return copy_object(session);
    case http_operation::copy_part: return copy_part(session);
    case http_operation::begin_upload: return begin_upload(session);
    case http_operation::list_parts: return list_parts(session);
    case http_operation::list_uploads: return list_uploads(session);
    case http_operation::list_versions: return list_versions(session);
    case http_operation::complete_upload: return complete_upload(session);
    case http_operation::abort_upload: return abort_upload(session);
    case http_operation::object_attributes: return object_attributes(session);
    case http_operation::read_tags: return read_tags(session);
    case http_operation::write_tags: return write_tags(session);
    case http_operation::put_part:
    case http_operation::put_object:
    case http_operation::get_object:
    case http_operation::head_object:
    case http_operation::unknown:
    case http_operation::count_: break;
  }
  session->respond_error({501, "NotImplemented", "This request is not implemented."});
}

} // namespace cairn::net
