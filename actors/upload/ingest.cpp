#include "actors/chunks/chunk_router.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/protocol/node.hpp"
#include "actors/upload/body_digests.hpp"
#include "actors/upload/replica_writer.hpp"
#include "actors/upload/upload_window.hpp"
#include "base/log.hpp"

#include <map>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

constexpr int abandon_attempts_max = 5;
constexpr std::chrono::seconds abandon_pause{1};
// After the last chunk is durable, a commit waits this long for the slower replicas, so that normally none is missing.
constexpr std::chrono::milliseconds straggler_wait{20};

// The state machine refused the commit and buried the blob with it.
bool refused_and_buried(errc code) {
  return code == errc::no_such_bucket || code == errc::precondition_failed || code == errc::session_ended ||
         code == errc::blob_dead || code == errc::no_such_upload || code == errc::access_denied ||
         code == errc::no_such_access_key || code == errc::quota_exceeded;
}

// One upload. After a failure the actor stays until its writes are answered, so that no chunk is stored after its blob
// was abandoned. After a commit it stays until the stragglers are answered, so that their replicas are not repaired.
class ingest_state : private replica_writer::user, private body_digests::user {
public:
  explicit ingest_state(ingest_actor::pointer self) : self_(self), writer_(self, *this) {}
  ~ingest_state() override;
  ingest_state(const ingest_state&) = delete;
  ingest_state& operator=(const ingest_state&) = delete;

  void start(services s, put_request request, std::shared_ptr<upload_client> client);
  void body(slice bytes);
  void want();
  void body_end(const actors::body_end& end);
  void gone();
  void buffer(buffer_ptr granted);
  void tick();
  void exited(const caf::exit_msg& m);

private:
  struct chunk {
    slice bytes;
    bool sent = false, stored = false; // sent: to the writer; stored: by the writer
  };
  struct memory_wait {
    std::uint64_t ticket;
    std::uint32_t bytes;
    steady_time until;
  };

  void grant_more();
  void wait_for(std::uint32_t bytes);
  void grant(buffer_ptr empty, std::uint32_t fill_bytes);
  bool keep_inline(const slice& bytes);
  void digested(std::uint32_t first, std::uint32_t end) override;
  void digest_failed(error why) override { fail(std::move(why)); }
  void write_chunks();
  void chunk_stored(std::uint32_t index) override;
  void write_failed(error why) override { fail(std::move(why)); }
  void write_ended() override;
  void release_if_done(std::uint32_t index);
  void finish_if_complete();
  bool wait_for_stragglers();
  void commit(const meta::etag& etag);
  void commit_put(const meta::etag& etag, meta::put_object put);
  result<meta::written_blob> written();
  void committed_as(const meta::etag& etag, const meta::command_result& r);
  void confirm_stragglers();
  void fail(error why);
  void wind_down();
  void abandon();

  ingest_actor::pointer self_;
  services s_;
  put_request request_;
  std::shared_ptr<upload_client> client_; // null after its last call, or when the client has disconnected
  std::optional<upload_window> window_;
  std::optional<memory_wait> waiting_;
  bool on_demand_ = false, bucket_exists_ = false; // bucket_exists_: the bucket exists
  std::uint32_t wanted_ = 0;                       // grants that were requested and not made (on demand)

  body_digests digests_;
  std::string inline_bytes_;
  kept_headers proven_;
  bool has_rules_ = false; // the bucket has lifecycle rules; they may be large, so a long upload does not keep them
  std::optional<meta::expiry> expires_;
  std::map<std::uint32_t, chunk> chunks_; // not stored yet, or not digested yet
  std::uint32_t chunks_begun_ = 0;
  replica_writer writer_;
  layout_holder::use layout_use_;                 // null: standalone
  std::vector<meta::missing_chunks> unconfirmed_; // as the commit listed them
  blob_id blob_;
  bool blob_asked_ = false, blob_known_ = false;
  std::optional<actors::body_end> end_;
  bool committing_ = false, committed_ = false, failed_ = false, buried_ = false, abandoning_ = false;
  bool straggler_wait_begun_ = false, confirming_ = false, abandon_pausing_ = false;
  int abandon_attempts_ = 0;
};
static_assert(!std::is_aggregate_v<ingest_state>);

