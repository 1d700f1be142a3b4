#include "net/gateway/routes/upload_exchange.hpp"

#include "base/third_party/asio.hpp"
#include "net/gateway/body_reader.hpp"
#include "net/gateway/routes/route_steps.hpp"
#include "net/s3/body/body_checksums.hpp"
#include "net/s3/header_rules.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/wire/grammar/fields.hpp"

#include <deque>

namespace cairn::net {

namespace {

namespace asio = boost::asio;
namespace metadata = storage::metadata;
using boost::system::error_code;

constexpr std::chrono::seconds authorized_every{10};
constexpr std::size_t fast_read_bytes = 64 << 10;

// Methods of upload_client run on the ingest's thread and hop to the strand; all else runs on the strand.
class upload_exchange final : public actors::upload_client,
                              public exchange,
                              public std::enable_shared_from_this<upload_exchange> {
public:
  // Answers the success of the upload.
  using stored = void (*)(s3_session& session, const actors::put_outcome& outcome);

  upload_exchange(std::shared_ptr<s3_session> session, payload_plan payload,
                  std::optional<storage::metadata::md5_digest> content_md5, stored answer_stored)
      : session_(std::move(session)),
        reader_(session_->http(), std::move(payload)),
        content_md5_(content_md5),
        answer_stored_(answer_stored) {}

  void run(actors::put_request put) {
    session_->http().begin(weak_from_this());
    authorize_at_ = session_->shared().clock.now() + authorized_every;
    put.payer = session_->payer();
    put.trace = session_->trace();
    asked_ = !reader_.whole() && reader_.worth_a_buffer();
    put.grants = asked_ ? actors::put_request::granting::on_demand_first : actors::put_request::granting::on_demand;
    ingest_ = actors::start_upload(session_->shared().services, std::move(put), shared_from_this());
  }

  void grant(buffer_ptr empty, std::uint32_t fill_bytes) override {
    on_strand([given = granted{std::move(empty), fill_bytes}](upload_exchange& self) mutable {
      self.asked_ = false;
      if (!self.ingest_ || self.ended_) return;
      self.grants_.push_back(std::move(given));
      if (self.reading_) return;
      self.session_->http().send_continue();
      self.pump();
    });
  }

  void upload_accepted() override {
    on_strand([](upload_exchange& self) {
      if (!self.ingest_) return;
      self.session_->http().send_continue();
      self.pump();
    });
  }

  void done(result<actors::put_outcome> outcome) override {
    on_strand([outcome = std::move(outcome)](upload_exchange& self) mutable {
      if (!self.ingest_) return;
      self.ingest_ = nullptr;
      self.answer([outcome = std::move(outcome), answer_stored = self.answer_stored_](s3_session& session) {
        if (!outcome) return session.respond_failure(outcome.error());
        answer_stored(session, *outcome);
      });
    });
  }

  void sent(std::uint64_t) override {}

  void stalled(end_reason why) override { refuse(timeout_error(why)); }

  void lost() override { leave(); }

private:
  struct granted {
    buffer_ptr buffer;
    std::size_t fill_bytes = 0;
    std::byte* at(std::size_t offset) const { return buffer->data() + offset; }
  };

  template <class Step>
  void on_strand(Step step) {
    asio::dispatch(session_->executor(), [self = shared_from_this(), step = std::move(step)]() mutable {
      if (!self->session_->closed()) step(*self);
    });
  }

  // The empty part of the first granted buffer.
  std::span<std::byte> room() const {
    if (grants_.empty()) return {};
    const auto& target = grants_.front();
    return {target.at(filled_), target.fill_bytes - filled_};
  }

  // Fills the first granted buffer from bytes that were read already, or reads more. Without a buffer it reads a few
  // bytes first, so that a client that sends nothing gets no buffer.
  void pump() {
    while (!reading_ && ingest_ && !ended_) {
      if (grants_.empty() && reader_.needs_room() && !reader_.whole())
        return reader_.worth_a_buffer() ? want() : read();
      auto taken = reader_.take(room());
      if (const auto* problem = std::get_if<s3_error>(&taken)) return refuse(*problem);
      filled_ += std::get<std::size_t>(taken);
      const bool whole = reader_.whole();
      const bool full = room().empty();
      if (filled_ > 0 && (whole || full)) send_filled();
      if (whole) return end_body();
      if (!full || !reader_.needs_room()) read();
    }
  }

  void want() {
    if (!std::exchange(asked_, true)) caf::anon_send(ingest_, actors::want_atom_v);
  }

  // Requests the next buffer before the current one is full if the client sends fast.
  void request_ahead(std::size_t arrived) {
    if (arrived < fast_read_bytes || grants_.size() != 1 || 2 * filled_ < grants_.front().fill_bytes) return;
    if (session_->http().chunked() || session_->http().body_left() > room().size()) want();
  }

  void read() {
    reading_ = true;
    std::size_t held = 0;
    for (const auto& grant : grants_) held += grant.buffer->capacity();
    session_->http().holds(held);
    session_->http().read_body(reader_.targets(room()), [self = shared_from_this()](error_code failed, std::size_t n) {
      self->reading_ = false;
      self->on_read(failed, n);
    });
  }

  void on_read(const error_code& failed, std::size_t n) {
    if (session_->closed()) return grants_.clear();
    session_->http().disarm();
    session_->http().received(n);
    filled_ += reader_.arrived(n);
    if (answer_) return send_answer();
    if (failed == asio::error::eof) {
      return refuse({400, "IncompleteBody", "The body ended before its announced length."});
    }
    if (failed) return session_->http().close();
    authorize_again();
    request_ahead(n);
    pump();
  }

  // A body may take hours: if the sender loses the right meanwhile, the upload is refused before the body's end. The
  // commit is authorized in any case.
  void authorize_again() {
    const auto now = session_->shared().clock.now();
    if (authorizing_ || now < authorize_at_) return;
    authorize_at_ = now + authorized_every;
    const auto& request = session_->current();
    authorizing_ = true;
    ask_result<actors::found_access>(
        session_,
        [self = shared_from_this(), by = request.by,
         key = request.target.key](const result<actors::found_access>& found) {
          self->authorizing_ = false;
          if (!found || !self->ingest_ || self->ended_ || self->answer_) return;
          bool undecided = false;
          if (const auto why = metadata::lapsed(by, found->key.get(), found->bucket.get(), {.key = key}, undecided))
            self->refuse(s3_error_of(*why));
        },
        actors::access_atom_v, actors::access_query{request.by.key, request.target.bucket, {}, request.token});
  }

  void send_filled() {
    auto full = std::move(grants_.front().buffer);
    grants_.pop_front();
    const auto length = static_cast<std::uint32_t>(std::exchange(filled_, 0));
    caf::anon_send(ingest_, actors::body_atom_v, slice{std::move(full), 0, length});
  }

  void end_body() {
    if (const auto problem = reader_.finish()) return refuse(*problem);
    ended_ = true;
    grants_.clear();
    session_->http().body_complete();
    caf::anon_send(ingest_, actors::body_end_atom_v, actors::body_end{content_md5_});
  }

  void leave() {
    if (ingest_) caf::anon_send(std::exchange(ingest_, nullptr), actors::gone_atom_v);
  }

  void refuse(const s3_error& problem) {
    leave();
    answer([problem](s3_session& session) { session.respond_error(problem); });
  }

  // Waits until a read in progress has ended, because it writes into a buffer that the session reuses.
  void answer(std::function<void(s3_session&)> make) {
    answer_ = std::move(make);
    if (!reading_) return send_answer();
    session_->http().cancel_read();
  }

  void send_answer() {
    grants_.clear();
    filled_ = 0;
    const auto make = std::exchange(answer_, nullptr);
    make(*session_);
  }

  std::shared_ptr<s3_session> session_;
  body_reader reader_;
  const std::optional<storage::metadata::md5_digest> content_md5_;
  const stored answer_stored_;
  actors::ingest_actor ingest_; // null after the last message to it or from it
  std::deque<granted> grants_;
  std::size_t filled_ = 0; // bytes in grants_.front()
  std::function<void(s3_session&)> answer_;
  bool reading_ = false, ended_ = false, authorizing_ = false;
  steady_time authorize_at_{};
  bool asked_ = false; // whether a buffer was requested
};

// Of the bytes: their ETag, and the checksums that they were proven to have.
std::string digest_lines(const actors::put_outcome& outcome) {
  std::string lines = "ETag: \"" + to_string(outcome.etag) + "\"\r\n";
  for (const auto& [name, value] : outcome.proven) lines.append(name).append(": ").append(value).append("\r\n");
  return lines;
}

std::string object_lines(const actors::put_outcome& outcome) {
  auto lines = digest_lines(outcome) + version_lines({outcome.version_id}) + expiry_line(outcome.expires);
  if (!outcome.proven.empty()) lines += "x-amz-checksum-type: FULL_OBJECT\r\n";
  return lines;
}

void respond_object(s3_session& session, const actors::put_outcome& outcome) {
  session.note_version(outcome.version_id);
  session.respond_empty(200, object_lines(outcome));
}

void respond_part(s3_session& session, const actors::put_outcome& outcome) {
  session.respond_empty(200, digest_lines(outcome));
}

void respond_form(s3_session& session, const actors::put_outcome& outcome) {
  session.note_version(outcome.version_id);
  const auto& request = session.current();
  const auto etag = to_string(outcome.etag);
  const auto location = location_of(session);
  const auto success = success_of(*request.form, request.target.bucket, etag);
  const auto lines =
      object_lines(outcome) + "Location: " + (success.status == 303 ? success.redirect : location) + "\r\n";
  if (success.status != 201) return session.respond_empty(success.status, lines);
  const auto body = post_response_xml(location, request.target.bucket, request.target.key, etag);
  session.respond(201, whole_answer(201, session.basics(), "application/xml", body, lines));
}

bool announces_length(const std::shared_ptr<s3_session>& session) {
  if (session->http().chunked() || session->http().has_length()) return true;
  session->http().disable_keep_alive(); // the client may send the body nevertheless
  session->respond_error({411, "MissingContentLength", "PUT needs Content-Length or the chunked coding."});
  return false;
}

struct prepared_upload {
  payload_plan payload;
  put_order order;
};

// Parses the head. nullopt: the request was refused and answered.
std::optional<prepared_upload> prepare(const std::shared_ptr<s3_session>& session, std::uint64_t size_max) {
  auto payload = plan_payload(session->fields(), session->current());
  if (const auto* refused = std::get_if<s3_error>(&payload)) {
    session->respond_error(*refused);
    return std::nullopt;
  }
  auto& plan = std::get<payload_plan>(payload);
  auto length = session->http().chunked() ? std::nullopt : std::optional{session->http().body_left()};
  if (plan.decoded_length) length = plan.decoded_length;
  auto order = read_put(session->fields(), session->current(), length, size_max);
  if (const auto* refused = std::get_if<s3_error>(&order)) {
    session->respond_error(*refused);
    return std::nullopt;
  }
  auto& accepted = std::get<put_order>(order);
  plan.checksum = accepted.checksum;
  accepted.put.check = both(std::move(accepted.put.check), plan.check);
  return prepared_upload{std::move(plan), std::move(accepted)};
}

// Each part of an upload with a checksum algorithm has a checksum of that kind. If the client sends none, it is
// computed. `named`: x-amz-checksum-algorithm of the part.
std::optional<s3_error> choose_checksum(const metadata::upload_row& upload, std::optional<checksum_kind> named,
                                        put_order& order) {
  const auto chosen = checksum_kind_of(upload.checksum);
  if (order.checksum) named = order.checksum->kind();
  if (chosen && named.value_or(*chosen) != *chosen)
    return s3_error{400, "InvalidRequest",
                    "The checksum is of another algorithm than the upload's, " + upload.checksum + "."};
  if (!order.checksum)
    order.put.check = both(std::move(order.put.check),
                           std::make_shared<checksum_maker>(named.value_or(chosen.value_or(default_checksum))));
  return std::nullopt;
}

void take_part(const std::shared_ptr<s3_session>& session, const metadata::upload_row& row,
               const metadata::upload_name& upload, std::uint32_t number) {
  const std::uint64_t size_max = std::min<std::uint64_t>(part_bytes_max, session->shared().object_size_max);
  auto upload_plan = prepare(session, size_max);
  if (!upload_plan) return;
  const auto named = checksum_kind_of(field_of(session->fields(), "x-amz-checksum-algorithm"));
  if (const auto refused = choose_checksum(row, named, upload_plan->order)) return session->respond_error(*refused);
  auto& put = upload_plan->order.put;
  put.commit_as = [upload, number](const metadata::put_object& whole) -> metadata::command {
    return part_of(whole, upload, number);
  };
  std::make_shared<upload_exchange>(session, std::move(upload_plan->payload), upload_plan->order.content_md5,
                                    respond_part)
      ->run(std::move(put));
}

} // namespace

void start_put(const std::shared_ptr<s3_session>& session) {
  if (!announces_length(session)) return;
  auto upload = prepare(session, session->shared().object_size_max);
  if (!upload) return;
  std::make_shared<upload_exchange>(session, std::move(upload->payload), upload->order.content_md5, respond_object)
      ->run(std::move(upload->order.put));
}

void post_object(const std::shared_ptr<s3_session>& session) {
  const auto& request = session->current();
  const auto& form = *request.form;
  if (announces_checksum(session->fields()))
    return session->respond_error(invalid_argument("Content-MD5 and the checksums of a form are fields of it."));
  if (const auto refused = refused_headers(form.head, *request.operation)) return session->respond_error(*refused);
  auto order = read_put(form.head, request, std::nullopt, session->shared().object_size_max);
  if (const auto* refused = std::get_if<s3_error>(&order)) return session->respond_error(*refused);
  auto& accepted = std::get<put_order>(order);
  payload_plan plan;
  plan.file.emplace(form.delimiter, request.policy.size_min, request.policy.size_max);
  std::make_shared<upload_exchange>(session, std::move(plan), accepted.content_md5, respond_form)
      ->run(std::move(accepted.put));
}

void start_part(const std::shared_ptr<s3_session>& session) {
  const auto& target = session->current().target;
  if (!announces_length(session)) return;
  const auto number = part_number_of(target);
  if (const auto* refused = std::get_if<s3_error>(&number)) return session->respond_error(*refused);
  const auto upload = upload_of(target);
  if (const auto* refused = std::get_if<s3_error>(&upload)) return session->respond_error(*refused);
  const auto& name = std::get<metadata::upload_name>(upload);
  ask<actors::found_upload>(
      session,
      [session, name, number = std::get<std::uint32_t>(number)](const actors::found_upload& found) {
        take_part(session, *found.row, name, number);
      },
      actors::parts_atom_v, actors::upload_query{name, 0, 0});
}

} // namespace cairn::net
