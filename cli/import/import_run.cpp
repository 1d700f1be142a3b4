#include "cli/import/import_run.hpp"

#include "cli/client/object_path.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/import/bucket_pair.hpp"
#include "cli/import/import_progress.hpp"
#include "cli/import/import_report.hpp"
#include "cli/import/lock_copy.hpp"
#include "cli/import/version_copy.hpp"
#include "cli/transfer/retry.hpp"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <thread>

namespace cairn::cli {

namespace {

std::atomic<bool> stop_asked{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) {
  stop_asked = true;
}

bool is_stopped() {
  return stop_asked;
}

void listen_for_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESETHAND | SA_RESTART; // the second one ends the process
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

std::uint64_t bytes_of(std::span<const stored_version> versions) {
  std::uint64_t bytes = 0;
  for (const auto& version : versions) bytes += version.size_bytes;
  return bytes;
}

class import_job {
public:
  explicit import_job(const import_options& options)
      : options_(options),
        source_(options.from, options.virtual_hosted),
        progress_(!options.quiet && !options.dry_run) {}

  result<void> run() {
    auto pool = worker_pool::start(options_.to, options_.jobs);
    if (!pool) return pool.error();
    pool_ = pool->get();
    auto target = client_for(options_.to);
    if (!target) return target.error();
    target_ = std::move(*target);
    copier_.emplace(source_, *pool_, version_copier::extras{!options_.without_tags, options_.access_lists},
                    copy_events{[this](std::int64_t bytes) { progress_.moved(bytes); },
                                [this](const std::string& what) { report_.lost(what); }});
    auto buckets = options_.buckets.empty() ? all_buckets() : result<bucket_list>(options_.buckets);
    if (!buckets) return buckets.error();
    buckets_ = std::move(*buckets);
    if (!options_.dry_run) listen_for_signals();
    const auto began = std::chrono::steady_clock::now();
    for (std::uint64_t number = 1;; ++number) {
      copy_pass();
      if (!options_.continuous || stop_asked) break;
      tell_pass(number);
      wait();
      if (stop_asked) break;
    }
    if (walked_some_ && !options_.dry_run && !options_.continuous && !cut_short_)
      pass(import_report::pass_kind::compare);
    return conclude(cut_short_, std::chrono::steady_clock::now() - began);
  }

private:
  using bucket_list = std::vector<std::pair<std::string, std::string>>;

  result<bucket_list> all_buckets() {
    const auto client = source_.take({});
    if (!client) return client.error();
    const auto answer = with_retries([&] { return ask(**client, {"GET", "/", {}}, "listing the source's buckets"); });
    if (!answer) return answer.error();
    const auto listed = parse_bucket_list(answer->body);
    if (!listed) return listed.error();
    bucket_list out;
    for (const auto& bucket : *listed) out.emplace_back(bucket.name, bucket.name);
    return out;
  }

  // What was stopped goes on in the next run.
  void failed(const std::string& what, const error& why) {
    if (why == errc::cancelled && stop_asked) return;
    report_.failed(what, why);
  }

  bool ends() { return stop_asked || report_.server_unreachable(options_.jobs); }

  // Before the buckets, whose policies name users.
  void carry_identities() {
    if (!options_.identities || ends()) return;
    auto done = import_identities(*options_.identities, options_.to, [this](const std::string& what) {
      if (options_.verbose || options_.dry_run) say((options_.dry_run ? "would carry over " : "carried over ") + what);
    });
    if (!done) return failed("users, groups and policies", done.error());
    account_ = done->account;
    report_.identities(std::move(*done));
  }

  void copy_pass() {
    progress_.begin_pass();
    std::thread counting;
    if (!options_.quiet && !options_.dry_run) counting = std::thread([this] { count_source(); });
    pass(import_report::pass_kind::copy);
    pass_ended_ = true;
    if (counting.joinable()) counting.join();
    pass_ended_ = false;
  }

  void pass(import_report::pass_kind kind) {
    compares_ = kind == import_report::pass_kind::compare;
    cut_short_ = false;
    report_.begin_pass(kind);
    if (!compares_) carry_identities();
    for (const auto& [from, to] : buckets_) {
      if (ends()) break;
      if (auto done = walk_bucket(from, to); !done)
        failed(from, done.error());
      else
        walked_some_ = true;
    }
    if (ends()) cut_short_ = true;
  }

  // For the progress line; what cannot be listed is told by the walk.
  void count_source() {
    for (const auto& [from, to] : buckets_) {
      bucket_pair pair(source_, *target_, from, to, [this] { return pass_ended_ || stop_asked; });
      const auto state = pair.look_at_source();
      if (!state) return;
      auto listing = pair.source_listing(state->versioning);
      for (;;) {
        const auto key = listing.next();
        if (!key || pass_ended_ || stop_asked) return;
        if (!*key) break;
        progress_.counted((*key)->versions.size(), bytes_of((*key)->versions));
      }
    }
    progress_.counted_all();
  }

