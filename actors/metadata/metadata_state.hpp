// The state of the metadata actor (its contract: actors/metadata/metadata.hpp). Look-ups are in metadata_reads.cpp,
// commits in metadata_commits.cpp. Everything here runs on the actor, except the jobs that it posts.
#pragma once

#include "actors/metadata/metadata.hpp"
#include "actors/metadata/row_cache.hpp"
#include "actors/protocol/batcher.hpp"
#include "actors/protocol/errors.hpp"
#include "actors/protocol/outstanding_sequences.hpp"
#include "actors/protocol/reply_table.hpp"

#include <tuple>

namespace cairn::actors {

class metadata_state {
public:
  explicit metadata_state(metadata_actor::pointer self) : self_(self) {}
  void start(metadata_services services);

  caf::result<found_object> lookup(const object_name& name);
  caf::result<part_list> parts(manifest_id id, std::uint64_t object_offset);
  caf::result<storage::metadata::bucket_row> bucket(const bucket_name& name);
  caf::result<buckets_listing> bucket_names(const storage::metadata::buckets_query& query);
  caf::result<listing_page> list(const storage::metadata::listing_query& query);
  caf::result<versions_listing> versions(const storage::metadata::versions_query& query);
  caf::result<uploads_listing> uploads(const storage::metadata::uploads_query& query);
  caf::result<found_upload> upload(const upload_query& query);
  caf::result<found_parts> object_parts(const object_parts_query& query);
  caf::result<found_access> access(const access_query& query);
  caf::result<key_list> keys(const keys_query& query);
  caf::result<found_identities> identities(const storage::metadata::identity_query& query);
  caf::result<buried_list> buried(std::uint32_t max);
  caf::result<chunk_ids> dead(const chunk_ids& ids);
  caf::result<committed> commit(command_box& command);
  caf::result<blob_id> new_blob();
  void serve(const peer_call& call);
  caf::result<log_status_ptr> status() const;
  std::uint8_t change(const log_change& c);
  std::uint8_t transfer(node_number to);
  void tick();
  void stop(const caf::exit_msg& m);

private:
  template <class Answer>
  using promise = caf::typed_response_promise<Answer>;
  template <class Answer>
  using replies = reply_table<promise<Answer>>;
  template <class Answer>
  replies<Answer>& waiting() {
    return std::get<replies<Answer>>(waiting_);
  }
  struct waiting_command {
    command_box command;
    std::uint64_t reply = 0;
    steady_time since;
  };
  struct batch {
    std::vector<waiting_command> waiting;
    std::vector<storage::metadata::command> commands; // with stamps
    std::uint64_t first_sequence = 0;
  };

  steady_time now() const { return s_.clock->now(); }
  // Runs a function on this actor, from any thread.
  auto on_actor() const {
    return [me = metadata_actor{self_}](std::function<void()> run) { caf::anon_send(me, completion{std::move(run)}); };
  }
  template <class Answer>
  using reader = std::function<result<Answer>(storage::metadata::view&)>;
  template <class Answer>
  using observer = std::function<bool(result<Answer>&)>;
  // Reads on an executor. `then` runs on the actor before the answer is delivered, also when the request has timed out;
  // it returns false when it answers the request itself. `seen` and `trace`: as in when_fresh; nullopt: any state will
  // do.
  template <class Answer>
  caf::result<Answer> ask(std::optional<log_index> seen, reader<Answer> read, observer<Answer> then = {},
                          const trace_scope& trace = {});
  template <class Answer>
  void ask_now(std::uint64_t reply, steady_time deadline, reader<Answer> read, observer<Answer> then);
  template <class Answer>
  void give(std::uint64_t reply, result<Answer> outcome);
  // `go` runs when the state contains everything that was acknowledged before on any node, with the log index of that
  // state; on a standalone node at once, with 0. `seen`: an index that an earlier read of the request got from a
  // barrier; 0: none. With `needs::applied` that state may not be visible yet: rows from the cache are of it, and so
  // are those of a snapshot taken in when_rows_visible. `trace`: of the request, for the span of the barrier.
  using needs = replicated_log::needs;
  template <class Answer>
  void when_fresh(std::uint64_t reply, steady_time deadline, log_index seen, needs what,
                  std::function<void(log_index)> go, const trace_scope& trace = {});
  // `go` runs when a new snapshot has the rows of these names as of the log index `at`, which is applied.
  template <class Answer>
  void when_rows_visible(std::uint64_t reply, steady_time deadline, std::initializer_list<row_name> names, log_index at,
                         std::function<void()> go);
  std::optional<found_object> find_cached(const object_name& name);
  std::optional<found_access> access_cached(const access_query& query);
  void access_in_snapshot(std::uint64_t reply, steady_time deadline, const access_query& query, log_index seen);
  void bucket_in_snapshot(std::uint64_t reply, steady_time deadline, const bucket_name& bucket, bool again);
  void lookup_in_snapshot(std::uint64_t reply, steady_time deadline, const object_name& name);
  void refuse_without_layout(result<found_object>& found) const;

