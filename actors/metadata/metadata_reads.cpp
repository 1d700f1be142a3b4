#include "actors/metadata/metadata_state.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

constexpr std::size_t first_parts = 16, page_parts = 256;

bool is_other(const meta::bucket_row& bucket, bucket_id judged) {
  return judged != 0 && bucket.id != judged;
}

result<found_object> read_object(meta::view& view, const object_name& name) {
  auto bucket = view.bucket(name.bucket);
  if (!bucket) return bucket.error();
  if (is_other(*bucket, name.judged.bucket)) return error{errc::no_such_bucket};
  auto row = name.version ? view.object(name.bucket, name.key, *name.version) : view.object(name.bucket, name.key);
  if (!row) return row.error();
  if (row->content == meta::content_kind::delete_marker) return error{errc::delete_marker};
  found_object out;
  if (row->content == meta::content_kind::inline_bytes) {
    auto bytes = view.inline_bytes(*row);
    if (!bytes) return bytes.error();
    out.inline_bytes = std::make_shared<const std::string>(std::move(*bytes));
  } else if (row->content == meta::content_kind::manifest) {
    auto parts = view.parts(row->manifest, 0, first_parts);
    if (!parts) return parts.error();
    out.parts = std::make_shared<const std::vector<meta::manifest_part>>(std::move(*parts));
  }
  out.row = std::make_shared<const meta::object_row>(std::move(*row));
  out.bucket = std::make_shared<const meta::bucket_row>(std::move(*bucket));
  return out;
}

void show_usage(const meta::usage_totals& used, node_metrics& metrics) {
  metrics.usage_objects = used.counted.objects;
  metrics.usage_versions = used.counted.versions;
  metrics.usage_delete_markers = used.counted.markers;
  metrics.usage_bytes = used.counted.bytes;
  metrics.usage_complete = used.complete ? 1 : 0;
  metrics.owners_near_quota = used.owners_near_quota;
}

// The first of the ids that neither a user nor an access key of nobody has; empty: all are known.
result<std::string> unknown_grantee(meta::view& view, const std::vector<std::string>& ids,
                                    const std::vector<std::string>& users) {
  for (const auto& id : ids) {
    if (std::ranges::binary_search(users, id)) continue;
    if (!meta::valid_access_key(id)) return id;
    const auto key = view.access_key(id);
    if (!key && key.error() != errc::no_such_access_key) return key.error();
    if (!key || !key->user.empty()) return id;
  }
  return std::string{};
}

// `users`: the cached list; null: it is read if it is needed.
result<found_access> read_access(meta::view& view, const access_query& query, const secrets::key_ring* sealing,
                                 user_id_list users) {
  found_access out;
  if (!query.key.empty()) {
    auto key = query.token.empty() ? view.access_key(query.key) : view.temporary_key(query.key, query.token, sealing);
    if (key && key->active)
      out.key = std::make_shared<const meta::access_key_row>(std::move(*key));
    else if (!key && key.error() != errc::no_such_access_key)
      return key.error();
  }
  for (const auto& [name, into] : {std::pair{&query.bucket, &out.bucket}, std::pair{&query.bucket_2, &out.bucket_2}}) {
    if (name->empty()) continue;
    auto bucket = view.bucket(*name);
    if (bucket)
      *into = std::make_shared<const meta::bucket_row>(std::move(*bucket));
    else if (bucket.error() != errc::no_such_bucket)
      return bucket.error();
  }
  if (query.grantees.empty()) return out;
  if (!users) {
    auto ids = view.user_ids();
    if (!ids) return ids.error();
    users = std::make_shared<const std::vector<std::string>>(std::move(*ids));
  }
  auto unknown = unknown_grantee(view, query.grantees, *users);
  if (!unknown) return unknown.error();
  out.unknown_grantee = std::move(*unknown);
  out.user_ids = std::move(users);
  return out;
}

// Under which an access key is cached: of temporary credentials, each token has a row of its own.
const std::string& cached_name(const access_query& query) {
  return query.token.empty() ? query.key : query.token;
}

// A member whose log has failed answers as one that does not serve; perhaps its state can't be read either.
bool is_of_the_disk(errc code) {
  return code == errc::io_error || code == errc::quarantined || code == errc::corrupt;
}

// For a HEAD: no body, so nothing to hold.
found_object without_body(found_object found) {
  found.inline_bytes.reset();
  found.parts.reset();
  found.hold.reset();
  return found;
}

} // namespace

