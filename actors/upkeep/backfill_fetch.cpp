#include "actors/protocol/errors.hpp"
#include "actors/upkeep/backfill_state.hpp"
#include "actors/upkeep/lost_chunks.hpp"
#include "base/log.hpp"

namespace cairn::actors {

namespace meta = storage::metadata;

void backfill_state::fetch(std::vector<wanted_chunk> chunks, steps done) {
  batch_ = {};
  batch_.chunks = std::move(chunks);
  batch_.failed.assign(batch_.chunks.size(), false);
  batch_.done = std::move(done);
  if (batch_.chunks.empty()) return batch_.done();
  fetch_more();
}

void backfill_state::fetch_more() {
  while (batch_.on_their_way < options_.parallel && batch_.next < batch_.chunks.size()) {
    const auto number = batch_.next++;
    ++batch_.on_their_way;
    auto item = std::make_shared<fetching::item>();
    item->chunk = batch_.chunks[number];
    item->route = s_.node.stores->route_read(item->chunk.id);
    at_pace(item->chunk.length, [this, number, item] { get_buffer(number, item); });
  }
}

void backfill_state::at_pace(std::uint64_t bytes, steps then) {
  const auto at = pace_.book(now(), bytes, s_.bandwidth->load(std::memory_order_relaxed));
  if (at <= now()) return then();
  self_->delayed_send(self_, at - now(), completion{std::move(then)});
}

void backfill_state::get_buffer(std::size_t number, std::shared_ptr<fetching::item> item) {
  s_.node.buffers->wait(item->chunk.length, [this, number, item, me = backfill_actor{self_}](buffer_ptr b) {
    caf::anon_send(me, completion{[this, number, item, b = std::move(b)]() mutable {
                     item->buffer = std::move(b);
                     ask(number, std::move(item));
                   }});
  });
}

std::size_t backfill_state::failed_disks() const {
  return std::size_t(std::ranges::count_if(
      s_.scrubbed, [](const auto* disk) { return disk->stats().state == storage::disk_state::quarantined; }));
}

// A closed or quarantined disk of this node may hold what the other owners lack.
bool backfill_state::disk_unavailable() const {
  return s_.disk_closed || failed_disks() > 0;
}

void backfill_state::ask(std::size_t number, std::shared_ptr<fetching::item> item) {
  while (item->place < item->route.places() && !item->route.remote(item->place)) ++item->place;
  if (item->place >= item->route.places()) {
    if (item->absent_everywhere && !disk_unavailable()) batch_.absent.push_back(item->chunk.id);
    return ended(number, false);
  }
  const chunk_read read{item->chunk.id, 0, item->chunk.length, item->buffer};
  self_->request(item->route.at(item->place).store, caf::infinite, read_atom_v, read)
      .then([this, number, item](chunk_data& data) { arrived(number, item, data); },
            [this, number, item](caf::error& e) { ask_next(number, item, from_caf(e)); });
}

void backfill_state::arrived(std::size_t number, const std::shared_ptr<fetching::item>& item, chunk_data& data) {
  if (data.bytes.length != item->chunk.length || data.chunk_length != item->chunk.length)
    return ask_next(number, item, {errc::corrupt, "the chunk's length differs from the metadata's"});
  item->buffer.reset();
  const auto* const writer = s_.node.stores->local().writer(item->chunk.id);
  if (!writer) return ended(number, false);
  self_->request(*writer, caf::infinite, write_atom_v, chunk_payload{item->chunk.id, std::move(data.bytes), 0})
      .then(
          [this, number, bytes = item->chunk.length](done_atom) {
            count(s_.node.metrics->chunks_backfilled, 1);
            count(s_.node.metrics->backfilled_bytes, bytes);
            ended(number, true);
          },
          [this, number](caf::error& e) {
            log::warn("a fetched chunk was not written", {{"error", to_string(from_caf(e))}});
            ended(number, false);
          });
}

void backfill_state::ask_next(std::size_t number, const std::shared_ptr<fetching::item>& item, const error& why) {
  if (why.code != errc::not_found && why.code != errc::corrupt) item->absent_everywhere = false;
  ++item->place;
  item->buffer.reset(); // the link may still write into the old buffer
  get_buffer(number, item);
}

void backfill_state::ended(std::size_t number, bool good) {
  batch_.failed[number] = !good;
  --batch_.on_their_way;
  if (batch_.on_their_way > 0 || batch_.next < batch_.chunks.size()) return fetch_more();
  for (std::size_t i = 0; i < batch_.chunks.size() && !lost_.empty(); ++i)
    if (!batch_.failed[i]) lost_.erase(batch_.chunks[i].id);
  if (batch_.absent.empty()) return fetched();
  // No owner has them: their objects were deleted meanwhile, or the chunks are lost.
  auto absent = batch_.absent;
  using chunks = std::vector<wanted_chunk>;
  look<chunks>([absent](meta::view& view) { return still_live(view, absent); },
               [this](const result<chunks>& live) {
                 for (std::size_t i = 0; live && i < batch_.chunks.size(); ++i) {
                   const auto& id = batch_.chunks[i].id;
                   if (std::ranges::find(batch_.absent, id) == batch_.absent.end()) continue;
                   batch_.failed[i] = std::ranges::find(*live, id, &wanted_chunk::id) != live->end();
                   if (!batch_.failed[i]) continue;
                   note_lost(id);
                 }
                 fetched();
               });
}

void backfill_state::note_lost(const chunk_id& id) {
  count(s_.node.metrics->chunks_unrecoverable, 1);
  if (lost_.contains(id) || lost_.size() >= lost_remembered_max) return;
  lost_.insert(id);
  log::error("no owner has a chunk that an object needs", {{"chunk", to_string(id)}});
}

// Chunks that were deleted or given up meanwhile, or that this node is not to own any more, are not lost here. The
// others are requested again: a disk may have come back.
void backfill_state::check_lost(const steps& then) {
  using chunks = std::vector<wanted_chunk>;
  chunk_ids own;
  const auto known = layout();
  for (const auto& id : lost_)
    if (known && cluster::read_owners(*known, partition_of(id)).contains(own_number())) own.push_back(id);
  look<chunks>([own](meta::view& view) { return still_live(view, own); },
               [this, then](result<chunks> live) {
                 if (!live) return then();
                 lost_.clear();
                 chunk_ids rising;
                 for (const auto& w : *live) rising.push_back(*lost_.insert(w.id).first);
                 s_.state->set_lost(std::move(rising));
                 fetch(std::move(*live), then);
               });
}

void backfill_state::fetched() {
  failures_ += std::size_t(std::ranges::count(batch_.failed, true));
  auto done = std::exchange(batch_.done, {});
  done();
}

} // namespace cairn::actors