  void start_log();
  void applying(std::span<const storage::metadata::command> commands);
  void applied(std::span<const storage::metadata::command> commands, log_index index);
  void read_layout(const std::function<void()>& then = {});
  void with_layout(std::function<void()> go);
  void publish(layout_ptr fresh, log_index at);
  void connect(const cluster::layout& layout);
  void acknowledge_layout();

  void begin_session();
  void begin_session_in_log();
  void session_begun(session_id session);
  void session_refused(const error& why);
  static error removal();
  void lose_session();
  void run_batch();
  void begin_in_time();
  void run_batch_in_log(const std::shared_ptr<batch>& next);
  void run_batch_in_store(const std::shared_ptr<batch>& next);
  std::shared_ptr<batch> next_batch();
  void finished(batch& b, result<storage::metadata::applied_batch> outcome);
  void failed(batch& b, const error& why);
  void answer(const waiting_command& w, const storage::metadata::command_result& r);
  void refuse(const waiting_command& w, const error& why);
  void note_fault(fault_cause cause, std::string text) const;
  void note_commit_fault(const error& why);
  void probe_commits();
  bool commit_session(std::function<void(const result<storage::metadata::applied_batch>&)> then);
  void check_hung_disk();
  void check_overdue_reads();
  blob_id draw_blob();
  bool is_full() const;
  error no_room() const;

  metadata_actor::pointer self_;
  metadata_services s_;
  std::optional<row_cache> cache_;
  std::unique_ptr<replicated_log> log_;             // null: standalone node
  std::optional<storage::metadata::command> found_; // the command that creates the cluster
  std::vector<log_member> known_at_start_;
  std::vector<std::function<void()>> layout_waiters_;
  std::uint8_t feature_level_ =
      storage::metadata::feature_level_of_clusters; // of the commands that the log may contain
  bool removed_connected_ = false;
  layout_holder::members_ptr connected_learned_;
  layout_holder::addresses_ptr connected_moved_ = std::make_shared<const layout_holder::addresses>();
  bool layout_asked_ = false, layout_unreadable_ = false, layout_changed_ = false, acknowledging_ = false;
  layout_epoch acknowledged_ = 0;
  log_index published_at_ = 0;      // of the state from which the published layout was read
  log_index applied_ = 0;           // look-ups in snapshots see every batch up to it
  std::size_t layout_changing_ = 0; // commands that change the layout, applied and not visible yet
  session_id session_ = 0;          // 0: no session
  bool session_asked_ = false, session_failure_logged_ = false, removed_ = false;
  bool reads_overdue_ = false, writes_overdue_ = false, writes_failed_ = false;
  std::uint64_t next_sequence_ = 1, next_blob_ = 1;
  outstanding_sequences outstanding_;
  static constexpr batch_limits standalone_limits{
      .batch_items = 256, .batch_bytes = 4 << 20, .waiting_items = 16384, .waiting_bytes = 64 << 20, .gather_part = 4};
  // A batch is sent to the leader in one message of the control lane. The next ones do not wait for its answer: the log
  // takes entries while earlier ones are flushed and applied.
  static constexpr batch_limits cluster_limits{.batch_items = 256,
                                               .batch_bytes = 512 << 10,
                                               .waiting_items = 16384,
                                               .waiting_bytes = 64 << 20,
                                               .running_max = 4,
                                               .items_beside_min = 32};
  std::optional<batcher<waiting_command>> batches_;
  bool begins_in_time_ = false; // a timer runs
  std::size_t apart_ = 0;       // the next batches of one command each
  bool probing_ = false;
  errc commit_fault_{}; // of the last probe; see note_commit_fault
  std::tuple<replies<found_object>, replies<part_list>, replies<storage::metadata::bucket_row>, replies<listing_page>,
             replies<buried_list>, replies<chunk_ids>, replies<committed>, replies<blob_id>, replies<uploads_listing>,
             replies<found_upload>, replies<found_parts>, replies<found_access>, replies<key_list>,
             replies<versions_listing>, replies<buckets_listing>, replies<found_identities>>
      waiting_;
};
static_assert(!std::is_aggregate_v<metadata_state>);

} // namespace cairn::actors
