#include "actors/upkeep/lifecycle.hpp"

#include "actors/metadata/log/replicated_log.hpp"
#include "actors/protocol/errors.hpp"
#include "base/log.hpp"
#include "storage/metadata/read/lifecycle_rules.hpp"

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

constexpr std::uint32_t names_page = 1000; // buckets a listing

class lifecycle_state {
public:
  explicit lifecycle_state(lifecycle_actor::pointer self) : self_(self) {}
  void start(const services& s, const lifecycle_options& options);
  void tick();

private:
  void walk(bool standalone);
  void list_names(const std::string& after, std::uint32_t page_max);
  void next_bucket();
  void begin(const meta::bucket_row& bucket);
  // Calls `then` if the bucket is still the one that the walk found, with the same rules; otherwise goes on to the next
  // bucket.
  void if_unchanged(const char* step, std::function<void()> then);
  void versions_page();
  void decide(const meta::versions_page& page);
  void after_versions();
  void uploads_page();
  void abort_some(const meta::uploads_page& page);
  // Sends all commands; calls `then` after the last answer.
  void commit_all(std::vector<meta::command> commands, std::function<void()> then);
  void failed(const char* step, const caf::error& why);
  void passed_over_damage(const char* step);

  lifecycle_actor::pointer self_;
  services s_;
  lifecycle_options options_;
  bool walking_ = false, skips_damage_ = false;
  std::vector<std::string> names_; // of buckets still to walk, in reverse order; rules may be large
  meta::bucket_row bucket_;        // the bucket that is being walked
  std::optional<meta::lifecycle_rules> rules_;
  meta::versions_query versions_;
  meta::uploads_query uploads_;
  std::optional<meta::listed_version> held_; // decided once it is known whether another version of its key follows
  std::size_t to_answer_ = 0;
  std::uint64_t done_ = 0, refused_ = 0, failed_ = 0; // of this walk
};
static_assert(!std::is_aggregate_v<lifecycle_state>);

void lifecycle_state::start(const services& s, const lifecycle_options& options) {
  s_ = s;
  options_ = options;
  self_->delayed_send(self_, options_.walk_every, tick_atom_v);
}

void lifecycle_state::tick() {
  self_->delayed_send(self_, options_.walk_every, tick_atom_v);
  if (std::exchange(walking_, true)) return;
  self_->request(s_.metadata, caf::infinite, status_atom_v)
      .then(
          [this](const log_status_ptr& status) {
            if (status->leads) return walk(false);
            walking_ = false;
          },
          [this](caf::error& why) {
            if (from_caf(why).code == errc::unsupported) return walk(true); // a standalone node
            walking_ = false;
          });
}

// On a member damaged rows end a listing. The other members' rows are whole, so they would execute what seems due here
// because a row is missing; and the member is about to fetch the state from them.
void lifecycle_state::walk(bool standalone) {
  skips_damage_ = standalone;
  done_ = refused_ = failed_ = 0;
  bucket_ = {};
  names_.clear();
  list_names({}, names_page);
}

// Damage that is not passed over fails a page of names as a whole. Then the buckets before it are listed one by one.
void lifecycle_state::list_names(const std::string& after, std::uint32_t page_max) {
  meta::buckets_query query;
  query.after = after;
  query.buckets_max = page_max;
  query.skips_damage = skips_damage_;
  self_->request(s_.metadata, caf::infinite, list_atom_v, std::move(query))
      .then(
          [this, page_max](const buckets_listing& page) {
            for (const auto& bucket : page->buckets) names_.push_back(bucket.name);
            if (page->skipped) passed_over_damage("listing buckets");
            if (page->truncated) return list_names(page->last, page_max);
            next_bucket();
          },
          [this, after, page_max](caf::error& why) { // the buckets that were listed before the error are walked
            if (page_max > 1 && from_caf(why).code == errc::corrupt) return list_names(after, 1);
            failed("listing buckets", why);
            next_bucket();
          });
}

void lifecycle_state::next_bucket() {
  if (!names_.empty()) {
    bucket_ = {};
    bucket_.name = std::move(names_.back());
    names_.pop_back();
    self_->request(s_.metadata, caf::infinite, bucket_atom_v, bucket_name{bucket_.name})
        .then([this](const meta::bucket_row& bucket) { begin(bucket); },
              [this](caf::error& why) {
                failed("reading its rules", why);
                next_bucket();
              });
    return;
  }
  walking_ = false;
  if (done_ > 0 || refused_ > 0 || failed_ > 0)
    log::info("lifecycle rules applied", {{"done", done_}, {"refused", refused_}, {"buckets_failed", failed_}});
}

void lifecycle_state::begin(const meta::bucket_row& bucket) {
  bucket_ = bucket;
  rules_.emplace(bucket_.lifecycle, options_.day, options_.upload_age_max);
  versions_ = {.bucket = bucket_.name,
               .versions_max = options_.page_rows,
               .judged = {bucket_.id},
               .skips_damage = skips_damage_};
  uploads_ = {
      .bucket = bucket_.name, .uploads_max = options_.page_rows, .judged = {bucket_.id}, .skips_damage = skips_damage_};
  held_.reset();
  if (rules_->wants_versions()) return versions_page();
  if (rules_->wants_uploads()) return uploads_page();
  next_bucket();
}

// Called after a page was listed by the bucket's name. Bucket ids are never reused, so if the id is unchanged the page
// came from this bucket. The commands name the place of each version in the history, which no later version has.
void lifecycle_state::if_unchanged(const char* step, std::function<void()> then) {
  self_->request(s_.metadata, caf::infinite, bucket_atom_v, bucket_name{bucket_.name})
      .then(
          [this, then = std::move(then)](const meta::bucket_row& now) {
            if (now.id == bucket_.id && now.lifecycle == bucket_.lifecycle) return then();
            next_bucket();
          },
          [this, step](caf::error& why) {
            failed(step, why);
            next_bucket();
          });
}

