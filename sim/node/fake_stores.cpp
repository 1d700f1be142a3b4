#include "sim/node/fake_stores.hpp"

#include "actors/protocol/errors.hpp"
#include "sim/world/pattern.hpp"

namespace cairn::sim {

namespace {

using namespace cairn::actors;

template <class Self>
void answer_after(Self* self, microseconds delay, std::function<void()> run) {
  self->delayed_send(self, delay, completion{std::move(run)});
}

uuid disk_id(std::size_t number) {
  uuid id{};
  id[0] = std::uint8_t(number + 1);
  return id;
}

} // namespace

fake_stores::fake_stores(world& w, checks& c, fake_disk_plan plan, std::size_t disks, std::size_t window_max)
    : w_(w), checks_(c), plan_(plan), disks_(disks), window_max_(window_max) {
  std::vector<store_router::member> members;
  for (std::size_t disk = 0; disk < disks; ++disk) {
    auto store = w_.system().spawn([this, disk](chunk_store_actor::pointer self) -> chunk_store_actor::behavior_type {
      return {
          [this, self, disk](read_atom, const chunk_read& r) -> caf::result<chunk_data> {
            auto promise = self->make_response_promise<chunk_data>();
            auto a = read(disk, r);
            const auto buffer = r.into;
            const auto delay = a.delay;
            answer_after(self, delay, [this, promise, buffer, a = std::move(a)]() mutable {
              reading_.erase(buffer.get());
              if (a.failure)
                promise.deliver(to_caf(*a.failure));
              else
                promise.deliver(std::move(a.data));
            });
            return promise;
          },
          [this](write_atom, const chunk_payload&) -> caf::result<done_atom> {
            checks_.fail("a download wrote a chunk");
            return done_atom_v;
          },
          [this](erase_atom, const chunk_ids&) -> caf::result<std::uint64_t> {
            checks_.fail("a download erased chunks");
            return std::uint64_t{0};
          },
          [this](drop_atom, const chunk_ids&) -> caf::result<std::uint64_t> {
            checks_.fail("a download dropped chunks");
            return std::uint64_t{0};
          },
          [this](list_atom, const chunk_list_query&) -> caf::result<chunk_ids> {
            checks_.fail("a download listed chunks");
            return chunk_ids{};
          },
          [](completion& done) { done.run(); },
          [](tick_atom) {},
      };
    });
    actors_.push_back(store);
    members.push_back({{disk_id(disk), 1.0}, {store}, nullptr});
  }
  // Members are in the drawn order; the router ranks them for a chunk.
  router_ = std::make_shared<const chunk_router>(std::make_shared<const store_router>(std::move(members)));
}

void fake_stores::stop() {
  for (auto& a : actors_) caf::anon_send_exit(a, caf::exit_reason::kill);
}

microseconds fake_stores::draw_delay() {
  auto delay =
      microseconds(w_.draw.between(std::uint64_t(plan_.read_min.count()), std::uint64_t(plan_.read_max.count())));
  if (w_.draw.chance(plan_.slow)) delay += microseconds(w_.draw.below(std::uint64_t(plan_.slow_max.count()) + 1));
  return delay;
}

fake_stores::chunk_facts& fake_stores::facts_of(const chunk_id& id) {
  const auto [at, is_new] = facts_.try_emplace(id);
  if (!is_new) return at->second;
  auto& facts = at->second;
  if (w_.draw.chance(plan_.misplaced)) facts.rank = w_.draw.below(disks_);
  if (w_.draw.chance(plan_.corrupt))
    facts.fault = errc::corrupt;
  else if (w_.draw.chance(plan_.lost))
    facts.fault = errc::not_found;
  else if (w_.draw.chance(plan_.unreadable))
    facts.fault = errc::io_error;
  facts.is_short = w_.draw.chance(plan_.short_chunks);
  return facts;
}

std::optional<error> fake_stores::failure_of(std::size_t disk, const chunk_read& r, microseconds& delay) {
  auto& facts = facts_of(r.id);
  std::size_t rank = 0;
  while (router_->local().reader(r.id, rank) != actors_[disk]) ++rank;
  auto& transient_failures = facts.transient_failures[rank];
  if (transient_failures + 1 < retry_policy::attempts_max && w_.draw.chance(plan_.transient_failures)) {
    ++transient_failures;
    constexpr errc kinds[] = {errc::busy, errc::io_error, errc::timeout};
    const auto kind = kinds[w_.draw.below(3)];
    if (kind == errc::timeout) {
      delay += std::chrono::seconds{5};
      // After a timeout the sequencer needs a new buffer, which it may not get.
      fatal_.insert(errc::timeout);
      if (w_.draw.chance(plan_.late_garbage)) {
        w_.after(delay + microseconds{w_.draw.below(2'000'000)},
                 [into = r.into, n = r.length] { std::fill_n(into->data(), n, std::byte{0xEE}); });
      }
    }
    return error{kind, "a transient failure"};
  }
  if (rank != facts.rank) return error{errc::not_found, "elsewhere"};
  if (!facts.fault) return std::nullopt;
  fatal_.insert(*facts.fault == errc::corrupt || *facts.fault == errc::not_found ? errc::chunk_lost : *facts.fault);
  return error{*facts.fault, "planned"};
}

fake_stores::answer fake_stores::read(std::size_t disk, const chunk_read& r) {
  ++reads_;
  answer out;
  out.delay = draw_delay();
  w_.digest.add(partition_of(r.id) ^ std::uint64_t{r.offset} << 32);
  const auto blob = blobs.find(r.id.blob);
  if (!checks_.expect(blob != blobs.end(), "a read of a blob that the manifest does not name")) return out;
  const auto begin = std::uint64_t{r.id.index} * blob->second.chunk_size;
  const auto chunk_length = std::min<std::uint64_t>(blob->second.chunk_size, blob->second.length - begin);
  checks_.expect(r.offset % block_size_bytes == 0, "a read that does not begin at a block");
  checks_.expect(r.length > 0 && r.offset + r.length <= blob->second.chunk_size, "a read beyond its chunk's end");
  checks_.expect(begin < blob->second.length && r.offset < chunk_length, "a read beyond the blob");
  checks_.expect(r.into && r.into->capacity() >= r.length, "a read into a buffer that is too small");
  checks_.expect(reading_.insert(r.into.get()).second, "two reads into one buffer");
  checks_.expect(reading_.size() + queued_elsewhere() <= window_max_, "more slices outstanding than the window allows");

  out.failure = failure_of(disk, r, out.delay);
  if (out.failure) return out;
  auto length = std::min<std::uint64_t>(r.length, chunk_length - r.offset);
  if (facts_of(r.id).is_short) {
    fatal_.insert(errc::chunk_lost);
    length = 0;
  }
  fill_pattern(r.id.blob.number, begin + r.offset, {r.into->data(), length});
  out.data = {slice{r.into, 0, std::uint32_t(length)}, std::uint32_t(chunk_length)};
  return out;
}

namespace {

template <class Answer>
caf::result<Answer> unexpected(checks& c, const char* what) {
  c.fail(what);
  return to_caf({errc::invalid_argument, what});
}

found_object found_of(const fake_object& o, bool with_body, const std::shared_ptr<void>& hold) {
  found_object out;
  out.row = std::make_shared<const storage::metadata::object_row>(o.row);
  if (!with_body) return out;
  if (o.row.content == storage::metadata::content_kind::inline_bytes) {
    out.inline_bytes = std::make_shared<const std::string>(o.inline_bytes);
  } else if (o.row.content == storage::metadata::content_kind::manifest) {
    const auto n = std::ptrdiff_t(std::min(o.first_parts, o.parts.size()));
    out.parts =
        std::make_shared<const std::vector<storage::metadata::manifest_part>>(o.parts.begin(), o.parts.begin() + n);
    out.hold = hold;
  }
  return out;
}

part_list page_of(const fake_object& o, std::uint64_t offset) {
  auto at = o.parts.begin();
  while (at != o.parts.end() && at->object_offset + at->length <= offset) ++at;
  const auto n = std::min<std::ptrdiff_t>(std::ptrdiff_t(o.page_parts), o.parts.end() - at);
  return std::make_shared<const std::vector<storage::metadata::manifest_part>>(at, at + n);
}

} // namespace

metadata_actor spawn_fake_metadata(world& w, checks& c, std::shared_ptr<const fake_object> o,
                                   std::shared_ptr<void> hold) {
  namespace meta = storage::metadata;
  return w.system().spawn([&w, &c, o, hold](metadata_actor::pointer self) -> metadata_actor::behavior_type {
    return {
        [&w, self, o, hold](lookup_atom, const object_name& name) -> caf::result<found_object> {
          auto promise = self->make_response_promise<found_object>();
          answer_after(self, microseconds(w.draw.below(std::uint64_t(o->answer_max.count()) + 1)),
                       [o, hold, promise, body = name.with_body]() mutable {
                         if (o->lookup_fault)
                           promise.deliver(to_caf({*o->lookup_fault, "planned"}));
                         else
                           promise.deliver(found_of(*o, body, hold));
                       });
          return promise;
        },
        [&w, &c, self, o](parts_atom, manifest_id id, std::uint64_t offset) -> caf::result<part_list> {
          c.expect(id == o->row.manifest, "parts of another manifest");
          auto promise = self->make_response_promise<part_list>();
          answer_after(self, microseconds(w.draw.below(std::uint64_t(o->answer_max.count()) + 1)),
                       [o, offset, promise]() mutable {
                         if (o->parts_fault)
                           promise.deliver(to_caf({*o->parts_fault, "planned"}));
                         else
                           promise.deliver(page_of(*o, offset));
                       });
          return promise;
        },
        [&c](bucket_atom, const bucket_name&) {
          return unexpected<meta::bucket_row>(c, "a download asked for a bucket");
        },
        [&c](list_atom, const meta::buckets_query&) {
          return unexpected<buckets_listing>(c, "a download listed buckets");
        },
        [&c](list_atom, const meta::listing_query&) { return unexpected<listing_page>(c, "a download listed"); },
        [&c](list_atom, const meta::uploads_query&) { return unexpected<uploads_listing>(c, "a download listed"); },
        [&c](parts_atom, const upload_query&) { return unexpected<found_upload>(c, "a download asked for an upload"); },
        [&c](parts_atom, const object_parts_query&) {
          return unexpected<found_parts>(c, "a download asked for parts");
        },
        [&c](access_atom, const access_query&) {
          return unexpected<found_access>(c, "a download asked for access rights");
        },
        [&c](list_atom, const meta::versions_query&) {
          return unexpected<versions_listing>(c, "a download listed versions");
        },
        [&c](list_atom, const keys_query&) { return unexpected<key_list>(c, "a download listed keys"); },
        [&c](list_atom, const storage::metadata::identity_query&) {
          return unexpected<found_identities>(c, "a download listed identities");
        },
        [&c](commit_atom, const command_box&) { return unexpected<committed>(c, "a download committed"); },
        [&c](new_blob_atom) { return unexpected<blob_id>(c, "a download took a blob id"); },
        [&c](buried_atom, std::uint32_t) { return unexpected<buried_list>(c, "a download asked for buried blobs"); },
        [&c](dead_atom, const chunk_ids&) { return unexpected<chunk_ids>(c, "a download asked for dead chunks"); },
        [&c](peer_atom, const peer_call&) { c.fail("a download sent a peer's request"); },
        [&c](status_atom) { return unexpected<log_status_ptr>(c, "a download asked for the log"); },
        [&c](change_atom, const log_change&) { return unexpected<std::uint8_t>(c, "a download changed the log"); },
        [&c](transfer_atom, node_number) { return unexpected<std::uint8_t>(c, "a download transferred leadership"); },
        [](completion& done) { done.run(); },
        [](tick_atom) {},
    };
  });
}

} // namespace cairn::sim
