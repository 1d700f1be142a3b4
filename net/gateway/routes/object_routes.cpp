#include "net/gateway/routes/object_routes.hpp"

#include "net/gateway/routes/route_steps.hpp"
#include "net/s3/access.hpp"
#include "net/s3/access_context.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/s3/operations/object_attributes.hpp"
#include "net/s3/xml/tags.hpp"
#include "net/wire/grammar/fields.hpp"
#include "net/wire/grammar/http_date.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

std::string version_line(const metadata::version_id& id) {
  return "x-amz-version-id: " + to_string(id) + "\r\n";
}

// Answers with the version whose tags were changed. Without versionId the command tells only when that version was
// written, and the live row has the rest of its id, unless another version is there by now.
void answer_tagged(const session_ptr& session, unsigned status, log_index version) {
  const auto& request = session->current();
  if (request.version) return session->respond_empty(status, version_line(*request.version));
  ask_result<actors::found_object>(
      session,
      [session, status, version](const result<actors::found_object>& found) {
        const bool same = found && found->row->version == version && !found->row->null_version;
        session->respond_empty(status, same ? version_line(id_of(*found->row)) : std::string{});
      },
      actors::lookup_atom_v,
      actors::object_name{request.target.bucket, request.target.key, false, std::nullopt, request.judged()});
}

void commit_tags(const session_ptr& session, tag_list tags, unsigned status) {
  const auto& target = session->current().target;
  metadata::set_extras command;
  command.bucket = target.bucket;
  command.key = target.key;
  command.version = session->current().version;
  command.by = with_request_tags(session->current().authority(command.version ? metadata::rights::owner : 0), tags);
  command.tags = std::move(tags);
  ask<actors::committed>(
      session,
      [session, status](const actors::committed& done) { answer_tagged(session, status, done.result.version); },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
}

} // namespace

void delete_object(const session_ptr& session) {
  const auto& request = session->current();
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
  command.bypasses_governance = request.version && bypasses_governance(session->fields());
  command.by = request.authority(request.version ? version_removal_rights : 0);
  ask<actors::committed>(
      session,
      [session](const actors::committed& done) {
        auto outcome = metadata::version_outcome_of(done.result);
        if (session->current().version) outcome.id = session->current().version;
        session->note_version(outcome.id);
        auto lines = version_lines(outcome);
        if (lines.empty() && outcome.id) lines = version_line(*outcome.id);
        session->respond_empty(204, lines);
      },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
}

void object_attributes(const session_ptr& session) {
  const auto& target = session->current().target;
  const auto read = read_attributes_request(session->fields());
  if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
  const auto& request = std::get<attributes_request>(read);
  const std::uint32_t parts = request.parts ? request.parts_max + 1 : 0;
  ask<actors::found_parts>(
      session,
      [session, request](const actors::found_parts& found) {
        const auto* const bucket = session->current().bucket.get();
        if (const auto refused = refused_object(session->current(), bucket, found.row.get()))
          return session->respond_error(*refused);
        std::string lines = "Last-Modified: ";
        append_http_date(lines, whole_seconds(found.row->modified));
        lines += "\r\n";
        if (!found.row->null_version) lines += version_line(id_of(*found.row));
        const auto tag = to_string(found.row->etag);
        switch (evaluate(session->current().conditions, {tag, whole_seconds(found.row->modified)})) {
          case verdict::precondition_failed:
            return session->respond_error(s3_error_of(error{errc::precondition_failed}));
          case verdict::not_modified: return session->respond_empty(304, lines + "ETag: \"" + tag + "\"\r\n");
          case verdict::proceed: break;
        }
        const auto body = attributes_xml(request, found);
        session->respond(200, whole_answer(200, session->basics(), "application/xml", body, lines));
      },
      actors::parts_atom_v,
      actors::object_parts_query{target.bucket, target.key, request.after, parts, session->current().version,
                                 session->current().judged()});
}

void read_tags(const session_ptr& session) {
  const auto& target = session->current().target;
  ask<actors::found_object>(
      session,
      [session](const actors::found_object& found) {
        if (const auto refused = refused_object(session->current(), found.bucket.get(), found.row.get()))
          return session->respond_error(*refused);
        const auto& row = *found.row;
        const bool has_version = session->current().version || !row.null_version;
        session->respond(200, whole_answer(200, session->basics(), "application/xml", tagging_xml(row.extras.tags),
                                           has_version ? version_line(id_of(row)) : std::string{}));
      },
      actors::lookup_atom_v,
      actors::object_name{target.bucket, target.key, false, session->current().version, session->current().judged()});
}

void write_tags(const session_ptr& session) {
  const auto method = session->http().parser().get().method();
  if (method == boost::beast::http::verb::delete_) return commit_tags(session, {}, 204);
  collect_body(session, tagging_body_bytes_max, [session](const std::string& body) {
    auto tags = read_tagging(body);
    if (const auto* refused = std::get_if<s3_error>(&tags)) return session->respond_error(*refused);
    commit_tags(session, std::move(std::get<tag_list>(tags)), 200);
  });
}

} // namespace cairn::net
