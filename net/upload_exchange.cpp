#include "net/upload_exchange.hpp"

#include "net/http_session.hpp"

#include <boost/asio/dispatch.hpp>

#include <cstring>
#include <deque>

namespace cairn::net {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::size_t chunked_read_bytes = 64 << 10;

// Methods of upload_client run on the ingest's thread and hop to the strand; all else runs on the strand.
class upload_exchange final : public actors::upload_client,
                              public exchange,
                              public std::enable_shared_from_this<upload_exchange> {
public:
  upload_exchange(std::shared_ptr<http_session> session, std::optional<storage::metadata::md5_digest> content_md5)
      : session_(std::move(session)), content_md5_(content_md5) {}

  void run(actors::put_request put) {
    session_->begin(weak_from_this());
    ingest_ = actors::start_upload(session_->shared().services, std::move(put), shared_from_this());
  }

  void grant(storage::buffer_ptr empty, std::uint32_t fill_bytes) override {
    on_strand([given = granted{std::move(empty), fill_bytes}](upload_exchange& self) mutable {
      if (!self.ingest_ || self.ended_) return;
      self.grants_.push_back(std::move(given));
      if (self.reading_) return;
      self.session_->send_continue();
      self.pump();
    });
  }

  void done(result<actors::put_outcome> outcome) override {
    on_strand([outcome = std::move(outcome)](upload_exchange& self) mutable {
      if (!self.ingest_) return;
      self.ingest_ = nullptr;
      self.answer([outcome = std::move(outcome)](http_session& session) {
        if (!outcome) return session.respond_failure(outcome.error());
        std::string lines = "ETag: \"" + to_string(outcome->etag) + "\"\r\n";
        for (const auto& [name, value] : outcome->proven) lines.append(name).append(": ").append(value).append("\r\n");
        if (!outcome->proven.empty()) lines += "x-amz-checksum-type: FULL_OBJECT\r\n";
        session.respond_empty(200, lines);
      });
    });
  }

  void sent(std::uint64_t) override {}

  void stalled() override { refuse({408, "RequestTimeout", "The body made no progress for http.idle_timeout."}); }

  void lost() override { leave(); }

private:
  struct granted {
    storage::buffer_ptr buffer;
    std::size_t fill_bytes = 0;
    std::byte* at(std::size_t offset) const { return buffer->data() + offset; }
  };

  template <class Step>
  void on_strand(Step step) {
    asio::dispatch(session_->executor(), [self = shared_from_this(), step = std::move(step)]() mutable {
      if (!self->session_->closed()) step(*self);
    });
  }

  // Fills the first granted buffer from what was read already, or reads more.
  void pump() {
    while (!reading_ && ingest_ && !ended_ && !grants_.empty()) {
      const auto problem = session_->chunked() ? decode() : take_buffered();
      if (problem) return refuse(*problem);
      const bool whole = session_->chunked() ? session_->parser().is_done() : session_->body_left() == 0;
      const bool full = filled_ == grants_.front().fill_bytes;
      if (filled_ > 0 && (whole || full)) hand_over();
      if (whole) return end_body();
      if (!full) read();
    }
  }

  std::optional<s3_error> take_buffered() {
    auto& buffer = session_->buffer();
    const auto n = std::min(buffer.size(), wanted());
    std::memcpy(grants_.front().at(filled_), buffer.cdata().data(), n);
    buffer.consume(n);
    taken(n);
    return std::nullopt;
  }

  std::size_t wanted() const {
    return std::min<std::uint64_t>(grants_.front().fill_bytes - filled_, session_->body_left());
  }

  void taken(std::size_t n) {
    filled_ += n;
    session_->body_taken(n);
  }

  std::optional<s3_error> decode() {
    auto& parser = session_->parser();
    auto& buffer = session_->buffer();
    const auto& target = grants_.front();
    while (!parser.is_done() && filled_ < target.fill_bytes && buffer.size() > 0) {
      auto& body = parser.get().body();
      body.data = target.at(filled_);
      body.size = target.fill_bytes - filled_;
      body.more = true;
      error_code failed;
      const auto used = parser.put(buffer.cdata(), failed);
      filled_ = target.fill_bytes - body.size;
      buffer.consume(used);
      if (failed == http::error::need_more || failed == http::error::need_buffer) failed = {};
      if (failed) return s3_error{400, "InvalidRequest", "The chunked body is malformed: " + failed.message() + "."};
      if (used == 0) break;
    }
    const auto limit = session_->shared().header_bytes_max + chunked_read_bytes;
    if (filled_ < target.fill_bytes && buffer.size() > limit) {
      return s3_error{400, "InvalidRequest", "A chunk header or trailer is too long."};
    }
    return std::nullopt;
  }

  void read() {
    reading_ = true;
    session_->arm(http_session::wait::body);
    auto target = session_->chunked() ? session_->buffer().prepare(chunked_read_bytes)
                                      : asio::mutable_buffer{grants_.front().at(filled_), wanted()};
    session_->socket().async_read_some(target, [self = shared_from_this()](error_code failed, std::size_t n) {
      self->reading_ = false;
      self->on_read(failed, n);
    });
  }

  void on_read(const error_code& failed, std::size_t n) {
    if (session_->closed()) return grants_.clear();
    session_->disarm();
    session_->shared().metrics.bytes_received.fetch_add(n, std::memory_order_relaxed);
    if (session_->chunked())
      session_->buffer().commit(n);
    else
      taken(n);
    if (answer_) return send_answer();
    if (failed == asio::error::eof) {
      return refuse({400, "IncompleteBody", "The body ended before its announced length."});
    }
    if (failed) return session_->close();
    pump();
  }

  void hand_over() {
    auto full = std::move(grants_.front().buffer);
    grants_.pop_front();
    const auto length = static_cast<std::uint32_t>(std::exchange(filled_, 0));
    caf::anon_send(ingest_, actors::body_atom_v, storage::slice{std::move(full), 0, length});
  }

  void end_body() {
    ended_ = true;
    grants_.clear();
    session_->body_complete();
    caf::anon_send(ingest_, actors::body_end_atom_v, actors::body_end{content_md5_});
  }

  void leave() {
    if (ingest_) caf::anon_send(std::exchange(ingest_, nullptr), actors::gone_atom_v);
  }

  void refuse(const s3_error& problem) {
    leave();
    answer([problem](http_session& session) { session.respond_error(problem); });
  }

  // A read under way is called back first: it writes into a buffer that the session wants to reuse.
  void answer(std::function<void(http_session&)> make) {
    answer_ = std::move(make);
    if (!reading_) return send_answer();
    error_code ignored; // the handler runs in any case
    session_->socket().cancel(ignored);
  }

  void send_answer() {
    grants_.clear();
    filled_ = 0;
    const auto make = std::exchange(answer_, nullptr);
    make(*session_);
  }

  std::shared_ptr<http_session> session_;
  const std::optional<storage::metadata::md5_digest> content_md5_;
  actors::ingest_actor ingest_; // null once it was told or told us the end
  std::deque<granted> grants_;
  std::size_t filled_ = 0; // bytes in grants_.front()
  std::function<void(http_session&)> answer_;
  bool reading_ = false, ended_ = false;
};

} // namespace

void start_put(const std::shared_ptr<http_session>& session) {
  if (!session->chunked() && !session->has_length()) {
    session->keep_no_longer(); // the client may send a body all the same
    return session->respond_error({411, "MissingContentLength", "PUT needs Content-Length or the chunked coding."});
  }
  const auto length = session->chunked() ? std::nullopt : std::optional{session->body_left()};
  auto order = read_put(session->fields(), session->current(), length, session->shared().object_size_max);
  if (const auto* refused = std::get_if<s3_error>(&order)) return session->respond_error(*refused);
  auto& accepted = std::get<put_order>(order);
  std::make_shared<upload_exchange>(session, accepted.content_md5)->run(std::move(accepted.put));
}

} // namespace cairn::net
