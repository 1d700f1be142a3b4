#include "actors/download/sequencer.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/protocol/node.hpp"
#include "base/log.hpp"

namespace cairn::actors {

namespace {

// One download. Write i carries slice i; its text is the head or the literals before that slice. Text after the last
// slice is a separate write.
class streamer_state {
public:
  explicit streamer_state(streamer_actor::pointer self) : self_(self) {}
  ~streamer_state();
  streamer_state(const streamer_state&) = delete;
  streamer_state& operator=(const streamer_state&) = delete;

  void start(services s, object_name object, std::shared_ptr<download_client> client);
  void slice(std::uint64_t index, cairn::slice bytes);
  void failed(const error& why, const std::string& what);
  void written(std::uint64_t number);
  void gone();
  void parts_needed(std::uint64_t object_offset);
  void exited(const caf::exit_msg& m);

private:
  void found(found_object& object);
  std::vector<byte_range> ranges_to_read() const;
  void send_inline(std::string_view bytes);
  void to_next_range();
  void write(cairn::slice bytes);
  void log_failure(const error& why, const std::string& what) const;

  streamer_actor::pointer self_;
  services s_;
  object_name object_;
  std::shared_ptr<download_client> client_; // null after its last call, or when the client has disconnected
  sequencer_actor sequencer_;
  manifest_id manifest_ = 0;
  read_hold hold_;

