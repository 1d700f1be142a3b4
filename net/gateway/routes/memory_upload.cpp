#include "net/gateway/routes/memory_upload.hpp"

#include "base/third_party/asio.hpp"

#include <algorithm>
#include <cstring>

namespace cairn::net {

namespace {

// Methods of upload_client run on the ingest's thread and hop to the executor; all else runs there.
class memory_upload final : public actors::upload_client, public std::enable_shared_from_this<memory_upload> {
public:
  memory_upload(boost::asio::any_io_executor executor, std::string bytes,
                std::function<void(result<actors::put_outcome>)> done)
      : executor_(std::move(executor)), bytes_(std::move(bytes)), done_(std::move(done)) {}

  void run(const actors::services& services, actors::put_request put) {
    put.length = bytes_.size();
    ingest_ = actors::start_upload(services, std::move(put), shared_from_this());
  }

  void grant(buffer_ptr empty, std::uint32_t fill_bytes) override {
    boost::asio::post(executor_, [self = shared_from_this(), empty = std::move(empty), fill_bytes]() mutable {
      self->fill(std::move(empty), fill_bytes);
    });
  }

  void done(result<actors::put_outcome> outcome) override {
    boost::asio::post(executor_, [self = shared_from_this(), outcome = std::move(outcome)]() mutable {
      self->ingest_ = nullptr;
      std::exchange(self->done_, nullptr)(std::move(outcome));
    });
  }

private:
  void fill(buffer_ptr empty, std::uint32_t fill_bytes) {
    if (!ingest_ || ended_) return;
    const auto length = static_cast<std::uint32_t>(std::min<std::size_t>(fill_bytes, bytes_.size() - sent_));
    if (length > 0) {
      std::memcpy(empty->data(), bytes_.data() + sent_, length);
      sent_ += length;
      caf::anon_send(ingest_, actors::body_atom_v, slice{std::move(empty), 0, length});
    }
    if (sent_ < bytes_.size()) return;
    ended_ = true;
    caf::anon_send(ingest_, actors::body_end_atom_v, actors::body_end{});
  }

  boost::asio::any_io_executor executor_;
  const std::string bytes_;
  std::function<void(result<actors::put_outcome>)> done_;
  actors::ingest_actor ingest_;
  std::size_t sent_ = 0;
  bool ended_ = false;
};

} // namespace

void upload_from_memory(const actors::services& services, const boost::asio::any_io_executor& executor,
                        actors::put_request put, std::string bytes,
                        std::function<void(result<actors::put_outcome>)> done) {
  std::make_shared<memory_upload>(executor, std::move(bytes), std::move(done))->run(services, std::move(put));
}

} // namespace cairn::net