template <class Answer>
void metadata_state::give(std::uint64_t reply, result<Answer> outcome) {
  auto asked = waiting<Answer>().take(reply);
  if (!asked) return;
  if (outcome)
    asked->deliver(std::move(*outcome));
  else
    asked->deliver(to_caf(outcome.error()));
}

// A layout that is applied must be published first, so it must be visible.
template <class Answer>
void metadata_state::when_fresh(std::uint64_t reply, steady_time deadline, log_index seen, needs what,
                                std::function<void(log_index)> go, const trace_scope& trace) {
  if (!log_) return go(0);
  const auto visible = [this, reply, go = std::move(go)](const result<log_index>& at) {
    if (!at) return give<Answer>(reply, at.error());
    with_layout([go, at = *at] { go(at); });
  };
  const auto reached = [this, deadline, visible](const result<log_index>& at) {
    if (at && layout_changing_ > 0) return log_->when_visible(*at, deadline, visible);
    visible(at);
  };
  if (seen == 0 || !log_->has_applied(seen))
    return log_->barrier(
        deadline, what,
        [this, reached, span = trace.begin(span_name::barrier, *s_.clock)](const result<log_index>& at) {
          span.end(*s_.clock, at ? errc{} : at.error().code);
          reached(at);
        });
  if (what == needs::visible) return log_->when_visible(seen, deadline, visible);
  reached(seen);
}

template <class Answer>
void metadata_state::when_rows_visible(std::uint64_t reply, steady_time deadline, std::initializer_list<row_name> names,
                                       log_index at, std::function<void()> go) {
  const auto is_changing = [this](row_name name) { return cache_->is_changing(name); };
  if (!log_ || std::ranges::none_of(names, is_changing)) return go();
  log_->when_visible(at, deadline, [this, reply, go = std::move(go)](const result<log_index>& visible) {
    if (visible) return go();
    give<Answer>(reply, visible.error());
  });
}

template <class Answer>
caf::result<Answer> metadata_state::ask(std::optional<log_index> seen, reader<Answer> read, observer<Answer> then,
                                        const trace_scope& trace) {
  const auto deadline = now() + s_.read_timeout;
  auto answer = self_->make_response_promise<Answer>();
  const auto reply = waiting<Answer>().add(answer, deadline);
  auto go = [this, reply, deadline, read = std::move(read), then = std::move(then)](log_index) {
    ask_now<Answer>(reply, deadline, read, then);
  };
  if (seen)
    when_fresh<Answer>(reply, deadline, *seen, needs::visible, std::move(go), trace);
  else
    go(0);
  return answer;
}

template <class Answer>
void metadata_state::ask_now(std::uint64_t reply, steady_time deadline, reader<Answer> read, observer<Answer> then) {
  auto finish = [this, reply, then = std::move(then)](result<Answer> outcome) {
    if (!outcome && log_ && log_->failure() && is_of_the_disk(outcome.error().code)) outcome = log_->unavailable();
    if (!then || then(outcome)) give<Answer>(reply, std::move(outcome));
  };
  auto job = [read = std::move(read), finish, store = s_.store, back = on_actor()](bool expired) {
    result<Answer> outcome = error{errc::timeout, "the read expired in the metadata's queue"};
    if (!expired) {
      auto view = store->read();
      if (view)
        outcome = read(**view);
      else
        outcome = view.error();
    }
    back([finish, outcome = std::move(outcome)]() mutable { finish(std::move(outcome)); });
  };
  if (reads_overdue_) {
    finish(error{errc::timeout, "the metadata's disk is overdue"});
  } else if (auto posted = s_.reads->post(deadline, std::move(job)); !posted) {
    finish(posted.error());
  }
}

std::optional<found_object> metadata_state::find_cached(const object_name& name) {
  if (name.version) return std::nullopt; // the cache has no versions
  const auto *cached = cache_->find({name.bucket, name.key}), *bucket = cache_->find({name.bucket, {}});
  const bool whole = cached && bucket;
  if (whole && is_other(*bucket->bucket, name.judged.bucket)) return std::nullopt;
  auto& counter = whole ? s_.metrics->row_cache_hits : s_.metrics->row_cache_misses;
  counter.fetch_add(1, std::memory_order_relaxed);
  if (!whole) return std::nullopt;
  auto found = name.with_body ? cached->object : without_body(cached->object);
  found.bucket = bucket->bucket;
  if (found.parts) found.hold = s_.holds->acquire(applied_);
  return found;
}