  result<void> walk_bucket(const std::string& from, const std::string& to) {
    bucket_pair pair(source_, *target_, from, to, is_stopped);
    const auto state = pair.look_at_source();
    if (!state) return state.error();
    auto exists = pair.target_exists();
    if (!exists) return exists.error();
    const bool copies = !compares_ && !options_.dry_run;
    if (copies && !*exists) {
      if (auto made = pair.create_target(); !made) return made.error();
      exists = true;
    }
    const bool versioned = state->versioning != versioning_state::none;
    // Also where the source has suspended it: its history would not fit into a bucket without versions.
    if (copies && versioned)
      if (auto set = pair.set_versioning(versioning_state::enabled); !set) return set.error();
    locks_ = state->locks;
    if (copies && locks_)
      if (auto set = pair.enable_lock(); !set) {
        failed(from, set.error());
        locks_ = false;
      }
    rules_ = {pair.target_ahead_ns(), options_.overwrite};
    auto walked = walk(pair, state->versioning, *exists, {from, {}}, {to, {}});
    pool_->finish();
    if (compares_ || ends()) return walked;
    bucket_result result{from, to, state->versioning, pair.carry_settings(options_.dry_run, account_)};
    if (!state->why.empty()) result.settings.push_back({"versioning", setting_outcome::kind::unreadable, state->why});
    if (const auto quota = options_.minio_admin ? pair.minio_quota() : std::nullopt) result.settings.push_back(*quota);
    report_.bucket(std::move(result));
    if (walked && copies && state->versioning == versioning_state::suspended)
      walked = pair.set_versioning(versioning_state::suspended);
    return walked;
  }

  result<void> walk(bucket_pair& pair, versioning_state versioning, bool target_exists, const object_path& from,
                    const object_path& to) {
    auto source = pair.source_listing(versioning);
    auto target = pair.target_listing(target_exists);
    const auto in_order = walk_side_by_side(source, target, from, to);
    if (!in_order) return in_order.error();
    if (*in_order) return {};
    pool_->finish();
    auto again = pair.source_listing(versioning);
    return walk_and_look_up(again, target_exists, from, to);
  }

  // Whether the source lists in the order of the keys' bytes, as S3 does. Where it does not, what only the target has
  // cannot be told.
  result<bool> walk_side_by_side(version_listing& source, version_listing& target, object_path from, object_path to) {
    auto here = source.next();
    if (!here) return here.error();
    auto there = target.next();
    if (!there) return there.error();
    // An empty source is most likely a mistake: then nothing is deleted.
    const bool removes = options_.remove && here->has_value();
    while ((*here || *there) && !ends()) {
      if (!*here || (*there && (*there)->key < (*here)->key)) {
        to.key = (*there)->key;
        if (!(*there)->versions.back().delete_marker) take_target_only(from.bucket, to, removes);
        if (!(there = target.next())) return there.error();
        continue;
      }
      if (!from.key.empty() && (*here)->key <= from.key) return false;
      from.key = to.key = (*here)->key;
      const bool both = *there && (*there)->key == from.key;
      take(from, to, std::move((*here)->versions),
           both ? std::move((*there)->versions) : std::vector<stored_version>{});
      if (both && !(there = target.next())) return there.error();
      if (!(here = source.next())) return here.error();
    }
    return true;
  }

  // Asks the target for each key: a request more for each.
  result<void> walk_and_look_up(version_listing& source, bool target_exists, object_path from, object_path to) {
    report_.without_order(from.bucket);
    while (!ends()) {
      auto here = source.next();
      if (!here) return here.error();
      if (!*here) return {};
      from.key = to.key = (*here)->key;
      auto task = std::make_shared<key_task>(key_task{from, to, std::move((*here)->versions), {}});
      pool_->submit([this, task, target_exists](http_client& client) {
        if (ends()) return;
        if (target_exists) {
          auto history = target_history(client, task->to, is_stopped);
          if (!history) return failed(task->from.bucket + "/" + task->from.key, history.error());
          task->target = std::move(*history);
        }
        take_key(client, *task);
      });
    }
    return {};
  }

  void take_target_only(const std::string& source_bucket, const object_path& to, bool removes) {
    if (!removes || compares_) return report_.only_in_target(source_bucket, to);
    pool_->submit([this, from = object_path{source_bucket, to.key}, to](http_client& client) {
      const auto name = to.bucket + "/" + to.key;
      const auto gone = is_gone(from);
      if (!gone) return failed(name, gone.error());
      if (!*gone) return;
      if (!options_.dry_run) {
        const auto done = with_retries([&] { return ask(client, {"DELETE", target_of(to), {}}, "deleting"); });
        if (!done) return failed(name, done.error());
      }
      report_.deleted();
      if (options_.verbose || options_.dry_run) say((options_.dry_run ? "would delete " : "deleted ") + name);
    });
  }

