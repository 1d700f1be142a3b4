#include "net/gateway/routes/multipart_routes.hpp"

#include "base/third_party/asio.hpp"
#include "net/gateway/routes/route_steps.hpp"
#include "net/s3/operations/list_request.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/s3/operations/multipart_xml.hpp"
#include "net/wire/grammar/fields.hpp"

#include <algorithm>
#include <chrono>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

constexpr std::uint32_t listed_max = 1000;      // parts or uploads of one answer
constexpr std::chrono::seconds reading_max{60}; // in the queue behind digests
constexpr std::uint32_t check_page = 250;       // rows checked in one step of a completion

// The state of a CompleteMultipartUpload: the client's request and the results of the parts' rows so far.
struct completion {
  session_ptr session;
  turn mine;
  metadata::upload_name upload;
  metadata::write_condition condition;
  std::vector<named_part> parts;
  std::size_t checked = 0;
  std::uint64_t size = 0;
  std::optional<whole_checksum> checksum;
  actors::kept_headers headers;
  std::string lines;           // the answer's header lines about the version
  bool keeps_checksums = true; // of the parts
};
using completion_ptr = std::shared_ptr<completion>;

void completed(const completion_ptr& job) {
  const auto& session = *job->session;
  const auto body =
      upload_completed_xml(location_of(session), session.current().target, etag_of_parts(job->parts), job->headers);
  respond_document(job->session, body, job->lines);
}

// Who is let in by public access alone learns nothing of uploads that others began.
bool may_go_on(const session_ptr& session, const metadata::upload_row& upload) {
  return session->current().by.by != metadata::allowed_by::anybody || upload.by_anybody;
}

s3_error invalid_part(const named_part& part) {
  return s3_error_of(error{errc::invalid_part, "Part " + std::to_string(part.chosen.number) +
                                                   " is not there, or has another ETag or checksum."});
}

// Compares a chosen part with its row.
std::optional<s3_error> check_part(completion& job, const metadata::uploaded_part& row) {
  const auto& part = job.parts[job.checked];
  const bool claims = !part.checksum.empty();
  if (row.number != part.chosen.number || row.digest != part.chosen.digest) return invalid_part(part);
  if (claims && (row.checksum_name != part.checksum_name || row.checksum != part.checksum)) return invalid_part(part);
  if (!job.checksum->add(row))
    return s3_error{400, "InvalidRequest",
                    "Part " + std::to_string(row.number) + " has no checksum of the upload's algorithm."};
  job.size += row.length;
  ++job.checked;
  return std::nullopt;
}

// Checks what the client says about the whole object.
std::optional<s3_error> check_whole(const completion& job) {
  if (const auto text = field_of(job.session->fields(), "x-amz-mp-object-size"); !text.empty()) {
    if (text != std::to_string(job.size))
      return s3_error{400, "InvalidRequest", "The parts do not have x-amz-mp-object-size bytes together."};
  }
  if (const auto text = field_of(job.session->fields(), "x-amz-checksum-type"); !text.empty()) {
    if (job.headers.empty() || text != checksum_type_of(job.headers.front().second))
      return s3_error{400, "InvalidRequest", "x-amz-checksum-type is not that of the upload."};
  }
  if (const auto text = field_of(job.session->fields(), "x-amz-checksum-algorithm"); !text.empty()) {
    const auto kind = checksum_kind_of(text);
    if (!kind || job.headers.empty() ||
        job.headers.front().first != std::string{checksum_header_prefix}.append(to_string(*kind)))
      return s3_error{400, "InvalidRequest", "x-amz-checksum-algorithm is not that of the upload."};
  }
  bool checksum_sent = false;
  for (const auto kind : checksum_kinds) {
    const auto name = std::string{checksum_header_prefix}.append(to_string(kind));
    const auto sent = find_field(job.session->fields(), name);
    if (!sent) continue;
    const std::string_view announced = *sent;
    checksum_sent = true;
    const bool known = !job.headers.empty() && job.headers.front().first == name;
    const auto made = known ? std::string_view{job.headers.front().second} : std::string_view{};
    if (!known || (announced != made && announced != made.substr(0, made.find('-'))))
      return s3_error{400, "BadDigest", "The " + name + " you specified did not match the calculated checksum."};
  }
  if (!checksum_sent && !field_of(job.session->fields(), "x-amz-sdk-checksum-algorithm").empty())
    return s3_error{400, "InvalidRequest", "x-amz-sdk-checksum-algorithm came without its x-amz-checksum- value."};
  if (job.size > job.session->shared().object_size_max)
    return s3_error_of(error{errc::too_large, "The object is larger than limits.object_size."});
  return std::nullopt;
}

