#include "net/gateway/routes/download_exchange.hpp"

#include "base/third_party/asio.hpp"
#include "net/gateway/ask.hpp"
#include "net/s3/access.hpp"
#include "net/s3/object_answer.hpp"
#include "net/s3/operations/multipart.hpp"

namespace cairn::net {

namespace {

// Methods of download_client run on the streamer's thread and hop to the strand; those of exchange run on the strand.
// The request does not change while the streamer works, so `plan` may read it.
class download_exchange final : public actors::download_client,
                                public exchange,
                                public std::enable_shared_from_this<download_exchange> {
public:
  explicit download_exchange(std::shared_ptr<s3_session> session) : session_(std::move(session)) {}

  account_ptr payer() const override { return payer_; }

  void run() {
    payer_ = session_->payer();
    asked_ = session_->wait_begins();
    look_up_ = session_->begin_span(span_name::look_up, asked_);
    session_->http().begin(weak_from_this());
    const auto& request = session_->current();
    streamer_ = actors::start_download(
        session_->shared().services,
        {request.target.bucket, request.target.key, !request.head_only, request.version, request.judged(), look_up_},
        shared_from_this());
  }

  actors::download_plan plan(const actors::found_object& object) override {
    auto answer = answer_object(session_->current(), *object.row, object.bucket.get());
    status_ = answer.status;
    found_ = session_->wait_begins();
    left_ = answer.plan.head.size();
    for (const auto& element : answer.plan.body) {
      const auto* const literal = std::get_if<std::string>(&element);
      left_ += literal != nullptr ? literal->size() : std::get<actors::byte_range>(element).length;
    }
    return std::move(answer.plan);
  }

  void fail(const error& reason) override {
    on_strand([reason](download_exchange& self) {
      self.streamer_ = nullptr;
      self.looked_up(reason.code);
      self.session_->respond_failure(reason);
    });
  }

  void write(std::uint64_t number, std::string text, slice bytes) override {
    on_strand([number, text = std::move(text), bytes = std::move(bytes)](download_exchange& self) mutable {
      self.looked_up();
      self.session_->http().status_decided(self.status_);
      self.left_ -= text.size() + bytes.length;
      self.session_->http().write({.what = pending_write::kind::part,
                                   .number = number,
                                   .text = std::move(text),
                                   .bytes = std::move(bytes),
                                   .ends = self.left_ == 0});
    });
  }

  void finish() override {
    on_strand([](download_exchange& self) {
      self.streamer_ = nullptr;
      self.session_->http().finish();
    });
  }

  void abort(const error&) override {
    on_strand([](download_exchange& self) {
      self.streamer_ = nullptr;
      self.session_->http().close();
    });
  }

  void sent(std::uint64_t number) override {
    if (streamer_) caf::anon_send(streamer_, actors::written_atom_v, number);
  }

  void stalled(end_reason) override { session_->http().close(); }

  void lost() override {
    if (streamer_) caf::anon_send(std::exchange(streamer_, nullptr), actors::gone_atom_v);
  }

private:
  // `failed`: the code of a failure before the object was found.
  void looked_up(errc failed = {}) {
    const auto asked = std::exchange(asked_, {});
    if (asked == steady_time{}) return;
    const bool found = found_ != steady_time{};
    const auto answered = found ? found_ : session_->wait_begins();
    look_up_.end(answered, found ? errc{} : failed);
    session_->metadata_answered(asked, answered);
  }

  template <class Step>
  void on_strand(Step step) {
    boost::asio::dispatch(session_->executor(), [self = shared_from_this(), step = std::move(step)]() mutable {
      if (!self->session_->closed()) step(*self);
    });
  }

  std::shared_ptr<s3_session> session_;
  account_ptr payer_;
  actors::streamer_actor streamer_;
  unsigned status_ = 0;
  std::uint64_t left_ = 0; // bytes of the answer that were not written yet
  trace_scope look_up_;
  steady_time asked_{}, found_{}; // of the look-up; {}: not yet, or not measured
};

void start_get(const session_ptr& session) {
  session->basics(); // decides before the plan's head is built whether the connection closes
  std::make_shared<download_exchange>(session)->run();
}

// GET with ?partNumber.
void get_part(const session_ptr& session) {
  const auto& target = session->current().target;
  const auto number = part_number_of(target);
  if (const auto* refused = std::get_if<s3_error>(&number)) return session->respond_error(*refused);
  const auto wanted = std::get<std::uint32_t>(number);
  ask<actors::found_parts>(
      session,
      [session, wanted](const actors::found_parts& found) {
        const auto* const bucket = session->current().bucket.get();
        if (const auto refused = refused_object(session->current(), bucket, found.row.get()))
          return session->respond_error(*refused);
        part_extent part{found.row->version, found.row->ordinal, std::nullopt};
        if (!found.parts->empty() && found.parts->front().number == wanted) {
          part.bytes = actors::byte_range{found.parts->front().offset, found.parts->front().length};
          part.checksum = found.parts->front().checksum;
        }
        session->choose_part(part);
        start_get(session);
      },
      actors::parts_atom_v,
      actors::object_parts_query{target.bucket, target.key, wanted - 1, 1, session->current().version,
                                 session->current().judged()});
}

} // namespace

void get_object(const session_ptr& session) {
  session->current().target.find("partNumber") ? get_part(session) : start_get(session);
}

} // namespace cairn::net
