#include "net/gateway/routes/copy_routes.hpp"

#include "net/gateway/range_checksum.hpp"
#include "net/gateway/routes/memory_upload.hpp"
#include "net/gateway/routes/route_steps.hpp"
#include "net/s3/access.hpp"
#include "net/s3/access_context.hpp"
#include "net/s3/body/body_checksums.hpp"
#include "net/s3/operations/copy_source.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/s3/operations/multipart_xml.hpp"
#include "net/wire/grammar/fields.hpp"

#include <algorithm>
#include <cstring>
#include <span>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

constexpr int tries_max = 4; // repeated while the source changes between look-up and commit

actors::kept_headers checksums_of(const metadata::object_row& row) {
  actors::kept_headers checksums;
  for (const auto& header : row.headers.standard)
    if (is_checksum_header(header.first)) checksums.push_back(header);
  return checksums;
}

actors::kept_headers checksums_of(const metadata::copy_part& part) {
  if (part.checksum.empty()) return {};
  return {{std::string{checksum_header_prefix} + part.checksum_name, part.checksum}};
}

metadata::object_version version_of(const copy_source& source, const metadata::object_row& row) {
  return {source.bucket, source.key, row.version, row.ordinal};
}

void answer_copied(const session_ptr& session, std::string_view element, const metadata::etag& etag, wall_ms modified,
                   const actors::kept_headers& checksums, const std::string& lines = {}) {
  const auto body = copied_xml(element, etag, modified, checksums);
  session->respond(200, whole_answer(200, session->basics(), "application/xml", body, lines));
}

std::string source_line(const metadata::object_row& row) {
  return row.null_version ? "" : "x-amz-copy-source-version-id: " + to_string(id_of(row)) + "\r\n";
}

// REPLACE or COPY, which is the default.
std::variant<bool, s3_error> replaces(const session_ptr& session, std::string_view header) {
  const auto value = field_of(session->fields(), header);
  if (value.empty() || value == "COPY") return false;
  if (value == "REPLACE") return true;
  return s3_error{400, "InvalidArgument", std::string{header} + " is COPY or REPLACE."};
}

// A failed step of a job. When the source has changed since it was looked up, `again` looks it up once more.
template <class Job>
void repeat_or_fail(const std::shared_ptr<Job>& job, const error& why, void (*again)(const std::shared_ptr<Job>&)) {
  if (why.code == errc::stale_source && ++job->tries < tries_max) return again(job);
  job->session->respond_failure(why);
}

// Commits the job's command and calls `done` with the outcome.
template <class Job, class Done>
void commit_command(const std::shared_ptr<Job>& job, void (*again)(const std::shared_ptr<Job>&), Done done) {
  ask_result<actors::committed>(
      job->session,
      [job, again, done = std::move(done)](const result<actors::committed>& outcome) {
        if (!outcome) return repeat_or_fail(job, outcome.error(), again);
        done(*outcome);
      },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(job->command)});
}

struct copy_job {
  session_ptr session;
  copy_source source;
  metadata::copy_object command;
  metadata::authority by;
  metadata::object_extras extras; // of the copy, without tags that are copied from the source
  bool new_tags = false;
  int tries = 0;
};

void try_copy(const std::shared_ptr<copy_job>& job);

// A copy has its source's checksum, because it shares the source's bytes. No checksum of another algorithm is computed.
std::optional<s3_error> refused_algorithm(const session_ptr& session, const metadata::object_row& row) {
  const auto wanted = field_of(session->fields(), "x-amz-checksum-algorithm");
  if (wanted.empty()) return std::nullopt;
  const auto kind = checksum_kind_of(wanted);
  if (!kind) return s3_error{400, "InvalidRequest", "x-amz-checksum-algorithm names no algorithm."};
  const auto name = std::string{checksum_header_prefix}.append(to_string(*kind));
  const auto same = [&name](const auto& header) { return header.first == name; };
  if (std::ranges::any_of(row.headers.standard, same)) return std::nullopt;
  return not_implemented("A checksum of another algorithm than the source has (x-amz-checksum-algorithm)");
}

