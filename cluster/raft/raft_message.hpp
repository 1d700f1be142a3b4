// Encoding of messages between consensus servers, and the validation of every message before it reaches the engine,
// whose behaviour on invalid input is undefined. The link knows the sender, so the encoding has no sender field.
//
//   message    version:u8 kind:u8 fields                        (at most message_bytes_max)
//   fields     1 vote request:   term last_index last_term disrupt_leader:bool pre_vote:bool
//              2 vote answer:    term granted:bool pre_vote:bool
//              3 append request: term previous previous_term commit count:varint entry*
//              4 append answer:  term rejected last
//              5 snapshot offer: term index index_term
//              6 timeout now:    term last_index last_term
//              7 read round:     term sequence
//              8 read echo:      term sequence
//   entry      term:varint kind:u8 bytes:string
// Terms, indexes and sequences are varints. A configuration (the bytes of a change entry, and rows of the log):
//   version:u8 count:varint (id:varint role:u8)*                 ascending ids, at least one voter
#pragma once

#include "base/codec.hpp"
#include "base/error.hpp"
#include "cluster/raft/raft_types.hpp"

namespace cairn::cluster::raft {

std::string encode(const message& m);                   // at most message_bytes_max: see split
result<message> decode_message(std::string_view bytes); // corrupt, unsupported (a newer version)

std::string encode(const configuration& c);
result<configuration> decode_configuration(std::string_view bytes); // corrupt, unsupported

void write_entry(byte_writer& w, const entry& e);
entry read_entry(byte_reader& r);
std::size_t encoded_bytes_max(const entry& e);

// Validates a message for a server in `current_term`: plausible numbers, ascending terms, entries of known kinds and
// sizes, configurations that decode. Returns a description of the fault, or null.
const char* what_is_wrong(const message& m, term_t current_term);

term_t term_of(const message& m);

// Splits a request into requests of at most message_bytes_max each, in order.
std::vector<append_request> split(append_request&& request);

} // namespace cairn::cluster::raft
