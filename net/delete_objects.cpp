#include "net/delete_objects.hpp"

#include "actors/errors.hpp"
#include "net/access.hpp"
#include "net/body_checksums.hpp"
#include "net/delete_request.hpp"
#include "net/route_steps.hpp"
#include "storage/log.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

struct delete_job {
  session_ptr session;
  turn mine;
  delete_request request;
  std::size_t left = 0; // not answered yet
};
using job_ptr = std::shared_ptr<delete_job>;

void answer(const job_ptr& job) {
  respond_document(job->session, delete_result_xml(job->request));
}

void deleted(const job_ptr& job, std::size_t index, const result<actors::committed>& outcome) {
  if (job->session->closed()) return;
  auto& entry = job->request.entries[index];
  if (outcome) {
    entry.told = metadata::told(outcome->result);
  } else {
    entry.failed = s3_error_of(outcome.error());
    if (actors::is_fault(outcome.error().code)) {
      log::warn("a delete failed", {{"request", job->session->current().basics.request_id},
                                    {"bucket", job->session->current().target.bucket},
                                    {"key", entry.key},
                                    {"error", to_string(outcome.error())}});
    }
  }
  if (--job->left == 0) answer(job);
}

void commit_all(const job_ptr& job) {
  const auto& shared = job->session->shared();
  const auto& current = job->session->current();
  auto& entries = job->request.entries;
  for (auto& entry : entries)
    if (entry.version && !entry.failed && !current.may(version_removal_rights)) entry.failed = version_removal_denied();
  for (const auto& entry : entries) job->left += entry.failed ? 0 : 1;
  if (job->left == 0) return answer(job);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].failed) continue;
    metadata::delete_object command;
    command.bucket = current.target.bucket;
    command.key = entries[i].key;
    command.now = shared.clock.wall();
    command.only_if = entries[i].only_if;
    command.version = entries[i].version;
    command.by = current.authority(entries[i].version ? version_removal_rights : 0);
    std::function<void(result<actors::committed>)> answered = [job, i](result<actors::committed> outcome) {
      boost::asio::post(job->session->executor(), [job, i, outcome = std::move(outcome)] { deleted(job, i, outcome); });
    };
    actors::ask_metadata<actors::committed>(
        shared.services, std::move(answered), actors::commit_atom_v,
        actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
  }
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
          job->session, [job](const metadata::bucket_row&) { commit_all(job); }, actors::bucket_atom_v,
          job->session->current().target.bucket);
    });
  });
}

} // namespace cairn::net