ingest_state::~ingest_state() {
  if (waiting_ && waiting_->ticket != 0) s_.buffers->cancel_wait(waiting_->ticket);
  if (s_.metrics) s_.metrics->active_uploads.fetch_sub(1, std::memory_order_relaxed);
}

void ingest_state::start(services s, put_request request, std::shared_ptr<upload_client> client) {
  s_ = std::move(s);
  request_ = std::move(request);
  client_ = std::move(client);
  s_.metrics->active_uploads.fetch_add(1, std::memory_order_relaxed);
  on_demand_ = request_.grants != put_request::granting::ahead;
  wanted_ = request_.grants == put_request::granting::on_demand_first ? 1 : 0;
  writer_.start(s_, request_.trace);
  // Weak: an actor that holds a strong reference to itself is never released.
  const auto on_actor = [me = caf::actor_cast<caf::weak_actor_ptr>(self_)](std::function<void()> run) {
    if (const auto alive = me.lock()) caf::anon_send(caf::actor_cast<ingest_actor>(alive), completion{std::move(run)});
  };
  digests_.start({s_.digests, s_.clock, on_actor}, request_.check, *this);
  if (auto* layouts = s_.stores->layouts()) layout_use_ = layouts->begin_upload();
  window_.emplace(request_.length, upload_window::limits{s_.chunk_size, request_.commit_as ? 0 : s_.inline_max,
                                                         s_.upload_window, s_.object_size_max});
  if (request_.length.value_or(0) > s_.object_size_max) {
    return fail({errc::too_large, "more than " + std::to_string(s_.object_size_max) + " bytes"});
  }
  const auto look_up = request_.trace.begin(span_name::look_up, *s_.clock);
  self_->request(s_.metadata, caf::infinite, bucket_atom_v, bucket_name{request_.bucket, look_up})
      .then(
          [this, look_up](const meta::bucket_row& bucket) {
            look_up.end(*s_.clock);
            has_rules_ = !request_.commit_as && !bucket.lifecycle.empty();
            // What the bucket holds, and what the object replaces, is judged with the commit.
            if (auto why = meta::exceeded(bucket.quota, request_.length.value_or(0), 1)) return fail(std::move(*why));
            if (client_ && on_demand_ && wanted_ == 0) client_->upload_accepted();
            bucket_exists_ = true;
            grant_more();
          },
          [this, look_up](caf::error& reason) {
            auto why = from_caf(reason);
            look_up.end(*s_.clock, why.code);
            fail(std::move(why));
          });
}

void ingest_state::grant_more() {
  while (client_ && bucket_exists_ && !end_ && !waiting_ && (!on_demand_ || wanted_ > 0)) {
    const auto bytes = window_->next_grant();
    if (!bytes) return;
    const auto kind = window_->alone() ? reservation::minimum : reservation::growth;
    if (auto empty = s_.buffers->try_acquire(*bytes, kind, request_.payer)) {
      grant(std::move(empty), *bytes);
    } else {
      if (window_->alone()) wait_for(*bytes);
      return;
    }
  }
}

void ingest_state::wait_for(std::uint32_t bytes) {
  const auto patience = window_->bytes() == 0 ? s_.memory_wait : s_.memory_wait_midway;
  waiting_ = memory_wait{0, bytes, s_.clock->now() + patience};
  waiting_->ticket = s_.buffers->wait(
      bytes,
      [me = ingest_actor{self_}](buffer_ptr granted) {
        caf::anon_send(me, buffer_atom_v, buffer_grant{std::move(granted)});
      },
      request_.payer);
  self_->delayed_send(self_, patience, tick_atom_v);
}

