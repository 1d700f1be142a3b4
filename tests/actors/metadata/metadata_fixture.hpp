// The metadata actor of a standalone node in virtual time, over a store in memory, with a bucket `bucket`.
#pragma once

#include "actors/metadata/metadata.hpp"

#include "actors/protocol/errors.hpp"
#include "storage/metadata/store.hpp"
#include "tests/actors/protocol/scripted_actors.hpp"

#include <gtest/gtest.h>

namespace cairn::actors {

namespace meta = storage::metadata;
using namespace std::chrono_literals;

class standalone_metadata : public testing::Test {
protected:
  // `others`: the oldest log index that reads of other nodes need.
  void start(std::function<log_index()> others = {}) {
    metadata_services m;
    m.store = store.get();
    m.reads = m.writes = &executor;
    m.metrics = &metrics;
    m.clock = &w.clock();
    m.random = &w.random();
    m.holds = holds = std::make_shared<read_holds>(w.clock());
    m.node = {1};
    m.incarnation = 1;
    m.others_oldest_hold = std::move(others);
    metadata = spawn_metadata(w.system(), std::move(m));
    w.settle();
    commit(meta::create_bucket{"bucket", 1});
  }
  void TearDown() override {
    if (metadata) caf::anon_send_exit(metadata, caf::exit_reason::kill);
    metadata = nullptr;
    w.forget_everything();
  }
  template <class Answer, class... Message>
  result<Answer> try_to_ask(Message... message) {
    caf::scoped_actor self{w.system()};
    auto asked = self->request(metadata, caf::infinite, std::move(message)...);
    w.run_for(10ms);
    result<Answer> out = error{errc::timeout};
    asked.receive([&](Answer& a) { out = std::move(a); }, [&](caf::error& why) { out = from_caf(why); });
    return out;
  }
  template <class Answer, class... Message>
  std::optional<Answer> ask(Message... message) {
    auto answer = try_to_ask<Answer>(std::move(message)...);
    if (answer) return std::move(*answer);
    ADD_FAILURE() << to_string(answer.error());
    return std::nullopt;
  }
  // The code it was refused with, nothing when it was done.
  std::optional<errc> refused(meta::command c) {
    const auto answer =
        try_to_ask<committed>(commit_atom_v, command_box{std::make_shared<const meta::command>(std::move(c))});
    return answer ? std::nullopt : std::optional{answer.error().code};
  }
  void commit(meta::command c) { EXPECT_EQ(refused(std::move(c)), std::nullopt); }

  sim::world w;
  std::unique_ptr<storage::kv_engine> engine = storage::make_memory_kv(meta::table_count);
  std::unique_ptr<meta::store> store = meta::store::open(*engine).value();
  immediate_executor executor;
  node_metrics metrics;
  std::shared_ptr<read_holds> holds;
  metadata_actor metadata;
};

} // namespace cairn::actors