  // Before something is deleted for it: a listing alone may be wrong.
  result<bool> is_gone(const object_path& from) {
    const auto client = source_.take(from.bucket);
    if (!client) return client.error();
    return with_retries([&]() -> result<bool> {
      const auto about = (*client)->exchange({"HEAD", source_.target(from), {}});
      if (!about) return of_source(about.error());
      if (about->ok() || about->status == 404) return about->status == 404;
      return failure_of(*about, "the source");
    });
  }

  struct key_task {
    object_path from, to;
    std::vector<stored_version> source, target;
  };

  void take(const object_path& from, const object_path& to, std::vector<stored_version> source,
            std::vector<stored_version> target) {
    const auto plan = plan_import(source, target, rules_);
    if (plan.what == import_plan::kind::same && !locks_) {
      report_.same(from.bucket, plan.target_only);
      return done(source);
    }
    auto task = std::make_shared<key_task>(key_task{from, to, std::move(source), std::move(target)});
    pool_->submit([this, task](http_client& client) {
      if (!ends()) take_key(client, *task);
    });
  }

  void take_key(http_client& client, key_task& task) {
    auto plan = plan_import(task.source, task.target, rules_);
    const auto settled = settle(client, task, plan);
    if (!settled) {
      failed(task.from.bucket + "/" + task.from.key, settled.error());
      progress_.failed();
      return done(task.source);
    }
    if (locks_) carry_locks(client, task);
    switch (plan.what) {
      case import_plan::kind::same:
      case import_plan::kind::compare_heads: report_.same(task.from.bucket, plan.target_only); break;
      case import_plan::kind::conflict:
        report_.differs(task.from, "the target has something newer (--overwrite takes the source's)");
        break;
      case import_plan::kind::copy:
        if (!compares_) {
          const std::span versions(task.source);
          progress_.done(plan.first, bytes_of(versions.first(plan.first)));
          return copy_versions(client, task, plan.first);
        }
        report_.differs(task.from, task.target.empty() ? "is not in the target" : "the target lacks its newest state");
        break;
    }
    done(task.source);
  }

  // Of the versions that both have.
  void carry_locks(http_client& client, const key_task& task) {
    for (const auto& [here, there] : paired_versions(task.source, task.target)) {
      if (task.source[here].delete_marker) continue;
      const bool only_compare = compares_ || options_.dry_run;
      const auto outcome = carry_lock(
          source_, client,
          {task.from, task.to, task.source[here].id, task.target[there].id, options_.overwrite, only_compare});
      if (!outcome) {
        if (outcome.error().code != errc::no_such_key) failed(task.from.bucket + "/" + task.from.key, outcome.error());
        continue; // the next pass sees it gone
      }
      if (outcome->changed && !compares_) report_.locked();
      if (outcome->changed && compares_)
        report_.differs(task.from, "the target's version is not locked as the source's");
      if (outcome->stronger)
        report_.differs(task.from, "the target's version has a stronger lock (--overwrite takes the source's)");
    }
  }

  void done(const std::vector<stored_version>& versions) {
    if (!compares_) progress_.done(versions.size(), bytes_of(versions));
  }

  // Looks into objects where the listings do not suffice.
  result<void> settle(http_client& client, key_task& task, import_plan& plan) {
    if (plan.what == import_plan::kind::copy || plan.what == import_plan::kind::conflict) {
      if (auto read = read_origins(client, task); !read) return read;
      plan = plan_import(task.source, task.target, rules_);
    }
    if (plan.what != import_plan::kind::compare_heads) return {};
    const auto same = copier_->same_headers(client, {task.from, task.to, task.source.back()});
    if (!same && same.error().code == errc::no_such_version) return {}; // the next pass sees it gone
    if (!same) return same.error();
    if (*same) return {};
    plan.what = import_plan::kind::copy;
    plan.first = task.source.size() - 1;
    return {};
  }

  result<void> read_origins(http_client& client, key_task& task) {
    for (auto& version : task.target) {
      if (!may_be_renamed_copy(task.source, version)) continue;
      const auto target = target_of(task.to) + "?versionId=" + percent_encode(version.id, false);
      const auto about = with_retries([&] { return ask(client, {"HEAD", target, {}}, "the target"); });
      if (!about && about.error().code == errc::no_such_key) continue; // deleted since it was listed
      if (!about) return about.error();
      version.origin_etag = about->header(origin_etag_header);
    }
    return {};
  }