  download_plan plan_;
  std::string text_;        // sent with the next write
  std::size_t element_ = 0; // index in plan_.body of the element that is being sent
  std::uint64_t left_of_range_ = 0;
  std::uint64_t slices_ = 0, writes_ = 0, written_ = 0;
  bool body_queued_ = false;
};
static_assert(!std::is_aggregate_v<streamer_state>);

streamer_state::~streamer_state() {
  if (s_.metrics) s_.metrics->active_downloads.fetch_sub(1, std::memory_order_relaxed);
}

void streamer_state::start(services s, object_name object, std::shared_ptr<download_client> client) {
  s_ = std::move(s);
  object_ = std::move(object);
  client_ = std::move(client);
  s_.metrics->active_downloads.fetch_add(1, std::memory_order_relaxed);
  self_->request(s_.metadata, caf::infinite, lookup_atom_v, object_)
      .then([this](found_object& answer) { found(answer); }, [this](caf::error& why) { failed(from_caf(why), "row"); });
}

void streamer_state::found(found_object& object) {
  if (!client_) return;
  plan_ = client_->plan(object);
  text_ = std::move(plan_.head);
  hold_ = std::move(object.hold);
  manifest_ = object.row->manifest;
  if (object.inline_bytes) return send_inline(*object.inline_bytes);
  auto ranges = ranges_to_read();
  for (const auto& r : ranges) CAIRN_ASSERT(r.offset <= object.row->size && r.length <= object.row->size - r.offset);
  to_next_range();
  if (body_queued_) return write({});
  CAIRN_ASSERT(object.parts);
  sequencer_ = spawn_sequencer(
      self_, s_, {std::move(ranges), std::move(object.parts), client_->payer(), object_.trace.of_request()},
      streamer_actor{self_});
}

std::vector<byte_range> streamer_state::ranges_to_read() const {
  std::vector<byte_range> out;
  for (const auto& element : plan_.body) {
    if (const auto* range = std::get_if<byte_range>(&element); range && range->length > 0) out.push_back(*range);
  }
  return out;
}

void streamer_state::send_inline(std::string_view bytes) {
  for (auto& element : plan_.body) {
    if (const auto* range = std::get_if<byte_range>(&element)) {
      CAIRN_ASSERT(range->offset <= bytes.size() && range->length <= bytes.size() - range->offset);
      text_.append(bytes.substr(range->offset, range->length));
    } else {
      text_.append(std::get<std::string>(element));
    }
  }
  body_queued_ = true;
  write({});
}

// Collects the literals up to the next range that has bytes.
void streamer_state::to_next_range() {
  for (; element_ < plan_.body.size(); ++element_) {
    const auto& element = plan_.body[element_];
    if (const auto* literal = std::get_if<std::string>(&element)) {
      text_.append(*literal);
    } else if (const auto length = std::get<byte_range>(element).length; length > 0) {
      left_of_range_ = length;
      return;
    }
  }
  body_queued_ = true;
}

void streamer_state::write(cairn::slice bytes) {
  client_->write(writes_++, std::exchange(text_, {}), std::move(bytes));
}

void streamer_state::slice(std::uint64_t index, cairn::slice bytes) {
  if (!client_) return;
  CAIRN_ASSERT(index == slices_ && bytes.length > 0 && bytes.length <= left_of_range_);
  ++slices_;
  left_of_range_ -= bytes.length;
  write(std::move(bytes));
  if (left_of_range_ > 0) return;
  ++element_;
  to_next_range();
  if (body_queued_ && !text_.empty()) write({});
}

void streamer_state::written(std::uint64_t number) {
  if (!client_) return;
  CAIRN_ASSERT(number >= written_ && number < writes_);
  const auto credited = std::min(number + 1, slices_) - std::min(written_, slices_);
  written_ = number + 1;
  const bool nothing_queued = written_ == writes_;
  if (credited > 0) {
    self_->send(sequencer_, credit_atom_v, std::uint32_t(credited), nothing_queued && !body_queued_);
  }
  if (!nothing_queued || !body_queued_) return;
  std::exchange(client_, nullptr)->finish();
  self_->quit();
}

void streamer_state::log_failure(const error& why, const std::string& what) const {
  if (!is_fault(why.code)) return;
  log::error("download failed", {{"bucket", object_.bucket},
                                 {"key", object_.key},
                                 {"what", what},
                                 {"sent_slices", slices_},
                                 {"error", to_string(why)}});
}

void streamer_state::failed(const error& why, const std::string& what) {
  if (!client_) return;
  log_failure(why, what);
  auto client = std::exchange(client_, nullptr);
  if (writes_ == 0) {
    client->fail(why);
  } else {
    s_.metrics->downloads_broken.fetch_add(1, std::memory_order_relaxed);
    client->abort(why);
  }
  if (sequencer_) self_->send(sequencer_, cancel_atom_v);
  self_->quit();
}

void streamer_state::gone() {
  if (!client_) return;
  client_.reset();
  s_.metrics->downloads_cancelled.fetch_add(1, std::memory_order_relaxed);
  if (sequencer_) self_->send(sequencer_, cancel_atom_v);
  self_->quit();
}

void streamer_state::parts_needed(std::uint64_t object_offset) {
  self_->request(s_.metadata, caf::infinite, parts_atom_v, manifest_, object_offset)
      .then([this](part_list& page) { self_->send(sequencer_, parts_atom_v, std::move(page)); },
            [this](caf::error& why) { failed(from_caf(why), "manifest"); });
}

// The sequencer ended with an error, or the actor system stops.
void streamer_state::exited(const caf::exit_msg& m) {
  if (!m.reason) return;
  failed(from_caf(m.reason), "actor");
  self_->quit(m.reason);
}

// A class and not a function: the arguments are moved into the state without a closure in between, which matters
// because a small GET is little more than this actor.
class streamer final : public caf::stateful_actor<streamer_state, streamer_actor::base> {
public:
  streamer(caf::actor_config& config, services s, object_name object, std::shared_ptr<download_client> client)
      : stateful_actor(config), services_(std::move(s)), object_(std::move(object)), client_(std::move(client)) {}

  behavior_type make_behavior() override {
    set_exit_handler([this](caf::exit_msg& m) { state.exited(m); });
    state.start(std::move(services_), std::move(object_), std::move(client_));
    return {
        [this](slice_atom, std::uint64_t index, cairn::slice& bytes) { state.slice(index, std::move(bytes)); },
        [this](failed_atom, failure& f) { state.failed(f.reason, f.what); },
        [this](written_atom, std::uint64_t number) { state.written(number); },
        [this](gone_atom) { state.gone(); },
        [this](parts_atom, std::uint64_t object_offset) { state.parts_needed(object_offset); },
    };
  }

private:
  services services_;
  object_name object_;
  std::shared_ptr<download_client> client_;
};

} // namespace

streamer_actor start_download(const services& s, object_name object, std::shared_ptr<download_client> client) {
  return s.system->spawn<streamer>(s, std::move(object), std::move(client));
}

} // namespace cairn::actors
