// What the metadata actor must know of a command without applying it. Plain functions.
#pragma once

#include "actors/metadata/row_cache.hpp"

namespace cairn::actors {

// The rows that applying it changes: objects, buckets' own rows (empty key), access keys (empty bucket). Views into the
// command. Grants that a deleted bucket leaves behind are not worth a word: they name an id that never comes again.
std::vector<row_name> changed_rows(const storage::metadata::command& c);
// Refused when the metadata's disk is full up to its reserve; what frees space or ends something never is.
bool adds_something(const storage::metadata::command& c);
// Whether applying it may change the layout: nodes, owners, the cluster itself.
bool changes_layout(const storage::metadata::command& c);
// The writer session that the chunks it commits were written in; nothing without chunks.
std::optional<storage::session_id> session_of_chunks(const storage::metadata::command& c);
// An estimate for the bounds of queues and batches.
std::size_t bytes_of(const storage::metadata::command& c);
// Fills in the stamp of a command that has none yet, unless members that know commands up to `level` would not know it.
void stamp(storage::metadata::command& c, storage::session_id session, std::uint64_t& next_sequence,
           std::uint64_t acknowledged_below, std::uint8_t level);

// The command in the form of clusters below feature_level_of_authority, whose members judge no authority.
void drop_authority(storage::metadata::command& c);

} // namespace cairn::actors
