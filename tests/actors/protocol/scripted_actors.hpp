// Actors that a test answers for: a metadata whose requests are functions of the test, a chunk store that keeps its
// requests until the test answers them, in any order. What a test did not expect fails it. In virtual time (sim/world).
#pragma once

#include "actors/protocol/errors.hpp"
#include "actors/protocol/interfaces.hpp"
#include "base/execution/executor.hpp"
#include "sim/world/world.hpp"
#include "tests/actors/metadata/unasked_metadata.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

namespace cairn::actors {

// Runs each job at once, past its deadline if `overdue`.
class immediate_executor final : public executor {
public:
  bool overdue = false;
  using executor::post;
  result<void> post(steady_time, job work, const party_ptr&) override { return work(overdue), result<void>{}; }
  std::size_t queued() const override { return 0; }
  std::chrono::nanoseconds longest_running() const override { return {}; }
  void stop() override {}
};

// What one kind of request is answered; not set: the request fails the test.
template <class Answer, class... Request>
struct scripted_answer {
  std::function<result<Answer>(const Request&...)> does;
  caf::result<Answer> answer(const char* what, const Request&... request) const {
    if (!does) return never<Answer>(what);
    auto out = does(request...);
    if (!out) return to_caf(out.error());
    return std::move(*out);
  }
};

class scripted_metadata final : private unasked_metadata {
public:
  metadata_actor spawn(caf::actor_system& system) { return spawn_metadata_of_the_test(system); } // which this outlives

  scripted_answer<found_object, object_name> lookup;
  scripted_answer<part_list, manifest_id, std::uint64_t> parts;
  scripted_answer<storage::metadata::bucket_row, std::string> bucket;
  scripted_answer<committed, storage::metadata::command> commits;
  scripted_answer<cairn::blob_id> blob_id;

private:
  caf::result<found_object> look_up(const object_name& name) override { return lookup.answer("a look-up", name); }
  caf::result<part_list> parts_of(manifest_id id, std::uint64_t from) override {
    return parts.answer("parts", id, from);
  }
  caf::result<bucket_row> bucket_of(const std::string& name) override { return bucket.answer("a bucket", name); }
  caf::result<committed> commit(const storage::metadata::command& c) override { return commits.answer("a command", c); }
  caf::result<cairn::blob_id> new_blob() override { return blob_id.answer("a blob id"); }
};

// A disk. Reads and writes wait, in the order in which they came; the tests name them by that order.
class scripted_store {
public:
  struct read {
    chunk_read wanted; // `into` goes when it is answered
    caf::typed_response_promise<chunk_data> promise;
    bool waits = true;
  };
  struct write {
    chunk_id id;
    std::uint32_t length = 0;
    caf::typed_response_promise<done_atom> promise;
    bool waits = true;
  };

  explicit scripted_store(sim::world& w) : w_(w) {
    actor_ = w.system().spawn([this](chunk_store_actor::pointer self) -> chunk_store_actor::behavior_type {
      return {
          [this, self](read_atom, const chunk_read& wanted) -> caf::result<chunk_data> {
            reads.push_back({wanted, self->make_response_promise<chunk_data>()});
            return reads.back().promise;
          },
          [this, self](write_atom, const chunk_payload& p) -> caf::result<done_atom> {
            writes.push_back({p.id, p.bytes.length, self->make_response_promise<done_atom>()});
            return writes.back().promise;
          },
          [](erase_atom, const chunk_ids&) { return never<std::uint64_t>("an erase"); },
          [](drop_atom, const chunk_ids&) { return never<std::uint64_t>("a drop"); },
          [](list_atom, const chunk_list_query&) { return never<chunk_ids>("a list of chunks"); },
          [](completion& done) { done.run(); },
          [](tick_atom) {},
      };
    });
  }
  ~scripted_store() { stop(); }
  scripted_store(const scripted_store&) = delete;
  scripted_store& operator=(const scripted_store&) = delete;

  const chunk_store_actor& actor() const { return actor_; }
  void stop() {
    if (actor_) caf::anon_send_exit(actor_, caf::exit_reason::kill);
    actor_ = nullptr;
    reads.clear();
    writes.clear();
  }

  // `bytes` of the chunk, all of the value `index of the chunk` + 1; those that were asked for when not given.
  void answer(std::size_t number, std::optional<std::uint32_t> bytes = {}) {
    on_actor([this, number, bytes] {
      auto& r = reads.at(number);
      const auto n = bytes.value_or(r.wanted.length);
      std::fill_n(r.wanted.into->data(), n, std::byte(r.wanted.id.index + 1));
      r.waits = false;
      r.promise.deliver(chunk_data{slice{std::exchange(r.wanted.into, nullptr), 0, n}, n});
    });
  }
  void refuse(std::size_t number, errc why) {
    on_actor([this, number, why] {
      auto& r = reads.at(number);
      r.wanted.into.reset();
      r.waits = false;
      r.promise.deliver(to_caf({why, "the test"}));
    });
  }
  void answer_all() {
    for (std::size_t i = 0; i < reads.size(); ++i)
      if (reads[i].waits) answer(i);
  }
  void written(std::size_t number) {
    on_actor([this, number] {
      writes.at(number).waits = false;
      writes[number].promise.deliver(done_atom_v);
    });
  }
  void refuse_write(std::size_t number, errc why) {
    on_actor([this, number, why] {
      writes.at(number).waits = false;
      writes[number].promise.deliver(to_caf({why, "the test"}));
    });
  }
  void write_all() {
    for (std::size_t i = 0; i < writes.size(); ++i)
      if (writes[i].waits) written(i);
  }

  std::vector<read> reads;
  std::vector<write> writes;

private:
  void on_actor(std::function<void()> run) {
    caf::anon_send(actor_, completion{std::move(run)});
    w_.settle();
  }
  sim::world& w_;
  chunk_store_actor actor_;
};

} // namespace cairn::actors