// A retry finds no upload, but the object that the first try created. What the client says about the object is checked
// again, except for its conditions: the first try has met them.
void failed(const completion_ptr& job, const error& why) {
  if (why.code != errc::no_such_upload) return job->session->respond_failure(why);
  ask_result<actors::found_object>(
      job->session,
      [job, why](const result<actors::found_object>& found) {
        if (!found || !is_made_by(*found->row, job->upload, etag_of_parts(job->parts)))
          return job->session->respond_failure(why);
        const auto& row = *found->row;
        job->size = row.size;
        for (const auto& header : row.headers.standard)
          if (is_checksum_header(header.first)) job->headers.push_back(header);
        if (const auto refused = check_whole(*job)) return job->session->respond_error(*refused);
        if (!row.null_version) job->lines = version_lines({id_of(row)});
        completed(job);
      },
      actors::lookup_atom_v,
      actors::object_name{job->upload.bucket, job->upload.key, false, std::nullopt, job->session->current().judged()});
}

void commit_completion(const completion_ptr& job) {
  metadata::complete_upload command;
  command.upload = job->upload;
  command.now = job->session->shared().clock.wall();
  command.parts.reserve(job->parts.size());
  for (const auto& part : job->parts) command.parts.push_back(part.chosen);
  command.etag = etag_of_parts(job->parts);
  command.checksums = job->headers;
  command.condition = job->condition;
  command.part_checksums = job->keeps_checksums && !job->headers.empty();
  command.by = job->session->current().by;
  ask_result<actors::committed>(
      job->session,
      [job](const result<actors::committed>& outcome) {
        // Before all nodes of a cluster are upgraded, checksums of parts cannot be stored.
        if (!outcome && outcome.error() == errc::unsupported && std::exchange(job->keeps_checksums, false))
          return commit_completion(job);
        if (!outcome) return failed(job, outcome.error());
        const auto made = metadata::version_outcome_of(outcome->result);
        job->session->note_version(made.id);
        job->lines = version_lines(made);
        completed(job);
      },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
}

void check_parts(const completion_ptr& job) {
  const auto after = job->parts[job->checked].chosen.number - 1;
  ask_result<actors::found_upload>(
      job->session,
      [job](const result<actors::found_upload>& found) {
        if (!found) return failed(job, found.error());
        if (!may_go_on(job->session, *found->row)) return failed(job, error{errc::access_denied});
        if (!job->checksum) job->checksum.emplace(wanted_checksum{found->row->checksum, found->row->type});
        const auto before = job->checked;
        for (const auto& row : *found->parts) {
          if (job->checked == job->parts.size()) break;
          if (row.number < job->parts[job->checked].chosen.number) continue; // not chosen
          if (const auto refused = check_part(*job, row)) return job->session->respond_error(*refused);
        }
        if (job->checked < job->parts.size()) {
          if (job->checked == before) return job->session->respond_error(invalid_part(job->parts[before]));
          return check_parts(job);
        }
        job->headers = job->checksum->header();
        if (const auto refused = check_whole(*job)) return job->session->respond_error(*refused);
        commit_completion(job);
      },
      actors::parts_atom_v, actors::upload_query{job->upload, after, check_page});
}

// Whether the condition prevents the upload already at its begin. CompleteMultipartUpload checks its own condition
// again, atomically; some clients send the condition only here.
std::optional<error> unmet(const metadata::write_condition& condition, const result<actors::found_object>& found) {
  if (!found && (condition.if_match || found.error().code != errc::no_such_key)) return found.error();
  if (!found) return std::nullopt;
  const auto tag = to_string(found->row->etag);
  const bool other = condition.if_match && *condition.if_match != "*" && *condition.if_match != tag;
  const bool same = condition.if_other && *condition.if_other == tag;
  if (condition.if_absent || other || same) return error{errc::precondition_failed};
  return std::nullopt;
}

void commit_beginning(const session_ptr& session, metadata::begin_upload command, const std::string& lines) {
  const auto nonce = command.nonce;
  const auto now = command.now;
  ask<actors::committed>(
      session,
      [session, nonce, lines, now](const actors::committed& begun) {
        const auto body = upload_begun_xml(session->current().target, upload_id_text(begun.result.version, nonce));
        // The answer says when the upload is aborted, if the rules can be read.
        session->with_bucket_of_authorization([session, body, lines, now](const auto& bucket) {
          const auto aborted = bucket ? abort_lines(*bucket, session->current().target.key, now) : "";
          session->respond(200, whole_answer(200, session->basics(), "application/xml", body, lines + aborted));
        });
      },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
}

void check_in_turn(const completion_ptr& job, std::variant<std::vector<named_part>, s3_error> parts) {
  if (job->session->closed()) return;
  if (const auto* refused = std::get_if<s3_error>(&parts)) return job->session->respond_error(*refused);
  job->parts = std::move(std::get<std::vector<named_part>>(parts));
  with_turn(job->session, *job->session->shared().commit_turns, [job](turn mine) {
    job->mine = std::move(mine);
    check_parts(job);
  });
}

// A list of 10,000 parts takes milliseconds to read, for which other connections of a socket thread would wait. So it
// is read on the threads of digests, one list of a client at a time.
void read_parts(const completion_ptr& job, const std::shared_ptr<const std::string>& body) {
  with_turn(job->session, *job->session->shared().reading_turns, [job, body](turn mine) {
    // The last reference to the session must not end on the other thread, so the answer takes it along.
    auto read = [on = job->session->executor(), job = job, body, mine = std::move(mine)](bool expired) mutable {
      auto parts = expired ? s3_error_of(error{errc::slow_down, "no time to read the list of parts"})
                           : read_complete_request(*body);
      boost::asio::post(on, [job = std::move(job), parts = std::move(parts), mine = std::move(mine)]() mutable {
        check_in_turn(job, std::move(parts));
      });
    };
    const auto& shared = job->session->shared();
    const auto posted = shared.services.digests->post(shared.clock.now() + reading_max, std::move(read));
    if (!posted) job->session->respond_failure(posted.error());
  });
}

} // namespace

void begin_upload(const session_ptr& session) {
  const auto& request = session->current();
  auto& shared = session->shared();
  auto order = read_put(session->fields(), request, std::nullopt, shared.object_size_max);
  if (const auto* refused = std::get_if<s3_error>(&order)) return session->respond_error(*refused);
  auto wanted = read_wanted_checksum(session->fields());
  if (const auto* refused = std::get_if<s3_error>(&wanted)) return session->respond_error(*refused);
  auto& put = std::get<put_order>(order).put;
  auto& checksum = std::get<wanted_checksum>(wanted);
  std::string lines;
  if (!checksum.name.empty()) {
    lines = "x-amz-checksum-algorithm: " + std::string{checksum_algorithm_text(checksum.name)} +
            "\r\nx-amz-checksum-type: " + std::string{checksum_type_text(checksum.type)} + "\r\n";
  }
  metadata::begin_upload command;
  command.bucket = request.target.bucket;
  command.key = request.target.key;
  command.now = shared.clock.wall();
  command.nonce = shared.random.next();
  command.headers = std::move(put.headers);
  command.extras = std::move(put.extras);
  command.checksum = std::move(checksum.name);
  command.type = checksum.type;
  command.by = std::move(put.by);
  const auto condition = put.condition;
  if (!condition.if_absent && !condition.if_match && !condition.if_other)
    return commit_beginning(session, std::move(command), lines);
  ask_result<actors::found_object>(
      session,
      [session, condition, command = std::move(command), lines](const result<actors::found_object>& found) {
        if (const auto refused = unmet(condition, found)) return session->respond_failure(*refused);
        commit_beginning(session, command, lines);
      },
      actors::lookup_atom_v,
      actors::object_name{request.target.bucket, request.target.key, false, std::nullopt, request.judged()});
}

void list_parts(const session_ptr& session) {
  const auto& target = session->current().target;
  const auto upload = upload_of(target);
  if (const auto* refused = std::get_if<s3_error>(&upload)) return session->respond_error(*refused);
  const auto most = bounded_number(target, "max-parts", listed_max);
  if (const auto* refused = std::get_if<s3_error>(&most)) return session->respond_error(*refused);
  parts_request request{*target.find("uploadId"), 0, std::get<std::uint32_t>(most)};
  if (target.find("part-number-marker") != nullptr) {
    const auto after = bounded_number(target, "part-number-marker", metadata::part_number_max);
    if (const auto* refused = std::get_if<s3_error>(&after)) return session->respond_error(*refused);
    const bool given = !target.find("part-number-marker")->empty();
    request.after = given ? std::get<std::uint32_t>(after) : 0;
  }
  actors::upload_query query{std::get<metadata::upload_name>(upload), request.after, request.parts_max + 1};
  with_turn(session, *session->shared().listing_turns, [session, request, query](const turn& mine) {
    ask<actors::found_upload>(
        session,
        [session, request, mine](const actors::found_upload& found) {
          if (!may_go_on(session, *found.row)) return session->respond_failure(error{errc::access_denied});
          respond_document(session, parts_xml(session->current().target, request, found));
        },
        actors::parts_atom_v, query);
  });
}

void list_uploads(const session_ptr& session) {
  const auto& target = session->current().target;
  const auto given = [&](std::string_view name) { return target.find(name) ? *target.find(name) : std::string{}; };
  if (const auto refused = refused_texts(target)) return session->respond_error(*refused);
  const auto most = bounded_number(target, "max-uploads", listed_max);
  if (const auto* refused = std::get_if<s3_error>(&most)) return session->respond_error(*refused);
  uploads_request request;
  request.query = {
      target.bucket, given("prefix"), given("delimiter"), given("key-marker"), 0, std::get<std::uint32_t>(most)};
  request.query.judged = session->current().judged();
  request.upload_marker = given("upload-id-marker");
  if (!request.query.key_marker.empty() && !request.upload_marker.empty()) {
    auto named = target;
    named.query = {{"uploadId", request.upload_marker}};
    const auto marker = upload_of(named);
    if (std::get_if<s3_error>(&marker) != nullptr)
      return session->respond_error({400, "InvalidArgument", "upload-id-marker is not an upload's id."});
    request.query.upload_marker = std::get<metadata::upload_name>(marker).id;
  }
  if (const auto encoding = given("encoding-type"); !encoding.empty()) {
    if (encoding != "url") return session->respond_error({400, "InvalidArgument", "encoding-type is url or absent."});
    request.encode_url = true;
  }
  with_turn(session, *session->shared().listing_turns, [session, request](const turn& mine) {
    ask<actors::uploads_listing>(
        session,
        [session, request, mine](const actors::uploads_listing& page) {
          respond_document(session, uploads_xml(request, *page));
        },
        actors::list_atom_v, request.query);
  });
}

void complete_upload(const session_ptr& session) {
  auto upload = upload_of(session->current().target);
  if (const auto* refused = std::get_if<s3_error>(&upload)) return session->respond_error(*refused);
  auto condition = write_condition_of(session->current().conditions);
  if (!condition) return session->respond_failure(condition.error());
  auto job = std::make_shared<completion>();
  job->session = session;
  job->upload = std::move(std::get<metadata::upload_name>(upload));
  job->condition = std::move(*condition);
  collect_body(
      session, complete_body_bytes_max,
      [job](std::string body) { read_parts(job, std::make_shared<const std::string>(std::move(body))); },
      body_checksums::of_something_else);
}

void abort_upload(const session_ptr& session) {
  auto upload = upload_of(session->current().target);
  if (const auto* refused = std::get_if<s3_error>(&upload)) return session->respond_error(*refused);
  metadata::abort_upload command;
  command.upload = std::move(std::get<metadata::upload_name>(upload));
  command.by = session->current().by;
  commit(session, std::move(command), 204);
}

} // namespace cairn::net