void ingest_state::buffer(buffer_ptr granted) {
  if (!client_ || !waiting_) return;
  const auto bytes = waiting_->bytes;
  waiting_.reset();
  grant(std::move(granted), bytes);
  grant_more();
}

void ingest_state::grant(buffer_ptr empty, std::uint32_t fill_bytes) {
  window_->granted(fill_bytes);
  if (on_demand_) --wanted_;
  client_->grant(std::move(empty), fill_bytes);
}

void ingest_state::body(slice bytes) {
  if (!client_) return;
  if (end_) return fail({errc::invalid_argument, "bytes after the end of the body"});
  if (auto received = window_->received(bytes.length); !received) return fail(received.error());
  if (chunks_begun_ == 0 && window_->is_inline()) {
    if (!keep_inline(bytes)) return;
  } else if (bytes.length > 0) {
    chunks_.emplace(chunks_begun_++, chunk{bytes});
    write_chunks();
    digests_.add(std::move(bytes));
  } else {
    window_->released();
  }
  grant_more();
}

bool ingest_state::keep_inline(const slice& bytes) {
  const auto view = bytes.view();
  if (auto good = digests_.digest_now(view); !good) {
    fail(good.error());
    return false;
  }
  inline_bytes_.append(reinterpret_cast<const char*>(view.data()), view.size());
  window_->released();
  return true;
}

void ingest_state::write_chunks() {
  if (!blob_known_) {
    if (std::exchange(blob_asked_, true)) return;
    self_->request(s_.metadata, caf::infinite, new_blob_atom_v)
        .then(
            [this](const blob_id& id) {
              blob_ = id;
              blob_known_ = true;
              if (!failed_) write_chunks();
            },
            [this](caf::error& why) { fail(from_caf(why)); });
    return;
  }
  for (auto& [index, c] : chunks_) {
    if (std::exchange(c.sent, true)) continue;
    writer_.write({blob_, index}, c.bytes);
    if (failed_) return;
  }
}

void ingest_state::chunk_stored(std::uint32_t index) {
  const auto at = chunks_.find(index);
  if (failed_ || at == chunks_.end()) return;
  at->second.stored = true;
  release_if_done(index);
}

void ingest_state::write_ended() {
  if (failed_) return wind_down();
  if (committed_) return confirm_stragglers();
  finish_if_complete();
}

void ingest_state::digested(std::uint32_t first, std::uint32_t end) {
  if (failed_) return;
  for (auto index = first; index < end; ++index) release_if_done(index);
  finish_if_complete();
}

void ingest_state::release_if_done(std::uint32_t index) {
  const auto at = chunks_.find(index);
  if (at == chunks_.end() || !at->second.stored || index >= digests_.chunks()) return;
  chunks_.erase(at);
  window_->released();
  grant_more();
  finish_if_complete();
}

void ingest_state::want() {
  ++wanted_;
  grant_more();
}

void ingest_state::body_end(const actors::body_end& end) {
  if (!client_ || end_) return;
  if (auto whole = window_->ended(); !whole) return fail(whole.error());
  end_ = end;
  if (waiting_ && waiting_->ticket != 0) s_.buffers->cancel_wait(waiting_->ticket);
  waiting_.reset();
  finish_if_complete();
}

void ingest_state::finish_if_complete() {
  if (!end_ || failed_ || committing_ || digests_.chunks() < chunks_begun_) return;
  if (writer_.sent() < chunks_begun_ || !writer_.durable() || wait_for_stragglers()) return;
  const auto digest = digests_.finish();
  if (!digest) return fail(digest.error());
  const meta::etag etag{*digest};
  if (end_->content_md5 && *end_->content_md5 != etag.digest)
    return fail({errc::digest_mismatch, "the body does not have the announced MD5"});
  if (request_.check) proven_ = request_.check->proven();
  commit(etag);
}