caf::result<found_object> metadata_state::lookup(const object_name& name) {
  if (!log_)
    if (auto found = find_cached(name)) return std::move(*found);
  const auto deadline = now() + s_.read_timeout;
  auto answer = self_->make_response_promise<found_object>();
  const auto reply = waiting<found_object>().add(answer, deadline);
  if (!log_) {
    lookup_in_snapshot(reply, deadline, name);
    return answer;
  }
  const auto look = [this, reply, deadline, name](log_index at) {
    if (auto found = find_cached(name)) {
      result<found_object> outcome = std::move(*found);
      refuse_without_layout(outcome);
      return give<found_object>(reply, std::move(outcome));
    }
    when_rows_visible<found_object>(reply, deadline, {{name.bucket, name.key}, {name.bucket, {}}}, at,
                                    [this, reply, deadline, name] { lookup_in_snapshot(reply, deadline, name); });
  };
  when_fresh<found_object>(reply, deadline, name.judged.seen, needs::applied, look, name.trace);
  return answer;
}

// Chunks are found by the layout of the state that names them: an older one may name owners that have dropped them, and
// then the client would be told that its data is lost.
void metadata_state::refuse_without_layout(result<found_object>& found) const {
  if (found && found->parts && layout_unreadable_)
    found = error{errc::no_leader, "this node can't read the cluster's layout"};
}

void metadata_state::lookup_in_snapshot(std::uint64_t reply, steady_time deadline, const object_name& name) {
  // Acquired before the snapshot is taken: otherwise a blob could be buried and reaped in between.
  read_hold hold = name.with_body ? s_.holds->acquire(applied_) : nullptr;
  const auto miss = name.version ? std::uint64_t{0} : cache_->begin_miss({name.bucket, name.key});
  const auto bucket_miss = cache_->begin_miss({name.bucket, {}});
  const auto keep = [this, miss, bucket_miss, hold = std::move(hold),
                     with_body = name.with_body](result<found_object>& found) {
    std::optional<cached_row> object, bucket;
    if (found) bucket = cached_row{{}, found->bucket, nullptr};
    if (found) object = cached_row{*found, nullptr, nullptr};
    if (object) object->object.bucket.reset(); // the bucket's row changes independently of the object's
    if (miss != 0) cache_->finish_miss(miss, std::move(object));
    cache_->finish_miss(bucket_miss, std::move(bucket));
    if (found && !with_body)
      *found = without_body(std::move(*found));
    else if (found && found->parts)
      found->hold = hold;
    refuse_without_layout(found);
    return true;
  };
  ask_now<found_object>(
      reply, deadline, [name](meta::view& view) { return read_object(view, name); }, keep);
}

caf::result<part_list> metadata_state::parts(manifest_id id, std::uint64_t object_offset) {
  return ask<part_list>(std::nullopt, [id, object_offset](meta::view& view) -> result<part_list> {
    auto page = view.parts(id, object_offset, page_parts);
    if (!page) return page.error();
    return std::make_shared<const std::vector<meta::manifest_part>>(std::move(*page));
  });
}

// A bucket that this node's state contains is returned without a barrier, since a commit is checked again when it is
// applied; a change of it that this node has applied is waited for. A bucket that is missing here may have been created
// through another node just before: then a barrier follows.
caf::result<meta::bucket_row> metadata_state::bucket(const bucket_name& bucket) {
  if (const auto* cached = cache_->find({bucket.name, {}})) return *cached->bucket;
  const auto deadline = now() + s_.read_timeout;
  auto answer = self_->make_response_promise<meta::bucket_row>();
  const auto reply = waiting<meta::bucket_row>().add(answer, deadline);
  when_rows_visible<meta::bucket_row>(
      reply, deadline, {{bucket.name, {}}}, log_ ? log_->applied() : 0,
      [this, reply, deadline, bucket] { bucket_in_snapshot(reply, deadline, bucket, log_ != nullptr); });
  return answer;
}

void metadata_state::bucket_in_snapshot(std::uint64_t reply, steady_time deadline, const bucket_name& bucket,
                                        bool again) {
  const auto miss = cache_->begin_miss({bucket.name, {}});
  const auto keep = [this, miss, reply, deadline, bucket, again](result<meta::bucket_row>& found) {
    std::optional<cached_row> row;
    if (found) row = cached_row{{}, std::make_shared<const meta::bucket_row>(*found), nullptr};
    cache_->finish_miss(miss, std::move(row));
    if (found || !again || found.error().code != errc::no_such_bucket) return true;
    when_fresh<meta::bucket_row>(
        reply, deadline, 0, needs::visible,
        [this, reply, deadline, bucket](log_index) { bucket_in_snapshot(reply, deadline, bucket, false); },
        bucket.trace);
    return false;
  };
  ask_now<meta::bucket_row>(
      reply, deadline, [name = bucket.name](meta::view& view) { return view.bucket(name); }, keep);
}