void lifecycle_state::versions_page() {
  self_->request(s_.metadata, caf::infinite, list_atom_v, versions_)
      .then(
          [this](const versions_listing& page) {
            if (page->skipped) passed_over_damage("listing versions");
            if (page->versions.empty()) return after_versions();
            if_unchanged("listing versions", [this, page] { decide(*page); });
          },
          [this](caf::error& why) {
            failed("listing versions", why);
            after_versions();
          });
}

void lifecycle_state::decide(const meta::versions_page& page) {
  std::vector<meta::command> commands;
  const auto now = s_.clock->wall();
  const auto settle = [&](const meta::listed_version& version, bool last) {
    const auto action = rules_->next(version, last, now);
    if (action == meta::lifecycle_action::keep) return;
    meta::delete_object command;
    command.bucket = versions_.bucket;
    command.key = version.key;
    command.now = now;
    command.expected = version.place;
    command.by.bucket = versions_.judged.bucket;
    if (action == meta::lifecycle_action::remove) command.version = version.id;
    commands.emplace_back(std::move(command));
  };
  for (const auto& version : page.versions) {
    if (held_) settle(*held_, held_->key != version.key);
    held_ = version;
  }
  if (!page.truncated && held_) settle(*std::exchange(held_, std::nullopt), true);
  versions_.key_marker = page.next_key_marker;
  versions_.version_marker = page.next_version_marker;
  commit_all(std::move(commands), [this, more = page.truncated] {
    if (more) return versions_page();
    after_versions();
  });
}

void lifecycle_state::after_versions() {
  if (rules_->wants_uploads()) return uploads_page();
  next_bucket();
}

void lifecycle_state::uploads_page() {
  self_->request(s_.metadata, caf::infinite, list_atom_v, uploads_)
      .then(
          [this](const uploads_listing& page) {
            if (page->skipped) passed_over_damage("listing uploads");
            if (page->uploads.empty()) return next_bucket();
            if_unchanged("listing uploads", [this, page] { abort_some(*page); });
          },
          [this](caf::error& why) {
            failed("listing uploads", why);
            next_bucket();
          });
}

void lifecycle_state::abort_some(const meta::uploads_page& page) {
  std::vector<meta::command> commands;
  for (const auto& upload : page.uploads) {
    if (!rules_->aborts(upload, s_.clock->wall())) continue;
    meta::abort_upload command;
    command.upload = {uploads_.bucket, upload.key, upload.id, upload.nonce};
    command.by.bucket = uploads_.judged.bucket;
    commands.emplace_back(std::move(command));
  }
  uploads_.key_marker = page.next_key_marker;
  uploads_.upload_marker = page.next_upload_marker;
  commit_all(std::move(commands), [this, more = page.truncated] {
    if (more) return uploads_page();
    next_bucket();
  });
}

void lifecycle_state::commit_all(std::vector<meta::command> commands, std::function<void()> then) {
  if (commands.empty()) return then();
  to_answer_ = commands.size();
  const auto answered = [this, then = std::move(then)](std::uint64_t& counter) {
    ++counter;
    if (--to_answer_ == 0) then();
  };
  for (auto& command : commands) {
    auto box = std::make_shared<const meta::command>(std::move(command));
    self_->request(s_.metadata, caf::infinite, commit_atom_v, command_box{std::move(box)})
        .then(
            [this, answered](const committed&) {
              s_.metrics->lifecycle_done.fetch_add(1, std::memory_order_relaxed);
              answered(done_);
            },
            [this, answered](caf::error&) { // changed meanwhile, or left for the next walk
              s_.metrics->lifecycle_refused.fetch_add(1, std::memory_order_relaxed);
              answered(refused_);
            });
  }
}

// Counts a failure of one bucket: its rules wait for the next walk, the other buckets do not. A bucket that was removed
// is no failure.
void lifecycle_state::failed(const char* step, const caf::error& why) {
  const auto reason = from_caf(why);
  if (reason == errc::no_such_bucket) return;
  s_.metrics->lifecycle_failures.fetch_add(1, std::memory_order_relaxed);
  if (failed_++ > 0) return; // logged once a walk
  log::warn("lifecycle rules of a bucket wait for the next walk",
            {{"bucket", bucket_.name}, {"step", step}, {"error", to_string(reason)}});
}

// What a damaged row is about stays, the rules act on everything else. Where the missing row changes what the rules
// want of another version, such as of a marker that hides a damaged version, applying the command meets the damage
// again and refuses it.
void lifecycle_state::passed_over_damage(const char* step) {
  s_.metrics->lifecycle_failures.fetch_add(1, std::memory_order_relaxed);
  if (failed_++ > 0) return; // logged once a walk
  log::warn("lifecycle rules do not act on damaged rows", {{"bucket", bucket_.name}, {"step", step}});
}

lifecycle_actor::behavior_type lifecycle(lifecycle_actor::stateful_pointer<lifecycle_state> self, const services& s,
                                         const lifecycle_options& options) {
  auto* state = &self->state;
  state->start(s, options);
  return {[state](tick_atom) { state->tick(); }};
}

} // namespace

lifecycle_actor spawn_lifecycle(caf::actor_system& system, const services& s, lifecycle_options options) {
  return system.spawn(lifecycle, s, options);
}

} // namespace cairn::actors