bool ingest_state::wait_for_stragglers() {
  if (writer_.settled() || s_.clock->now() >= writer_.last_durable() + straggler_wait) return false;
  if (!std::exchange(straggler_wait_begun_, true)) self_->delayed_send(self_, straggler_wait, tick_atom_v);
  return true;
}

result<meta::written_blob> ingest_state::written() {
  auto missing = writer_.unconfirmed().list(chunks_begun_);
  if (!missing) return error{errc::no_quorum, "too many nodes have not confirmed their replicas"};
  unconfirmed_ = *missing;
  std::uint64_t copies = 0;
  for (const auto& m : unconfirmed_) copies += m.count;
  s_.metrics->replicas_unconfirmed.fetch_add(copies, std::memory_order_relaxed);
  return meta::written_blob{blob_, window_->bytes(), s_.chunk_size, std::move(*missing)};
}

void ingest_state::commit(const meta::etag& etag) {
  committing_ = true;
  meta::put_object put;
  put.bucket = std::move(request_.bucket);
  put.key = std::move(request_.key);
  put.now = s_.clock->wall();
  put.size = window_->bytes();
  put.etag = etag;
  put.headers = std::move(request_.headers);
  put.headers.standard.insert(put.headers.standard.end(), proven_.begin(), proven_.end());
  put.condition = std::move(request_.condition);
  put.extras = std::move(request_.extras);
  put.by = std::move(request_.by);
  if (chunks_begun_ > 0) {
    auto blob = written();
    if (!blob) return fail(blob.error());
    put.content = std::move(*blob);
  } else {
    put.content = std::move(inline_bytes_);
  }
  if (!has_rules_) return commit_put(etag, std::move(put));
  // The answer says when the object expires, if the rules can be read.
  auto waiting = std::make_shared<meta::put_object>(std::move(put));
  const auto look_up = request_.trace.begin(span_name::look_up, *s_.clock);
  self_->request(s_.metadata, caf::infinite, bucket_atom_v, bucket_name{waiting->bucket, look_up})
      .then(
          [this, etag, waiting, look_up](const meta::bucket_row& bucket) {
            look_up.end(*s_.clock);
            expires_ = meta::expiry_of(
                bucket.lifecycle,
                {.key = waiting->key, .size = waiting->size, .modified = waiting->now, .tags = waiting->extras.tags});
            commit_put(etag, std::move(*waiting));
          },
          [this, etag, waiting, look_up](caf::error& why) {
            look_up.end(*s_.clock, from_caf(why).code);
            commit_put(etag, std::move(*waiting));
          });
}