void commit_copy(const std::shared_ptr<copy_job>& job, const metadata::object_row& row) {
  job->command.source = version_of(job->source, row);
  job->command.now = job->session->shared().clock.wall();
  job->command.extras = job->extras;
  if (!job->new_tags) job->command.extras->tags = row.extras.tags;
  commit_command(
      job, try_copy,
      [job, etag = row.etag, checksums = checksums_of(row), of = source_line(row)](const actors::committed& outcome) {
        const auto made = metadata::version_outcome_of(outcome.result);
        job->session->note_version(made.id);
        answer_copied(job->session, "CopyObjectResult", etag, job->command.now, checksums, of + version_lines(made));
      });
}

void try_copy(const std::shared_ptr<copy_job>& job) {
  ask<actors::found_object>(
      job->session,
      [job](const actors::found_object& found) {
        job->command.by = job->new_tags ? job->by : with_copied_tags(job->by, found.row->extras.tags);
        if (const auto refused = refused_source_object(job->session->current(), job->command.by, found.bucket.get(),
                                                       job->source.key, *found.row, !job->new_tags))
          return job->session->respond_error(*refused);
        if (const auto refused = refused_source(job->source, *found.row)) return job->session->respond_error(*refused);
        if (const auto refused = refused_algorithm(job->session, *found.row))
          return job->session->respond_error(*refused);
        commit_copy(job, *found.row);
      },
      actors::lookup_atom_v,
      actors::object_name{job->source.bucket, job->source.key, false, job->source.version, {job->by.source}});
}

struct rename_job {
  session_ptr session;
  copy_source source;
  metadata::rename_object command;
  int tries = 0;
};

void try_rename(const std::shared_ptr<rename_job>& job);

void commit_rename(const std::shared_ptr<rename_job>& job) {
  commit_command(job, try_rename, [job](const actors::committed&) { job->session->respond_empty(200); });
}

void try_rename(const std::shared_ptr<rename_job>& job) {
  ask_result<actors::found_object>(
      job->session,
      [job](const result<actors::found_object>& found) {
        job->command.source = {job->source.bucket, job->source.key};
        // Perhaps an earlier request with the same token has renamed it.
        if (!found && found.error().code == errc::no_such_key && job->command.token) return commit_rename(job);
        if (!found) return job->session->respond_failure(found.error());
        if (const auto refused = refused_source_object(job->session->current(), job->command.by, found->bucket.get(),
                                                       job->source.key, *found->row, false))
          return job->session->respond_error(*refused);
        if (const auto refused = refused_source(job->source, *found->row)) return job->session->respond_error(*refused);
        job->command.source = version_of(job->source, *found->row);
        commit_rename(job);
      },
      actors::lookup_atom_v,
      actors::object_name{job->source.bucket, job->source.key, false, {}, {job->command.by.source}});
}

// Of a request to rename: the same for the same names alone. Uploads' ids are counted, and so smaller.
metadata::upload_origin token_of(std::string_view token, const copy_source& source, const std::string& key) {
  cairn::sha256 hash;
  for (const auto text :
       {token, std::string_view{source.bucket}, std::string_view{source.key}, std::string_view{key}}) {
    hash.update(std::as_bytes(std::span{text}));
    hash.update(std::as_bytes(std::span{std::string_view{"\0", 1}}));
  }
  const auto digest = hash.finish();
  metadata::upload_origin out;
  std::memcpy(&out.id, digest.data(), sizeof out.id);
  std::memcpy(&out.nonce, digest.data() + sizeof out.id, sizeof out.nonce);
  out.id |= metadata::upload_id{1} << 63;
  return out;
}

struct part_job {
  session_ptr session;
  copy_source source;
  metadata::copy_part command;
  std::optional<checksum_kind> kind; // of the upload
  int tries = 0;
};

void try_part(const std::shared_ptr<part_job>& job);

// Replaces the MD5 of bytes that are not read: it differs for different bytes.
metadata::md5_digest digest_of(const metadata::object_row& row, const actors::byte_range& range) {
  if (range.length == row.size && row.etag.parts == 0) return row.etag.digest;
  const auto text =
      std::to_string(row.manifest) + '/' + std::to_string(range.offset) + '/' + std::to_string(range.length);
  cairn::md5 md5;
  md5.update(std::as_bytes(std::span{text}));
  return md5.finish();
}