  // Before an attempt is repeated: the target may have stored the version although its answer was lost.
  result<bool> is_there(http_client& client, key_task& task, std::size_t index) {
    auto history = target_history(client, task.to, is_stopped);
    if (!history) return history.error();
    task.target = std::move(*history);
    if (auto read = read_origins(client, task); !read) return read.error();
    const auto plan = plan_import(std::span(task.source).first(index + 1), task.target, rules_);
    return plan.what == import_plan::kind::same || plan.what == import_plan::kind::compare_heads;
  }

  result<copied_version> copy_version(http_client& client, key_task& task, std::size_t index) {
    bool repeats = false;
    return with_retries([&]() -> result<copied_version> {
      if (std::exchange(repeats, true)) {
        const auto there = is_there(client, task, index);
        if (!there) return there.error();
        if (*there) return copied_version{};
      }
      return copier_->copy(client, {task.from, task.to, task.source[index], locks_});
    });
  }

  void copy_versions(http_client& client, key_task& task, std::size_t first) {
    const auto name = task.from.bucket + "/" + task.from.key;
    if (options_.dry_run) {
      for (std::size_t i = first; i < task.source.size(); ++i) note_copied(task.source[i], true);
      return say(
          "would copy " + name + " to " + task.to.bucket + "/" + task.to.key +
          (task.source.size() - first > 1 ? " (" + std::to_string(task.source.size() - first) + " versions)" : ""));
    }
    for (std::size_t i = first; i < task.source.size() && !stop_asked; ++i) {
      const auto& version = task.source[i];
      const auto copied = copy_version(client, task, i);
      if (copied) {
        note_copied(version, copied->proven);
        progress_.done(1, 0);
      } else if (copied.error().code == errc::no_such_version) {
        report_.vanished();
        progress_.done(1, version.size_bytes);
      } else {
        const auto rest = std::span(task.source).subspan(i);
        failed(name, copied.error());
        progress_.failed();
        return progress_.done(rest.size(), bytes_of(rest));
      }
    }
    if (options_.verbose) say("copied " + name);
  }

  void note_copied(const stored_version& version, bool proven) {
    if (version.delete_marker) return report_.copied_delete_marker();
    report_.copied_object(version.size_bytes, proven);
    // Where the source has suspended its versioning, or had none at first.
    if (version.id == "null") report_.lost("the version id null: the copy has an id of its own");
  }

  void say(const std::string& line) {
    if (options_.json || options_.quiet) return;
    progress_.clear();
    std::printf("%s\n", printable(line).c_str());
  }

  void tell_pass(std::uint64_t number) {
    const auto counts = report_.counts();
    say("pass " + std::to_string(number) + ": " + std::to_string(counts.objects + counts.delete_markers) +
        " copied so far (" + human_bytes(counts.bytes) + "), " + std::to_string(counts.same) + " keys were the same, " +
        std::to_string(counts.differ) + " differ, " + std::to_string(counts.failed) + " failed");
    std::fflush(stdout);
  }

  void wait() const {
    const auto until = std::chrono::steady_clock::now() + options_.pause;
    while (!stop_asked && std::chrono::steady_clock::now() < until)
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }

  result<void> conclude(bool interrupted, std::chrono::steady_clock::duration took) {
    progress_.clear();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(took);
    if (options_.json) {
      auto shown = report_.json();
      shown["complete"] = !interrupted && report_.all_well();
      shown["dry_run"] = options_.dry_run;
      shown["seconds"] = seconds.count();
      std::printf("%s\n", json_text(shown).c_str());
    } else {
      std::printf("%s", terminal_text(report_.text(options_.dry_run)).c_str());
      if (!options_.quiet) std::printf("in %s\n", human_time(seconds).c_str());
    }
    if (interrupted && !(stop_asked && options_.continuous))
      return error{errc::io_error, stop_asked
                                       ? "interrupted; the same command goes on from here"
                                       : "a server could not be reached any more; the same command goes on from here"};
    if (!report_.all_well()) return error{errc::io_error, "not everything of the source is in the target"};
    if (options_.strict && report_.something_left())
      return error{errc::io_error, "something of the source is not carried over (--strict)"};
    return {};
  }

  const import_options& options_;
  source_server source_;
  import_report report_;
  import_progress progress_;
  std::unique_ptr<http_client> target_; // for listings and settings
  worker_pool* pool_ = nullptr;
  std::optional<version_copier> copier_;
  bucket_list buckets_;
  plan_rules rules_;    // of the bucket that is walked
  bool locks_ = false;  // it has object lock
  std::string account_; // of the source's identities
  bool compares_ = false, cut_short_ = false, walked_some_ = false;
  std::atomic<bool> pass_ended_{false};
};

} // namespace

result<void> run_import(const import_options& options) {
  return import_job(options).run();
}

} // namespace cairn::cli
