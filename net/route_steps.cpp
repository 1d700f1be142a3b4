#include "net/route_steps.hpp"

#include "net/body_checksums.hpp"

namespace cairn::net {

namespace {

using then_body = std::function<void(std::string)>;

// A body that was signed as a whole is what it was; one signed by chunks needs the decoder of uploads.
std::optional<s3_error> refused_payload(const http_session& session) {
  const auto& signer = session.current().signer;
  if (!signer || signer->claim.kind == payload_kind::hashed || signer->claim.kind == payload_kind::unsigned_whole)
    return std::nullopt;
  return not_implemented("This request with an aws-chunked body");
}

bool matches_signature(const http_session& session, std::string_view body) {
  const auto& signer = session.current().signer;
  return !signer || signer->claim.kind != payload_kind::hashed ||
         storage::sha256_of(std::as_bytes(std::span{body})) == signer->claim.payload_hash;
}

void body_is_there(const session_ptr& session, const then_body& then, body_checksums headers) {
  auto& buffer = session->buffer();
  const auto bytes = session->body_left();
  std::string body{static_cast<const char*>(buffer.cdata().data()), bytes};
  buffer.consume(bytes);
  session->body_taken(bytes);
  session->body_complete();
  if (!matches_signature(*session, body)) return session->respond_failure(error{errc::payload_mismatch});
  if (headers == body_checksums::of_the_body) {
    if (const auto refused = check_whole_body(session->fields(), body)) return session->respond_error(*refused);
  }
  then(std::move(body));
}

void read_on(const session_ptr& session, const then_body& then, body_checksums headers) {
  auto& buffer = session->buffer();
  if (buffer.size() >= session->body_left()) return body_is_there(session, then, headers);
  session->send_continue();
  session->arm(http_session::wait::body);
  session->stream().async_read_some(
      buffer.prepare(session->body_left() - buffer.size()),
      [session, then, headers](boost::system::error_code failed, std::size_t n) {
        if (session->closed()) return;
        if (failed && session->stalled())
          return session->respond_error({408, "RequestTimeout", "The body made no progress for http.idle_timeout."});
        if (failed) return session->close();
        session->disarm();
        session->buffer().commit(n);
        read_on(session, then, headers);
      });
}

} // namespace

void with_bucket(const session_ptr& session, std::function<void(const storage::metadata::bucket_row&)> then) {
  ask<actors::found_access>(
      session,
      [session, then = std::move(then)](const actors::found_access& found) {
        const auto judged = session->current().by.bucket;
        if (!found.bucket || (judged != 0 && found.bucket->id != judged))
          return session->respond_failure(error{errc::no_such_bucket});
        then(*found.bucket);
      },
      actors::access_atom_v, actors::access_query{{}, session->current().target.bucket, {}});
}

void commit(const session_ptr& session, storage::metadata::command command, unsigned status,
            const std::string& header_lines) {
  ask<actors::committed>(
      session,
      [session, status, header_lines](const actors::committed&) { session->respond_empty(status, header_lines); },
      actors::commit_atom_v,
      actors::command_box{std::make_shared<const storage::metadata::command>(std::move(command))});
}

void collect_body(const session_ptr& session, std::size_t bytes_max, const then_body& then, body_checksums headers) {
  if (session->chunked()) {
    return session->respond_error({411, "MissingContentLength", "This request needs Content-Length."});
  }
  if (session->body_left() > bytes_max) {
    return session->respond_error(
        {400, "MalformedXML", "The body is larger than " + std::to_string(bytes_max) + " bytes."});
  }
  if (const auto refused = refused_payload(*session)) return session->respond_error(*refused);
  read_on(session, then, headers);
}

std::shared_ptr<answer_slot> answer_slot::take(http_shared& shared) {
  auto slot = std::make_shared<answer_slot>(shared);
  const auto before = shared.listings.fetch_add(1, std::memory_order_relaxed);
  return before < http_shared::listings_max ? slot : nullptr;
}

} // namespace cairn::net