// ── access ──

std::optional<found_access> metadata_state::access_cached(const access_query& query) {
  if (!query.grantees.empty()) return std::nullopt;
  found_access out;
  if (!query.key.empty()) {
    const auto* cached = cache_->find({{}, cached_name(query)});
    if (!cached || cached->access_key->id != query.key) return std::nullopt;
    out.key = cached->access_key;
  }
  for (const auto& [name, into] : {std::pair{&query.bucket, &out.bucket}, std::pair{&query.bucket_2, &out.bucket_2}}) {
    if (name->empty()) continue;
    const auto* cached = cache_->find({*name, {}});
    if (!cached) return std::nullopt;
    *into = cached->bucket;
  }
  return out;
}

// Linearizable: a key that was deleted, or lost a right, through any node is refused by all nodes from then on. A query
// without names is a barrier before the sender's own snapshot.
caf::result<found_access> metadata_state::access(const access_query& query) {
  if (!log_)
    if (auto found = access_cached(query)) return std::move(*found);
  const auto deadline = now() + s_.read_timeout;
  auto answer = self_->make_response_promise<found_access>();
  const auto reply = waiting<found_access>().add(answer, deadline);
  const bool named = query.grantees.empty() && (!query.key.empty() || !query.bucket.empty() || !query.bucket_2.empty());
  const auto look = [this, reply, deadline, query](log_index seen) {
    if (auto found = access_cached(query)) {
      found->seen = seen;
      return give<found_access>(reply, std::move(*found));
    }
    when_rows_visible<found_access>(
        reply, deadline, {{{}, cached_name(query)}, {query.bucket, {}}, {query.bucket_2, {}}}, seen,
        [this, reply, deadline, query, seen] { access_in_snapshot(reply, deadline, query, seen); });
  };
  when_fresh<found_access>(reply, deadline, 0, named ? needs::applied : needs::visible, look, query.trace);
  return answer;
}

void metadata_state::access_in_snapshot(std::uint64_t reply, steady_time deadline, const access_query& query,
                                        log_index seen) {
  const auto miss = [this](std::string_view bucket, std::string_view key) {
    return bucket.empty() && key.empty() ? std::uint64_t{0} : cache_->begin_miss({bucket, key});
  };
  const auto* const listed = query.grantees.empty() ? nullptr : cache_->find(user_ids_name);
  const auto users = listed ? listed->user_ids : nullptr;
  const std::array misses{miss({}, query.key.empty() ? query.key : cached_name(query)), miss(query.bucket, {}),
                          miss(query.bucket_2, {}), miss({}, query.grantees.empty() ? "" : user_ids_name.key)};
  const auto keep = [this, misses, seen](result<found_access>& found) {
    if (found) found->seen = seen;
    std::array<std::optional<cached_row>, 4> rows;
    if (found && found->key) rows[0] = cached_row{{}, nullptr, found->key};
    if (found && found->bucket) rows[1] = cached_row{{}, found->bucket, nullptr};
    if (found && found->bucket_2) rows[2] = cached_row{{}, found->bucket_2, nullptr};
    if (found && found->user_ids) rows[3] = cached_row{{}, nullptr, nullptr, found->user_ids};
    for (std::size_t i = 0; i < misses.size(); ++i)
      if (misses[i] != 0) cache_->finish_miss(misses[i], std::move(rows[i]));
    return true;
  };
  ask_now<found_access>(
      reply, deadline,
      [query, sealing = s_.sealing, users](meta::view& view) { return read_access(view, query, sealing.get(), users); },
      keep);
}

caf::result<key_list> metadata_state::keys(const keys_query& query) {
  return ask<key_list>(0, [query](meta::view& view) -> result<key_list> {
    auto rows = view.access_keys(query.after, query.max);
    if (!rows) return rows.error();
    return std::make_shared<const std::vector<meta::access_key_row>>(std::move(*rows));
  });
}

caf::result<found_identities> metadata_state::identities(const meta::identity_query& query) {
  return ask<found_identities>(0, [query](meta::view& view) -> result<found_identities> {
    auto page = view.identities(query);
    if (!page) return page.error();
    return std::make_shared<const meta::identity_page>(std::move(*page));
  });
}

caf::result<buckets_listing> metadata_state::bucket_names(const meta::buckets_query& query) {
  return ask<buckets_listing>(0, [query](meta::view& view) -> result<buckets_listing> {
    auto page = view.buckets(query);
    if (!page) return page.error();
    return std::make_shared<const meta::buckets_page>(std::move(*page));
  });
}

