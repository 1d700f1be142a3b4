#include "net/gateway/range_checksum.hpp"

#include "base/third_party/asio.hpp"
#include "net/wire/grammar/base64.hpp"

namespace cairn::net {

namespace {

// Methods of download_client run on the streamer's thread and hop to the strand; all else runs there. Only `plan` works
// on the calling thread, before anything else uses its results.
class range_reader final : public actors::download_client, public std::enable_shared_from_this<range_reader> {
public:
  range_reader(session_ptr session, stored_range range, checksum_kind kind,
               std::function<void(result<std::string>)> done)
      : session_(std::move(session)),
        payer_(session_->payer()),
        range_(std::move(range)),
        running_(kind),
        done_(std::move(done)) {}

  account_ptr payer() const override { return payer_; }
  void run() {
    look_up_ = session_->begin_span(span_name::look_up, session_->wait_begins());
    auto object = range_.object;
    object.trace = look_up_;
    streamer_ = actors::start_download(session_->shared().services, std::move(object), shared_from_this());
  }

  actors::download_plan plan(const actors::found_object& object) override {
    look_up_.end(session_->wait_begins());
    found_ = true;
    stale_ = place_of(*object.row) != range_.place;
    actors::download_plan plan;
    if (!stale_) plan.body.emplace_back(range_.bytes);
    return plan;
  }

  void write(std::uint64_t number, std::string, slice bytes) override {
    on_strand([number, bytes = std::move(bytes)](range_reader& self) mutable {
      if (bytes.length > 0) self.running_.update(bytes.view());
      bytes = {};
      caf::anon_send(self.streamer_, actors::written_atom_v, number);
    });
  }

  void finish() override {
    on_strand([](range_reader& self) {
      if (self.stale_) return self.end(error{errc::stale_source});
      self.end(base64_encode(self.running_.finish()));
    });
  }

  void fail(const error& reason) override {
    on_strand([reason](range_reader& self) {
      if (!self.found_) self.look_up_.end(self.session_->wait_begins(), reason.code);
      self.end(reason);
    });
  }
  void abort(const error& reason) override { fail(reason); }

private:
  template <class Step>
  void on_strand(Step step) {
    boost::asio::dispatch(session_->executor(), [self = shared_from_this(), step = std::move(step)]() mutable {
      if (!self->streamer_) return;
      if (!self->session_->closed()) return step(*self);
      caf::anon_send(std::exchange(self->streamer_, nullptr), actors::gone_atom_v);
    });
  }
  void end(result<std::string> outcome) {
    streamer_ = nullptr;
    std::exchange(done_, nullptr)(std::move(outcome));
  }

  session_ptr session_;
  const account_ptr payer_;
  const stored_range range_;
  running_checksum running_;
  std::function<void(result<std::string>)> done_;
  actors::streamer_actor streamer_; // null after its last call, or after gone_atom was sent to it
  trace_scope look_up_;
  bool found_ = false, stale_ = false;
};

} // namespace

void checksum_of(const session_ptr& session, stored_range range, checksum_kind kind,
                 std::function<void(result<std::string>)> done) {
  std::make_shared<range_reader>(session, std::move(range), kind, std::move(done))->run();
}

} // namespace cairn::net
