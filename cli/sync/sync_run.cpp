#include "cli/sync/sync_run.hpp"

#include "cli/sync/local_name.hpp"
#include "cli/sync/local_tree.hpp"
#include "cli/sync/remote_tree.hpp"
#include "cli/sync/sync_merge.hpp"
#include "cli/transfer/content_check.hpp"
#include "cli/transfer/file_download.hpp"
#include "cli/transfer/file_upload.hpp"
#include "cli/transfer/object_copy.hpp"
#include "cli/transfer/retry.hpp"

#include <unistd.h>

#include <filesystem>

namespace cairn::cli {

namespace {

std::string shown(const sync_place& place, const std::string& name) {
  return place.remote ? "s3://" + place.objects.bucket + "/" + place.objects.key + name : place.folder + "/" + name;
}

object_path object_of(const sync_place& place, const std::string& name) {
  return {place.objects.bucket, place.objects.key + name};
}

std::string file_of(const sync_place& place, const std::string& name) {
  return place.folder + "/" + name;
}

class sync_job {
public:
  sync_job(const s3_endpoint& endpoint, const sync_place& from, const sync_place& to, const sync_options& options)
      : endpoint_(endpoint),
        from_(from),
        to_(to),
        options_(options),
        progress_({!options.quiet, !options.quiet, options.verbose || options.dry_run, options.dry_run}) {}

  result<void> run() {
    const auto source = open_source();
    if (!source) return source.error();
    const auto target = open_target();
    if (!target) return target.error();
    auto pool = worker_pool::start(endpoint_, options_.jobs);
    if (!pool) return pool.error();
    pool_ = pool->get();
    sync_merge merge(**source, target->get(), options_.filter, options_.remove);
    auto outcome = take_steps(merge);
    if (outcome) progress_.listed_all();
    (*pool)->finish();
    const auto counted = progress_.finish();
    if (gives_up())
      return error{errc::connection_lost,
                   "the server could not be reached any more; the same command goes on from here"};
    return outcome ? counted : outcome;
  }

private:
  result<std::unique_ptr<item_listing>> open_source() {
    if (!from_.remote) {
      auto tree = local_tree::open(from_.folder, options_.follow_links);
      if (!tree) return tree.error();
      return std::unique_ptr<item_listing>(std::move(*tree));
    }
    auto tree = open_remote(from_);
    if (!tree) return tree.error();
    const auto any = (*tree)->holds_anything();
    if (!any) return any.error();
    if (!*any) return error{errc::not_found, "no object's key begins with " + shown(from_, "")};
    return std::unique_ptr<item_listing>(std::move(*tree));
  }

  // Null: everything is transferred.
  result<std::unique_ptr<item_listing>> open_target() {
    if (!to_.remote && !options_.dry_run) {
      std::error_code code;
      std::filesystem::create_directories(to_.folder, code);
      if (code) return error{errc::io_error, "making the folder " + to_.folder + ": " + code.message()};
    }
    if (!options_.compare) return std::unique_ptr<item_listing>();
    if (to_.remote) {
      auto tree = open_remote(to_);
      if (!tree) return tree.error();
      return std::unique_ptr<item_listing>(std::move(*tree));
    }
    auto tree = local_tree::open(to_.folder, true);
    if (!tree && options_.dry_run && tree.error().code == errc::not_found) return std::unique_ptr<item_listing>();
    if (!tree) return tree.error();
    return std::unique_ptr<item_listing>(std::move(*tree));
  }

  result<std::unique_ptr<remote_tree>> open_remote(const sync_place& place) const {
    auto client = client_for(endpoint_);
    if (!client) return client.error();
    return std::make_unique<remote_tree>(std::move(*client), place.objects.bucket, place.objects.key);
  }

  bool gives_up() { return progress_.server_unreachable(options_.jobs); }

  result<void> take_steps(sync_merge& merge) {
    while (!gives_up()) {
      auto step = merge.next();
      if (!step) return step.error();
      if (!*step) return {};
      take(std::move(**step));
    }
    return {};
  }

  void take(sync_step step) {
    using kind = sync_step::kind;
    switch (step.what) {
      case kind::failed: progress_.failed(step.source.why); return;
      case kind::skipped: progress_.skipped(step.source.why.text); return;
      case kind::remove: return submit([this, item = std::move(step.target)](auto& client) { remove(client, item); });
      case kind::transfer:
      case kind::compare: break;
    }
    if (auto fits = check_name(step.source.name); !fits) return progress_.failed(fits.error());
    progress_.found(step.source.size_bytes);
    submit([this, step = std::move(step)](auto& client) {
      if (step.what == kind::compare) {
        const auto same = with_retries([&] { return is_same(client, step); });
        if (!same) return fail(from_, step.source.name, same.error());
        if (*same) return progress_.unchanged(step.source.size_bytes);
      }
      transfer(client, step.source);
    });
  }

  void submit(worker_pool::task work) {
    pool_->submit([this, work = std::move(work)](http_client& client) {
      if (!gives_up()) work(client);
    });
  }

