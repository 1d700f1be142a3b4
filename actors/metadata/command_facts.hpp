// What the metadata actor must know about a command without applying it. Plain functions.
#pragma once

#include "actors/metadata/row_cache.hpp"

namespace cairn::actors {

// The rows that the command changes: objects, buckets' own rows (empty key), access keys (empty bucket; both are empty:
// all access keys). Views into the command. Grants for a deleted bucket are not among them: dangling grants are
// harmless, bucket ids are never reused.
std::vector<row_name> changed_rows(const storage::metadata::command& c);
// Whether the command adds data: such commands are refused when the metadata's disk is full up to its reserve. Commands
// that free space or end something are never refused for that.
bool adds_something(const storage::metadata::command& c);
// Whether applying the command may change the layout: nodes, owners, the cluster itself.
bool changes_layout(const storage::metadata::command& c);
// The writer session that wrote the chunks which the command commits; nullopt when it commits none.
std::optional<session_id> session_of_chunks(const storage::metadata::command& c);
// When the temporary credentials expire with which the command was asked for; nullopt: it was not.
std::optional<wall_ms> session_end(const storage::metadata::command& c);
// An estimate of the encoded size, for the bounds of queues and batches.
std::size_t bytes_of(const storage::metadata::command& c);
// Fills in the stamp of a command that has none yet, unless stamps of this command are of a feature level above
// `level`.
void stamp(storage::metadata::command& c, session_id session, std::uint64_t& next_sequence,
           std::uint64_t acknowledged_below, std::uint8_t level);

// Converts the list of an object to the form of clusters below feature_level_of_object_owners, where the account owns
// all objects, and WRITE of an object for all users is dropped.
void drop_object_owners(storage::metadata::command& c);
// Converts the command to the form of clusters below feature_level_of_authority, whose members ignore authorities.
void drop_authority(storage::metadata::command& c);
// The same for clusters below feature_level_of_policies, which have no policies.
void drop_asked(storage::metadata::command& c);
// The same for clusters below feature_level_of_object_lock, which have nothing to bypass.
void drop_bypass(storage::metadata::command& c);

} // namespace cairn::actors
