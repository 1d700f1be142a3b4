#include "net/gateway/routes/route_steps.hpp"

#include "base/third_party/asio.hpp"
#include "net/s3/body/body_checksums.hpp"
#include "net/wire/grammar/fields.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

using then_body = std::function<void(std::string)>;

constexpr std::size_t uncounted_bytes = 4096;  // not charged: a connection has a buffer of that size anyway
constexpr std::size_t document_bytes_each = 6; // memory for a byte of XML: the text, its tree, the values read from it

// A body that is signed as a whole is accepted; an aws-chunked body would need the decoder of uploads.
std::optional<s3_error> refused_payload(const s3_session& session) {
  const auto& signer = session.current().signer;
  if (!signer || signer->claim.kind == payload_kind::hashed || signer->claim.kind == payload_kind::unsigned_whole)
    return std::nullopt;
  return not_implemented("This request with an aws-chunked body");
}

bool matches_signature(const s3_session& session, std::string_view body) {
  const auto& signer = session.current().signer;
  return !signer || signer->claim.kind != payload_kind::hashed ||
         sha256_of(std::as_bytes(std::span{body})) == signer->claim.payload_hash;
}

// Charges for the text, which is held twice for a moment, and then for the values read from it.
bool charge_document(const session_ptr& session, std::size_t bytes) {
  return bytes <= uncounted_bytes || session->charge(bytes * document_bytes_each);
}

void no_memory(const session_ptr& session) {
  session->respond_failure(error{errc::slow_down, "no memory for the body"});
}

void body_is_there(const session_ptr& session, const then_body& then, body_checksums headers) {
  auto& http = session->http();
  auto& buffer = http.buffer();
  const auto bytes = http.body_left();
  if (!charge_document(session, bytes)) return no_memory(session);
  std::string body{static_cast<const char*>(buffer.cdata().data()), bytes};
  buffer.consume(bytes);
  http.body_taken(bytes);
  http.body_complete();
  if (!matches_signature(*session, body)) return session->respond_failure(error{errc::payload_mismatch});
  const bool whole = headers == body_checksums::of_the_body;
  if (const auto refused =
          whole ? check_whole_body(session->fields(), body) : check_content_md5(session->fields(), body))
    return session->respond_error(*refused);
  then(std::move(body));
}

// The buffer doubles as bytes arrive.
void read_on(const session_ptr& session, const then_body& then, body_checksums headers) {
  auto& http = session->http();
  auto& buffer = http.buffer();
  if (buffer.size() >= http.body_left()) return body_is_there(session, then, headers);
  http.send_continue();
  const auto step =
      std::min<std::size_t>(http.body_left() - buffer.size(), std::max<std::size_t>(uncounted_bytes, buffer.size()));
  const auto held = buffer.size() + step;
  if (held > uncounted_bytes && !session->charge(held)) return no_memory(session);
  http.holds(held > uncounted_bytes ? held : 0);
  session->buffer_body(step, [session, then, headers] { read_on(session, then, headers); });
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
  if (session->http().chunked()) {
    return session->respond_error({411, "MissingContentLength", "This request needs Content-Length."});
  }
  if (session->http().body_left() > bytes_max) {
    return session->respond_error(
        {400, "MalformedXML", "The body is larger than " + std::to_string(bytes_max) + " bytes."});
  }
  if (const auto refused = refused_payload(*session)) return session->respond_error(*refused);
  session->http().collects(true);
  read_on(session, then, headers);
}

std::string location_of(const s3_session& session) {
  const auto& target = session.current().target;
  const auto host = target.authority.empty() ? field_of(session.fields(), "Host") : std::string_view{target.authority};
  std::string url;
  if (!host.empty()) url.append(session.encrypted() ? "https://" : "http://").append(host);
  if (!target.host_names_bucket) url.append("/").append(target.bucket);
  url.append("/");
  append_percent_encoded(url, target.key);
  return url;
}

void with_turn(const session_ptr& session, fair_turns& turns, std::function<void(turn)> then) {
  const auto& payer = session->payer();
  turns.take(payer ? payer->name() : std::string{}, [session, then = std::move(then)](turn mine) {
    boost::asio::dispatch(session->executor(), [session, then, mine = std::move(mine)]() mutable {
      if (!session->closed()) then(std::move(mine));
    });
  });
}

void respond_document(const session_ptr& session, const std::string& xml, std::string_view header_lines) {
  if (!session->charge(xml.size() + session->current().basics.lines.size()))
    return session->respond_failure(error{errc::slow_down, "no memory for the answer"});
  session->respond(200, whole_answer(200, session->basics(), "application/xml", xml, header_lines));
}

} // namespace cairn::net
