// A metadata actor for tests in which what is not expected fails the test: they override what they expect.
#pragma once

#include "actors/protocol/errors.hpp"
#include "actors/protocol/interfaces.hpp"

#include <gtest/gtest.h>

namespace cairn::actors {

template <class Answer>
caf::result<Answer> never(const char* what) {
  ADD_FAILURE() << what;
  return to_caf({errc::unsupported, what});
}

// Outlives the actor.
class unasked_metadata {
public:
  virtual ~unasked_metadata() = default;

protected:
  using bucket_row = storage::metadata::bucket_row;

  virtual caf::result<found_object> look_up(const object_name&) { return never<found_object>("a look-up"); }
  virtual caf::result<part_list> parts_of(manifest_id, std::uint64_t) { return never<part_list>("parts"); }
  virtual caf::result<bucket_row> bucket_of(const std::string&) { return never<bucket_row>("a bucket"); }
  virtual caf::result<buckets_listing> list(const storage::metadata::buckets_query&) {
    return never<buckets_listing>("names of buckets");
  }
  virtual caf::result<uploads_listing> list(const storage::metadata::uploads_query&) {
    return never<uploads_listing>("uploads");
  }
  virtual caf::result<versions_listing> list(const storage::metadata::versions_query&) {
    return never<versions_listing>("versions");
  }
  virtual caf::result<committed> commit(const storage::metadata::command&) { return never<committed>("a command"); }
  virtual caf::result<blob_id> new_blob() { return never<blob_id>("a blob id"); }
  virtual caf::result<buried_list> buried_blobs() { return never<buried_list>("buried blobs"); }
  virtual caf::result<chunk_ids> dead_of(const chunk_ids&) { return never<chunk_ids>("dead chunks"); }
  virtual caf::result<log_status_ptr> log_now() { return never<log_status_ptr>("the log"); }
  virtual caf::result<std::uint8_t> change(const log_change&) { return never<std::uint8_t>("a change"); }
  virtual caf::result<std::uint8_t> transfer(node_number) { return never<std::uint8_t>("a transfer"); }

  metadata_actor spawn_metadata_of_the_test(caf::actor_system& system) {
    return system.spawn([this](metadata_actor::pointer) -> metadata_actor::behavior_type {
      return {
          [this](lookup_atom, const object_name& name) { return look_up(name); },
          [this](parts_atom, manifest_id id, std::uint64_t from) { return parts_of(id, from); },
          [this](bucket_atom, const bucket_name& bucket) { return bucket_of(bucket.name); },
          [this](list_atom, const storage::metadata::buckets_query& q) { return list(q); },
          [](list_atom, const storage::metadata::listing_query&) { return never<listing_page>("a listing"); },
          [this](list_atom, const storage::metadata::uploads_query& q) { return list(q); },
          [](parts_atom, const upload_query&) { return never<found_upload>("an upload"); },
          [](parts_atom, const object_parts_query&) { return never<found_parts>("parts of an object"); },
          [](access_atom, const access_query&) { return never<found_access>("who may"); },
          [this](list_atom, const storage::metadata::versions_query& q) { return list(q); },
          [](list_atom, const keys_query&) { return never<key_list>("keys"); },
          [](list_atom, const storage::metadata::identity_query&) { return never<found_identities>("identities"); },
          [this](commit_atom, const command_box& box) { return commit(*box); },
          [this](new_blob_atom) { return new_blob(); },
          [this](buried_atom, std::uint32_t) { return buried_blobs(); },
          [this](dead_atom, const chunk_ids& ids) { return dead_of(ids); },
          [](peer_atom, const peer_call&) { ADD_FAILURE() << "a request of another node"; },
          [this](status_atom) { return log_now(); },
          [this](change_atom, const log_change& c) { return change(c); },
          [this](transfer_atom, node_number to) { return transfer(to); },
          [](completion& done) { done.run(); },
          [](tick_atom) {},
      };
    });
  }
};

} // namespace cairn::actors
