// The members of the admin API's answers. tests/e2e/test_admin_api.py compares them with real answers.
#include "net/admin/api_table.hpp"

#include <array>

namespace cairn::net {

namespace {

constexpr std::array refusal_fields{api_field{"code", "string", "Stable."},
                                    api_field{"message", "string", "For people."}};
constexpr std::array done_fields{api_field{"done", "string", "What was done, or the answer, in words."}};
constexpr std::array configuration_fields{
    api_field{"configuration", "string", "NEW-NODE and JOIN-TOKEN stand for what the reader has to fill in."}};
constexpr std::array reason_fields{api_field{"severity", "info|warning|error", ""},
                                   api_field{"text", "string", "Whole sentences."}};
constexpr std::array node_fields{
    api_field{"number", "integer", ""},
    api_field{"id", "string", "A UUID."},
    api_field{"address", "string", ""},
    api_field{"zone", "string", "What it fails together with."},
    api_field{"weight", "integer", "Its share of the data, compared with the others'."},
    api_field{"state", "active|draining|out", ""},
    api_field{"up", "boolean", ""},
    api_field{"since_ms", "integer", "When it last came up or went down, in ms since 1970; 0: not known."},
    api_field{"role", "voter|standby|none", "Its part in the metadata's consensus."},
    api_field{"partitions_owned", "integer", "Complete on the node."},
    api_field{"partitions_incoming", "integer", "Being moved to it."},
    api_field{"used_bytes", "integer", "Of its file systems, as its last report says."},
    api_field{"capacity_bytes", "integer", "0: it has not reported yet."},
    api_field{"data_bytes", "integer", "Chunks, as stored."},
    api_field{"applied_index", "integer", ""},
    api_field{"closed_disks", "integer", ""},
    api_field{"fault", "string?", "Why its copy of the metadata is out of service."},
    api_field{"certificate_end_ms", "integer", "Of its links; 0: not known."}};
constexpr std::array auto_out_fields{
    api_field{"paused", "string?", "many_down, zone_down or no_room: why nodes that are down long are not taken out."},
    api_field{"waiting", "[integer]", "These nodes."}, api_field{"because", "[integer]", "Because of these."}};
constexpr std::array waiting_fields{api_field{"id", "string", ""}, api_field{"address", "string", ""}};
constexpr std::array cluster_fields{
    api_field{"name", "string", ""},
    api_field{"id", "string", ""},
    api_field{"replicas", "integer", ""},
    api_field{"write_quorum", "integer", "0: a majority of the replicas."},
    api_field{"epoch", "integer", "Changes of the layout so far."},
    api_field{"leader", "integer?", "Null: there is none, or the node does not know it."},
    api_field{"term", "integer", ""},
    api_field{"self", "integer", "The node that was asked."},
    api_field{"repairs_waiting", "integer", "Ranges of chunks that a node still lacks."},
    api_field{"deletions_held", "boolean", ""},
    api_field{"bytes_to_move", "integer", "An estimate."},
    api_field{"partitions_under_replicated", "integer", ""},
    api_field{"chunks_lost", "integer", ""},
    api_field{"voters", "[integer]", ""},
    api_field{"voters_next", "[integer]", "Empty: no change is under way."},
    api_field{"auto_out", "auto_out", ""},
    api_field{"waiting", "[waiting]", "Nodes that ask to join."},
    api_field{"nodes", "[node]", ""},
    api_field{"reasons", "[reason]", "What is not as it should be, or being changed; worst first."}};
constexpr std::array nodes_fields{api_field{"nodes", "[node]", ""}};
constexpr std::array move_fields{api_field{"number", "integer", ""},
                                 api_field{"address", "string", ""},
                                 api_field{"state", "active|draining|out", ""},
                                 api_field{"up", "boolean", ""},
                                 api_field{"partitions_owned", "integer", ""},
                                 api_field{"partitions_incoming", "integer", ""}};
constexpr std::array moves_fields{api_field{"bytes_to_move", "integer", "An estimate."},
                                  api_field{"partitions_incoming", "integer", "Of all nodes together."},
                                  api_field{"partitions_under_replicated", "integer", ""},
                                  api_field{"repairs_waiting", "integer", ""},
                                  api_field{"chunks_lost", "integer", ""},
                                  api_field{"nodes", "[move]", ""},
                                  api_field{"reasons", "[reason]", "Why something waits."}};
constexpr std::array memory_fields{
    api_field{"buffer_bytes", "integer", "Used of limits.memory."}, api_field{"buffer_limit_bytes", "integer", ""},
    api_field{"buffer_waiters", "integer", "Requests that wait for memory."},
    api_field{"cache_bytes", "integer", "Used of limits.cache."}, api_field{"cache_limit_bytes", "integer", ""}};
constexpr std::array requests_fields{
    api_field{"total", "integer", "Since the node's start, as all of these."},
    api_field{"client_errors", "integer", "Answers 4xx."},
    api_field{"server_errors", "integer", "Answers 5xx, and connections that broke off without an answer."},
    api_field{"bytes_sent", "integer", ""}, api_field{"bytes_received", "integer", ""}};
constexpr std::array certificate_fields{api_field{"use", "http|admin|cluster", ""},
                                        api_field{"ends_ms", "integer", ""}};
constexpr std::array this_node_fields{api_field{"version", "string", ""},
                                      api_field{"clustered", "boolean", ""},
                                      api_field{"ready", "boolean", ""},
                                      api_field{"reason", "string?", "Why it is not ready."},
                                      api_field{"now_ms", "integer", "The node's clock."},
                                      api_field{"uptime_ms", "integer", ""},
                                      api_field{"connections", "integer", "Of the HTTP port, now."},
                                      api_field{"downloads", "integer", "Now."},
                                      api_field{"uploads", "integer", "Now."},
                                      api_field{"requests", "requests", ""},
                                      api_field{"memory", "memory", ""},
                                      api_field{"certificates", "[certificate]", ""},
                                      api_field{"reasons", "[reason]", "What is not as it should be; worst first."}};
constexpr std::array disk_fields{api_field{"path", "string", ""},
                                 api_field{"state", "healthy|read_only|quarantined|closed", ""},
                                 api_field{"size_bytes", "integer", "Of the file system."},
                                 api_field{"available_bytes", "integer", ""},
                                 api_field{"reserve_bytes", "integer", "Kept free: no write uses them."},
                                 api_field{"data_bytes", "integer", "Chunks, as stored."},
                                 api_field{"chunks", "integer", ""},
                                 api_field{"queued_reads", "integer", ""},
                                 api_field{"queued_writes", "integer", ""}};
constexpr std::array disks_fields{api_field{"disks", "[disk]", ""}};
constexpr std::array grant_fields{api_field{"bucket", "string", ""}, api_field{"read", "boolean", ""},
                                  api_field{"write", "boolean", ""}, api_field{"owner", "boolean", ""}};
constexpr std::array key_fields{api_field{"access_key", "string", ""}, api_field{"label", "string", ""},
                                api_field{"created_ms", "integer", ""}, api_field{"creates_buckets", "boolean", ""},
                                api_field{"grants", "[grant]", ""}};
constexpr std::array keys_fields{api_field{"keys", "[key]", ""},
                                 api_field{"next", "string?", "`after` of the next page; null: this is the last."}};
constexpr std::array new_key_fields{api_field{"access_key", "string", ""}, api_field{"secret_key", "string", ""}};
constexpr std::array listed_bucket_fields{api_field{"name", "string", ""}, api_field{"created_ms", "integer", ""}};
constexpr std::array buckets_fields{api_field{"buckets", "[listed_bucket]", ""},
                                    api_field{"next", "string?", "`after` of the next page; null: this is the last."}};
constexpr std::array bucket_key_fields{api_field{"access_key", "string", ""}, api_field{"label", "string", ""},
                                       api_field{"read", "boolean", ""}, api_field{"write", "boolean", ""},
                                       api_field{"owner", "boolean", ""}};
constexpr std::array bucket_fields{
    api_field{"name", "string", ""},
    api_field{"created_ms", "integer", ""},
    api_field{"versioning", "never|enabled|suspended", ""},
    api_field{"public_read", "boolean", "Anybody may list it."},
    api_field{"public_write", "boolean", "Anybody may write its objects."},
    api_field{"public_objects", "boolean", "Anybody may read all its objects."},
    api_field{"cors_rules", "integer", ""},
    api_field{"lifecycle_rules", "integer", ""},
    api_field{"keys", "[bucket_key]", "With rights on it; of a key that is not the root key: itself."}};
constexpr std::array session_fields{
    api_field{"access_key", "string", "Empty: signed in with the admin token."},
    api_field{"operator", "boolean", "It may do everything."},
    api_field{"csrf", "string", "For the header Cairn-CSRF of changes; empty: the request had the admin token."}};

constexpr std::array all_schemas{api_schema{"refusal", refusal_fields},
                                 api_schema{"done", done_fields},
                                 api_schema{"configuration", configuration_fields},
                                 api_schema{"reason", reason_fields},
                                 api_schema{"node", node_fields},
                                 api_schema{"auto_out", auto_out_fields},
                                 api_schema{"waiting", waiting_fields},
                                 api_schema{"cluster", cluster_fields},
                                 api_schema{"nodes", nodes_fields},
                                 api_schema{"move", move_fields},
                                 api_schema{"moves", moves_fields},
                                 api_schema{"memory", memory_fields},
                                 api_schema{"requests", requests_fields},
                                 api_schema{"certificate", certificate_fields},
                                 api_schema{"this_node", this_node_fields},
                                 api_schema{"disk", disk_fields},
                                 api_schema{"disks", disks_fields},
                                 api_schema{"grant", grant_fields},
                                 api_schema{"key", key_fields},
                                 api_schema{"keys", keys_fields},
                                 api_schema{"new_key", new_key_fields},
                                 api_schema{"listed_bucket", listed_bucket_fields},
                                 api_schema{"buckets", buckets_fields},
                                 api_schema{"bucket_key", bucket_key_fields},
                                 api_schema{"bucket", bucket_fields},
                                 api_schema{"session", session_fields}};

} // namespace

std::span<const api_schema> api_schemas() {
  return all_schemas;
}

} // namespace cairn::net
