// What each command does to the tables. A function of the tables and the command alone: no clock, no randomness, no
// order of a hash map, so that every voter of a cluster arrives at the same bytes.
#pragma once

#include "storage/metadata/batch.hpp"
#include "storage/metadata/blobs.hpp"
#include "storage/metadata/members.hpp"

namespace cairn::storage::metadata {

class command_applier {
public:
  explicit command_applier(batch& b) : b_(b), blobs_(b), members_(b), repairs_(b) {}

  // `ordinal`: the command's position in its batch, from 0.
  command_result apply(const command& c, std::uint32_t ordinal);

private:
  command_result run(const begin_session& c);
  command_result run(const end_session& c);
  command_result run(const create_bucket& c);
  command_result run(const delete_bucket& c);
  command_result run(const put_object& c);
  command_result run(const delete_object& c);
  command_result run(const abandon_blob& c);
  command_result run(const reap& c);
  command_result run(const free_manifests& c);
  command_result run(const create_cluster& c) { return members_.create(c); }
  command_result run(const add_node& c) { return members_.add(c); }
  command_result run(const set_node& c) { return members_.set(c); }
  command_result run(const remove_node& c);
  command_result run(const set_targets& c) { return members_.set_targets(c); }
  command_result run(const moved& c) { return members_.move(c); }
  command_result run(const confirm_replicas& c);
  command_result run(const note_down& c) { return members_.note(c); }
  command_result run(const note_up& c) { return members_.note(c); }
  command_result run(const acknowledge_epoch& c);
  command_result run(const hold_deletions& c);

  void end(session_row& session);
  // The answer, when the stamp alone decides it: given before, session over, acknowledged. Else the commit may run.
  // `may_bury`: the blob of such a refused commit is dead.
  std::optional<command_result> answered(const commit_stamp& stamp, bool& may_bury);
  command_result remember(const commit_stamp& stamp, command_result answer);

  std::optional<object_row> find(const bucket_row& bucket, const std::string& key);
  void store(const bucket_row& bucket, const put_object& c, const std::optional<object_row>& present);
  void bury_content(const put_object& c);
  void drop_content(const object_row& row);

  batch& b_;
  blob_ledger blobs_;
  member_ledger members_;
  repair_ledger repairs_;
  std::uint32_t ordinal_ = 0;
};

} // namespace cairn::storage::metadata
