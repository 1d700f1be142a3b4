#include "net/gateway/routes/delete_objects.hpp"

#include "actors/protocol/errors.hpp"
#include "base/log.hpp"
#include "net/gateway/routes/route_steps.hpp"
#include "net/s3/access.hpp"
#include "net/s3/access_context.hpp"
#include "net/s3/body/body_checksums.hpp"
#include "net/s3/operations/delete_request.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

constexpr std::size_t running_max = 64;

struct delete_job {
  session_ptr session;
  turn mine;
  delete_request request;
  std::size_t next = 0, running = 0; // next: the first entry that was not processed; running: commits without an answer
};
using job_ptr = std::shared_ptr<delete_job>;

void commit_some(const job_ptr& job);

void note_entries(const job_ptr& job) {
  for (const auto& entry : job->request.entries) {
    audited_object object{entry.key, entry.version ? entry.version : entry.outcome.id, 204};
    if (entry.failed) {
      object.status = entry.failed->status;
      object.error = entry.failed->code;
    }
    job->session->note_object(std::move(object));
  }
}

void deleted(const job_ptr& job, std::size_t index, const result<actors::committed>& outcome) {
  if (job->session->closed()) return;
  auto& entry = job->request.entries[index];
  if (outcome) {
    entry.outcome = metadata::version_outcome_of(outcome->result);
  } else {
    entry.failed = s3_error_of(outcome.error());
    if (actors::is_fault(outcome.error().code)) {
      log::warn("a delete failed", {{"request", job->session->current().basics.request_id},
                                    {"bucket", job->session->current().target.bucket},
                                    {"key", entry.key},
                                    {"error", to_string(outcome.error())}});
    }
  }
  --job->running;
  commit_some(job);
}

void commit_one(const job_ptr& job, std::size_t i, metadata::authority by) {
  const auto& shared = job->session->shared();
  const auto& current = job->session->current();
  const auto& entry = job->request.entries[i];
  metadata::delete_object command;
  command.bucket = current.target.bucket;
  command.key = entry.key;
  command.now = shared.clock.wall();
  command.only_if = entry.only_if;
  command.version = entry.version;
  command.bypasses_governance = entry.version && bypasses_governance(job->session->fields());
  command.by = std::move(by);
  std::function<void(result<actors::committed>)> answered = [job, i](result<actors::committed> outcome) {
    boost::asio::post(job->session->executor(), [job, i, outcome = std::move(outcome)] { deleted(job, i, outcome); });
  };
  actors::ask_metadata<actors::committed>(
      shared.services, std::move(answered), actors::commit_atom_v,
      actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
}

// As far as the rows of the head tell; the command is judged again.
bool is_denied(const request& current, const metadata::authority& by, const delete_entry& entry) {
  if (!current.bucket || by.by == metadata::allowed_by::configuration) return false;
  return judge(by, by.asked->actions.front(), current.key.get(), *current.bucket, {.key = entry.key}).made ==
         metadata::ruling::denied;
}

// Sends a bounded window of commits, so that another client's commit does not wait for all of them.
void commit_some(const job_ptr& job) {
  auto& entries = job->request.entries;
  for (; job->running < running_max && job->next < entries.size(); ++job->next) {
    auto& entry = entries[job->next];
    if (entry.failed) continue;
    const auto& current = job->session->current();
    auto by = as_deletion(current.authority(entry.version ? version_removal_rights : 0), entry.version);
    if (is_denied(current, by, entry))
      entry.failed = entry.version ? version_removal_denied() : access_denied("You may not delete this object.");
    if (entry.failed) continue;
    ++job->running;
    commit_one(job, job->next, std::move(by));
  }
  if (job->running > 0) return;
  note_entries(job);
  respond_document(job->session, delete_result_xml(job->request));
}

} // namespace

void delete_objects(const session_ptr& session) {
  if (!announces_checksum(session->fields()))
    return session->respond_error(
        {400, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"});
  collect_body(session, delete_body_bytes_max, [session](const std::string& body) {
    auto request = read_delete_request(body);
    if (const auto* refused = std::get_if<s3_error>(&request)) return session->respond_error(*refused);
    auto job = std::make_shared<delete_job>(delete_job{session, {}, std::move(std::get<delete_request>(request))});
    with_turn(session, *session->shared().commit_turns, [job](turn mine) {
      job->mine = std::move(mine);
      ask<metadata::bucket_row>(
          job->session, [job](const metadata::bucket_row&) { commit_some(job); }, actors::bucket_atom_v,
          actors::bucket_name{job->session->current().target.bucket});
    });
  });
}

} // namespace cairn::net