void ingest_state::commit_put(const meta::etag& etag, meta::put_object put) {
  if (failed_) return;
  auto box = std::make_shared<const meta::command>(request_.commit_as ? request_.commit_as(std::move(put))
                                                                      : meta::command{std::move(put)});
  const auto span = request_.trace.begin(span_name::commit, *s_.clock);
  self_->request(s_.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then(
          [this, etag, span](const committed& c) {
            span.end(*s_.clock);
            committed_as(etag, c.result);
          },
          [this, span](caf::error& e) {
            auto why = from_caf(e);
            span.end(*s_.clock, why.code);
            committing_ = false;
            buried_ = refused_and_buried(why.code);
            fail(std::move(why));
          });
}

void ingest_state::committed_as(const meta::etag& etag, const meta::command_result& r) {
  committed_ = true;
  if (client_)
    std::exchange(client_, nullptr)
        ->done(put_outcome{etag, r.version, window_->bytes(), proven_, meta::version_outcome_of(r).id, expires_});
  chunks_.clear();
  writer_.stop();
  confirm_stragglers();
}

// Confirms the replicas that arrived after the commit had listed them as missing. If this fails, the repair finds the
// chunks in place.
void ingest_state::confirm_stragglers() {
  if (writer_.in_flight() > 0 || confirming_) return;
  confirming_ = true;
  const auto missing = writer_.unconfirmed();
  meta::confirm_replicas confirm;
  for (const auto& m : unconfirmed_)
    if (!missing.contains(m)) confirm.repairs.push_back({blob_, m});
  if (confirm.repairs.empty()) return self_->quit();
  auto box = std::make_shared<const meta::command>(std::move(confirm));
  self_->request(s_.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then([this](const committed&) { self_->quit(); }, [this](caf::error&) { self_->quit(); });
}

void ingest_state::fail(error why) {
  if (failed_) return;
  failed_ = true;
  if (client_) std::exchange(client_, nullptr)->done(std::move(why));
  wind_down();
}

void ingest_state::gone() {
  if (!client_) return;
  client_.reset();
  s_.metrics->uploads_cancelled.fetch_add(1, std::memory_order_relaxed);
  if (committing_) return; // the body is complete and the commit was sent: the log decides
  failed_ = true;
  wind_down();
}

void ingest_state::wind_down() {
  if (waiting_ && waiting_->ticket != 0) s_.buffers->cancel_wait(waiting_->ticket);
  waiting_.reset();
  chunks_.clear();
  digests_.drop();
  writer_.stop();
  if (writer_.in_flight() > 0 || abandoning_) return;
  if (writer_.sent() == 0 || buried_) return self_->quit();
  abandoning_ = true;
  abandon();
}

void ingest_state::abandon() {
  auto box = std::make_shared<const meta::command>(meta::abandon_blob{blob_.session, blob_, writer_.sent()});
  self_->request(s_.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
      .then([this](const committed&) { self_->quit(); },
            [this](caf::error& e) {
              const auto why = from_caf(e);
              if (++abandon_attempts_ < abandon_attempts_max && why.code != errc::stopping) {
                abandon_pausing_ = true;
                self_->delayed_send(self_, abandon_pause, tick_atom_v);
                return;
              }
              log::warn("an abandoned upload's chunks stay on disk until this node's session ends",
                        {{"blob", to_string(blob_)}, {"error", to_string(why)}});
              self_->quit();
            });
}

void ingest_state::tick() {
  if (abandoning_) {
    if (std::exchange(abandon_pausing_, false)) abandon();
    return;
  }
  writer_.tick();
  finish_if_complete();
  if (!waiting_ || waiting_->until > s_.clock->now() || waiting_->ticket == 0) return;
  if (!s_.buffers->cancel_wait(waiting_->ticket)) return; // the buffer's message is on its way to this actor
  waiting_.reset();
  fail({errc::slow_down, "no memory for a chunk within the wait"});
}

void ingest_state::exited(const caf::exit_msg& m) {
  if (client_) std::exchange(client_, nullptr)->done(error{errc::stopping, "the node stops"});
  self_->quit(m.reason);
}

class ingest final : public caf::stateful_actor<ingest_state, ingest_actor::base> {
public:
  ingest(caf::actor_config& config, services s, put_request request, std::shared_ptr<upload_client> client)
      : stateful_actor(config), services_(std::move(s)), request_(std::move(request)), client_(std::move(client)) {}

  behavior_type make_behavior() override {
    set_exit_handler([this](caf::exit_msg& m) { state.exited(m); });
    state.start(std::move(services_), std::move(request_), std::move(client_));
    return {
        [this](body_atom, slice& bytes) { state.body(std::move(bytes)); },
        [this](want_atom) { state.want(); },
        [this](body_end_atom, const actors::body_end& end) { state.body_end(end); },
        [this](gone_atom) { state.gone(); },
        [this](buffer_atom, buffer_grant& grant) { state.buffer(std::move(grant.buffer)); },
        [](completion& c) { c.run(); },
        [this](tick_atom) { state.tick(); },
    };
  }

private:
  services services_;
  put_request request_;
  std::shared_ptr<upload_client> client_;
};

} // namespace

ingest_actor start_upload(const services& s, put_request request, std::shared_ptr<upload_client> client) {
  return s.system->spawn<ingest>(s, std::move(request), std::move(client));
}

} // namespace cairn::actors