  // Of a name that becomes a local file.
  result<void> check_name(const std::string& name) {
    if (to_.remote) return {};
    auto why = unsafe_name(name);
    if (!why)
      if (const auto file = conflicts_.add(name))
        why = shown(from_, *file) + " is an object too, and no local path can be a file and a folder";
    if (!why) return {};
    return error{errc::invalid_argument, shown(from_, name) + ": not fetched: " + *why};
  }

  void fail(const sync_place& place, const std::string& name, const error& why) {
    progress_.failed({why.code, shown(place, name) + ": " + why.text});
  }

  void transfer(http_client& client, const listed_item& item) {
    if (options_.dry_run) {
      progress_.moved(static_cast<std::int64_t>(item.size_bytes));
      return progress_.transferred(shown(to_, item.name));
    }
    auto outcome = from_.remote && to_.remote ? copy(client, item)
                   : from_.remote             ? fetch(client, item)
                                              : store(client, item);
    if (!outcome) return fail(from_, item.name, outcome.error());
    progress_.transferred(shown(to_, item.name));
  }

  result<void> store(http_client& client, const listed_item& item) {
    return upload_file_to(*pool_, client, {file_of(from_, item.name), object_of(to_, item.name), options_.part_bytes},
                          progress_);
  }

  result<void> fetch(http_client& client, const listed_item& item) {
    if (auto entered = enter_folders(to_.folder, item.name, true); !entered) return entered;
    return download_file_to(client, object_of(from_, item.name), file_of(to_, item.name), progress_);
  }

  result<void> copy(http_client& client, const listed_item& item) {
    return copy_object(*pool_, client,
                       {object_of(from_, item.name), object_of(to_, item.name), item.etag, item.size_bytes}, progress_);
  }

  result<void> remove_object(http_client& client, const std::string& name) {
    const auto gone = with_retries([&] {
      return ask(client, {"DELETE", target_of(object_of(to_, name)), {}}, "deleting");
    });
    if (!gone) return gone.error();
    return {};
  }

  result<void> remove_file(const std::string& name) {
    if (auto entered = enter_folders(to_.folder, name, false); !entered) return entered;
    if (::unlink(file_of(to_, name).c_str()) != 0) return system_failure("deleting");
    return {};
  }

  void remove(http_client& client, const listed_item& item) {
    const auto outcome = options_.dry_run ? result<void>{}
                         : to_.remote     ? remove_object(client, item.name)
                                          : remove_file(item.name);
    if (!outcome) return fail(to_, item.name, outcome.error());
    progress_.removed(shown(to_, item.name));
  }

  // Of an item that both sides have in the same size.
  result<bool> is_same(http_client& client, const sync_step& step) {
    if (options_.size_only) return true;
    const auto& name = step.source.name;
    if (from_.remote && to_.remote)
      // Parts may have been cut in another way: then only the times can tell.
      return step.source.etag == step.target.etag ||
             (!options_.checksum && !(is_md5(step.source.etag) && is_md5(step.target.etag)) &&
              step.target.changed_at >= step.source.changed_at);
    const auto& object = from_.remote ? step.source : step.target;
    const auto& file = from_.remote ? step.target : step.source;
    const auto path = object_of(from_.remote ? from_ : to_, name);
    if (options_.checksum) return same_content(client, path, object.etag, file_of(from_.remote ? to_ : from_, name));
    const auto about = ask(client, {"HEAD", target_of(path), {}}, "comparing");
    if (!about) return about.error();
    if (const auto kept = parse_mtime(about->header(mtime_header))) return kept->same_as(file.changed_at);
    // Stored by a tool that keeps no times. A file that was fetched has that of the object; one that was stored is
    // older.
    if (!from_.remote) return file.changed_at <= object.changed_at;
    const auto stored = time_of(*about);
    return stored && stored->same_as(file.changed_at);
  }

  const s3_endpoint& endpoint_;
  const sync_place &from_, &to_;
  const sync_options& options_;
  set_progress progress_;
  folder_conflicts conflicts_;
  worker_pool* pool_ = nullptr;
};

} // namespace

sync_place local_place(std::string folder) {
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  return {false, std::move(folder)};
}

result<sync_place> remote_place(const std::string& text) {
  auto path = parse_object_path(text, false);
  if (!path) return path.error();
  if (!path->key.empty() && !path->key.ends_with('/')) path->key += '/';
  return sync_place{true, {}, std::move(*path)};
}

result<void> run_sync(const s3_endpoint& endpoint, const sync_place& from, const sync_place& to,
                      const sync_options& options) {
  for (const auto* place : {&from, &to})
    if (!place->remote && place->folder.empty()) return error{errc::invalid_argument, "an empty name is no folder"};
  if (from.remote && to.remote && from.objects.bucket == to.objects.bucket &&
      (from.objects.key.starts_with(to.objects.key) || to.objects.key.starts_with(from.objects.key)))
    return error{errc::invalid_argument, "one of " + shown(from, "") + " and " + shown(to, "") +
                                             " lies within the other: expected two places apart"};
  return sync_job(endpoint, from, to, options).run();
}

} // namespace cairn::cli