// For a source whose bytes are in its row: a part cannot share them, so they are written again.
void write_part(const std::shared_ptr<part_job>& job, const metadata::object_row& row, const actors::byte_range& range,
                const std::string& bytes) {
  actors::put_request put;
  put.bucket = job->command.upload.bucket;
  put.key = job->command.upload.key;
  put.by = job->command.by;
  put.commit_as = [upload = job->command.upload, number = job->command.number,
                   source = version_of(job->source, row)](const metadata::put_object& whole) {
    auto part = part_of(whole, upload, number);
    part.source = source;
    return metadata::command{std::move(part)};
  };
  if (job->kind) put.check = std::make_shared<checksum_maker>(*job->kind);
  auto& session = *job->session;
  put.payer = session.payer();
  put.trace = session.trace();
  upload_from_memory(session.shared().services, session.executor(), std::move(put),
                     bytes.substr(range.offset, range.length),
                     [job, of = source_line(row)](const result<actors::put_outcome>& outcome) {
                       if (job->session->closed()) return;
                       if (!outcome) return repeat_or_fail(job, outcome.error(), try_part);
                       answer_copied(job->session, "CopyPartResult", outcome->etag, job->session->shared().clock.wall(),
                                     outcome->proven, of);
                     });
}

void share_part(const std::shared_ptr<part_job>& job, const metadata::object_row& row,
                const actors::byte_range& range) {
  auto& command = job->command;
  command.source = version_of(job->source, row);
  command.now = job->session->shared().clock.wall();
  command.offset = range.offset;
  command.length = range.length;
  command.digest = digest_of(row, range);
  commit_command(job, try_part, [job, of = source_line(row)](const actors::committed&) {
    const auto& copied = job->command;
    answer_copied(job->session, "CopyPartResult", {copied.digest}, copied.now, checksums_of(copied), of);
  });
}

// Each part of an upload with a checksum algorithm has a checksum of that kind: the bytes are read to compute it, but
// not copied.
void prove_part(const std::shared_ptr<part_job>& job, const std::shared_ptr<const metadata::object_row>& row,
                const actors::byte_range& range) {
  checksum_of(job->session,
              {{job->source.bucket, job->source.key, true, job->source.version, {job->command.by.source}},
               place_of(*row),
               range},
              *job->kind, [job, row, range](const result<std::string>& made) {
                if (!made) return repeat_or_fail(job, made.error(), try_part);
                job->command.checksum_name = to_string(*job->kind);
                job->command.checksum = *made;
                share_part(job, *row, range);
              });
}

void try_part(const std::shared_ptr<part_job>& job) {
  ask<actors::found_object>(
      job->session,
      [job](const actors::found_object& found) {
        const auto& row = *found.row;
        if (const auto refused = refused_source_object(job->session->current(), job->command.by, found.bucket.get(),
                                                       job->source.key, row, false))
          return job->session->respond_error(*refused);
        if (const auto refused = refused_source(job->source, row)) return job->session->respond_error(*refused);
        const auto range = copied_range(job->source, row.size);
        if (const auto* refused = std::get_if<s3_error>(&range)) return job->session->respond_error(*refused);
        const auto& bytes = std::get<actors::byte_range>(range);
        if (bytes.length > part_bytes_max)
          return job->session->respond_error({400, "InvalidRequest", "A part has at most 5 GiB."});
        if (found.inline_bytes) return write_part(job, row, bytes, *found.inline_bytes);
        if (job->kind) return prove_part(job, found.row, bytes);
        share_part(job, row, bytes);
      },
      actors::lookup_atom_v,
      actors::object_name{job->source.bucket, job->source.key, true, job->source.version, {job->command.by.source}});
}

// A body would be dropped; its sender meant to store it.
std::optional<s3_error> refused_body(const session_ptr& session) {
  if (!session->http().chunked() && session->http().body_left() == 0) return check_content_md5(session->fields(), {});
  return s3_error{400, "InvalidRequest",
                  "The request included a body. Requests of this type must not include a non-empty body."};
}

} // namespace

