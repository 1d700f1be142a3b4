// Stores by hand for reads whose buffers outlive their answers: one that fails each read and keeps its buffer, into
// which it may still write, and a good one, during whose reads it does.
#pragma once

#include "tests/actors/chunks/chunk_fixture.hpp"

namespace cairn::actors {

struct late_reads {
  std::mutex mutex;
  std::vector<buffer_ptr> buffers;

  std::size_t count() {
    const std::lock_guard lock{mutex};
    return buffers.size();
  }
  void keep(const buffer_ptr& buffer) {
    const std::lock_guard lock{mutex};
    buffers.push_back(buffer);
  }
  void write_into_them() {
    const std::lock_guard lock{mutex};
    for (const auto& b : buffers) std::memset(b->data(), 0xEE, b->capacity());
  }
  void let_go() {
    const std::lock_guard lock{mutex};
    buffers.clear();
  }
};

inline chunk_store_actor spawn_reader(caf::actor_system& system,
                                      std::function<caf::result<chunk_data>(const chunk_read&)> read) {
  return system.spawn([read = std::move(read)](chunk_store_actor::pointer) -> chunk_store_actor::behavior_type {
    const auto no = [] { return to_caf({errc::unsupported, "not part of this test"}); };
    return {
        [read](read_atom, const chunk_read& r) { return read(r); },
        [no](write_atom, const chunk_payload&) -> caf::result<done_atom> { return no(); },
        [no](erase_atom, const chunk_ids&) -> caf::result<std::uint64_t> { return no(); },
        [no](drop_atom, const chunk_ids&) -> caf::result<std::uint64_t> { return no(); },
        [no](list_atom, const chunk_list_query&) -> caf::result<chunk_ids> { return no(); },
        [](completion&) {},
        [](tick_atom) {},
    };
  });
}

inline chunk_store_actor spawn_late_store(caf::actor_system& system, const std::shared_ptr<late_reads>& late,
                                          errc why) {
  return spawn_reader(system, [late, why](const chunk_read& r) -> caf::result<chunk_data> {
    late->keep(r.into);
    return to_caf({why, "it may still write into the buffer"});
  });
}

inline chunk_store_actor spawn_good_store(caf::actor_system& system, const std::shared_ptr<late_reads>& late,
                                          storage::chunk_store& disk) {
  return spawn_reader(system, [late, &disk](const chunk_read& r) -> caf::result<chunk_data> {
    const auto got = disk.read(r.id, r.offset, r.length, r.into->data());
    late->write_into_them();
    if (!got) return to_caf(got.error());
    return chunk_data{slice{r.into, 0, got->length}, got->chunk_length};
  });
}

} // namespace cairn::actors