caf::result<listing_page> metadata_state::list(const meta::listing_query& query) {
  return ask<listing_page>(query.judged.seen, [query](meta::view& view) -> result<listing_page> {
    auto page = view.list(query);
    if (!page) return page.error();
    return std::make_shared<const meta::listing>(std::move(*page));
  });
}

caf::result<versions_listing> metadata_state::versions(const meta::versions_query& query) {
  return ask<versions_listing>(query.judged.seen, [query](meta::view& view) -> result<versions_listing> {
    auto page = view.versions(query);
    if (!page) return page.error();
    return std::make_shared<const meta::versions_page>(std::move(*page));
  });
}

caf::result<uploads_listing> metadata_state::uploads(const meta::uploads_query& query) {
  return ask<uploads_listing>(query.judged.seen, [query](meta::view& view) -> result<uploads_listing> {
    auto page = view.uploads(query);
    if (!page) return page.error();
    return std::make_shared<const meta::uploads_page>(std::move(*page));
  });
}

caf::result<found_upload> metadata_state::upload(const upload_query& query) {
  const auto read = [query](meta::view& view) -> result<found_upload> {
    auto row = view.upload(query.upload);
    if (!row) return row.error();
    auto parts = view.upload_parts(row->id, query.after, query.max);
    if (!parts) return parts.error();
    return found_upload{std::make_shared<const meta::upload_row>(std::move(*row)),
                        std::make_shared<const std::vector<meta::uploaded_part>>(std::move(*parts))};
  };
  return ask<found_upload>(0, read, {}, query.trace);
}

caf::result<found_parts> metadata_state::object_parts(const object_parts_query& query) {
  const auto read = [query](meta::view& view) -> result<found_parts> {
    const auto bucket = view.bucket(query.bucket);
    if (bucket && is_other(*bucket, query.judged.bucket)) return error{errc::no_such_bucket};
    auto row =
        query.version ? view.object(query.bucket, query.key, *query.version) : view.object(query.bucket, query.key);
    if (!row) return row.error();
    if (row->content == meta::content_kind::delete_marker) return error{errc::delete_marker};
    std::vector<meta::object_part> found;
    if (row->etag.parts > 0 && row->content == meta::content_kind::manifest) {
      auto parts = view.object_parts(row->manifest, query.after, query.max);
      if (!parts) return parts.error();
      found = std::move(*parts);
    }
    return found_parts{std::make_shared<const meta::object_row>(std::move(*row)),
                       std::make_shared<const std::vector<meta::object_part>>(std::move(found))};
  };
  return ask<found_parts>(query.judged.seen, read, {}, query.trace);
}

caf::result<buried_list> metadata_state::buried(std::uint32_t max) {
  const auto read = [max, metrics = s_.metrics](meta::view& view) -> result<buried_list> {
    const auto used = view.total_usage();
    if (!used) return used.error();
    if (metrics != nullptr) show_usage(*used, *metrics);
    const bool uncounted = used->counts && !used->complete;
    if (view.deletions_held()) return buried_list{{}, 0, view.applied(), uncounted};
    auto blobs = view.buried(max);
    if (!blobs) return blobs.error();
    return buried_list{std::move(*blobs), view.manifests_to_free(), view.applied(), uncounted};
  };
  // Evaluated after the snapshot, on the actor: a later look-up reads applied_ or a newer state, where these blobs are
  // gone, and an earlier one has its hold.
  const auto drop_held = [this](result<buried_list>& page) {
    if (!page) return true;
    auto oldest = s_.holds->oldest();
    if (s_.others_oldest_hold) oldest = std::min(oldest, s_.others_oldest_hold());
    std::erase_if(page->blobs, [oldest](const meta::buried_blob& b) { return b.buried_at > oldest; });
    page->released_up_to = std::min(page->released_up_to, oldest);
    return true;
  };
  return ask<buried_list>(std::nullopt, read, drop_held);
}

caf::result<chunk_ids> metadata_state::dead(const chunk_ids& ids) {
  return ask<chunk_ids>(std::nullopt, [ids](meta::view& view) -> result<chunk_ids> {
    std::unordered_map<blob_id, bool> known;
    chunk_ids out;
    if (view.deletions_held()) return out;
    for (const auto& id : ids) {
      auto at = known.find(id.blob);
      if (at == known.end()) {
        auto dead = view.is_dead(id.blob);
        if (!dead) return dead.error();
        at = known.emplace(id.blob, *dead).first;
      }
      if (at->second) out.push_back(id);
    }
    return out;
  });
}

} // namespace cairn::actors