void copy_object(const session_ptr& session) {
  if (const auto refused = refused_body(session)) return session->respond_error(*refused);
  const auto& request = session->current();
  auto source = read_copy_source(session->fields());
  if (const auto* refused = std::get_if<s3_error>(&source)) return session->respond_error(*refused);
  const auto new_headers = replaces(session, "x-amz-metadata-directive");
  if (const auto* refused = std::get_if<s3_error>(&new_headers)) return session->respond_error(*refused);
  const auto new_tags = replaces(session, "x-amz-tagging-directive");
  if (const auto* refused = std::get_if<s3_error>(&new_tags)) return session->respond_error(*refused);
  auto order = read_put(session->fields(), request, std::nullopt, session->shared().object_size_max);
  if (const auto* refused = std::get_if<s3_error>(&order)) return session->respond_error(*refused);
  auto& put = std::get<put_order>(order).put;

  auto job = std::make_shared<copy_job>();
  job->session = session;
  job->source = std::move(std::get<copy_source>(source));
  job->command.bucket = request.target.bucket;
  job->command.key = request.target.key;
  job->command.condition = std::move(put.condition);
  job->by = std::move(put.by);
  if (std::get<bool>(new_headers)) job->command.headers = std::move(put.headers);
  job->new_tags = std::get<bool>(new_tags);
  job->extras = std::move(put.extras);
  const bool to_itself = job->source.bucket == request.target.bucket && job->source.key == request.target.key;
  const bool names_class =
      !field_of(session->fields(), "x-amz-storage-class").empty(); // S3 counts this as a change, even to the same class
  if (to_itself && !job->source.version && !job->command.headers && !job->new_tags && !names_class)
    return session->respond_error({400, "InvalidRequest",
                                   "This copy request is illegal because it is trying to copy an object to itself "
                                   "without changing the object's metadata."});
  try_copy(job);
}

void rename_object(const session_ptr& session) {
  if (const auto refused = refused_body(session)) return session->respond_error(*refused);
  const auto& request = session->current();
  auto source = read_rename_source(session->fields(), request.target.bucket);
  if (const auto* refused = std::get_if<s3_error>(&source)) return session->respond_error(*refused);
  if (request.conditions.if_modified_since)
    return session->respond_error(not_implemented("If-Modified-Since on a write"));
  auto condition = write_condition_of(request.conditions);
  if (!condition) return session->respond_failure(condition.error());
  auto job = std::make_shared<rename_job>();
  job->session = session;
  job->source = std::move(std::get<copy_source>(source));
  job->command.key = request.target.key;
  job->command.condition = std::move(*condition);
  job->command.by = request.by;
  if (const auto token = field_of(session->fields(), "x-amz-client-token"); !token.empty())
    job->command.token = token_of(token, job->source, request.target.key);
  try_rename(job);
}

void copy_part(const session_ptr& session) {
  if (const auto refused = refused_body(session)) return session->respond_error(*refused);
  const auto& target = session->current().target;
  const auto number = part_number_of(target);
  if (const auto* refused = std::get_if<s3_error>(&number)) return session->respond_error(*refused);
  auto upload = upload_of(target);
  if (const auto* refused = std::get_if<s3_error>(&upload)) return session->respond_error(*refused);
  auto source = read_copy_source(session->fields());
  if (const auto* refused = std::get_if<s3_error>(&source)) return session->respond_error(*refused);
  auto job = std::make_shared<part_job>();
  job->session = session;
  job->source = std::move(std::get<copy_source>(source));
  job->command.upload = std::move(std::get<metadata::upload_name>(upload));
  job->command.number = std::get<std::uint32_t>(number);
  job->command.by = session->current().by;
  ask<actors::found_upload>(
      session,
      [job](const actors::found_upload& found) {
        job->kind = checksum_kind_of(found.row->checksum);
        try_part(job);
      },
      actors::parts_atom_v, actors::upload_query{job->command.upload, 0, 0});
}

} // namespace cairn::net
