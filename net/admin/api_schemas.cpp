// The members of the admin API's answers. tests/e2e/admin/test_admin_api.py compares them with real answers.
#include "net/admin/api_table.hpp"

namespace cairn::net {

namespace {

constexpr api_field refusal_fields[] = {{"code", "string", "Stable."}, {"message", "string", "For people."}};
constexpr api_field done_fields[] = {{"done", "string", "What was done, or the answer, in words."}};
constexpr api_field configuration_fields[] = {
    {"configuration", "string", "NEW-NODE and JOIN-TOKEN stand for what the reader has to fill in."}};
constexpr api_field reason_fields[] = {{"severity", "info|warning|error"}, {"text", "string", "Whole sentences."}};
constexpr api_field node_fields[] = {
    {"number", "integer"},
    {"id", "string", "A UUID."},
    {"address", "string"},
    {"zone", "string", "What it fails together with."},
    {"weight", "integer", "Its share of the data, compared with the others'."},
    {"state", "active|draining|out"},
    {"up", "boolean"},
    {"since_ms", "integer", "When it last came up or went down, in ms since 1970; 0: not known."},
    {"role", "voter|standby|none", "Its part in the metadata's consensus."},
    {"partitions_owned", "integer", "Complete on the node."},
    {"partitions_incoming", "integer", "Being moved to it."},
    {"used_bytes", "integer", "Of its file systems, as its last report says."},
    {"capacity_bytes", "integer", "0: it has not reported yet."},
    {"data_bytes", "integer", "Chunks, as stored."},
    {"applied_index", "integer"},
    {"closed_disks", "integer"},
    {"fault", "string?", "Why its copy of the metadata is out of service."},
    {"certificate_end_ms", "integer", "Of its links; 0: not known."}};
constexpr api_field auto_out_fields[] = {
    {"paused", "string?", "many_down, zone_down or no_room: why nodes that are down long are not taken out."},
    {"waiting", "[integer]", "These nodes."},
    {"because", "[integer]", "Because of these."}};
constexpr api_field waiting_fields[] = {{"id", "string"}, {"address", "string"}};
constexpr api_field cluster_fields[] = {
    {"name", "string"},
    {"id", "string"},
    {"replicas", "integer"},
    {"write_quorum", "integer", "0: a majority of the replicas."},
    {"epoch", "integer", "Changes of the layout so far."},
    {"leader", "integer?", "Null: there is none, or the node does not know it."},
    {"term", "integer"},
    {"self", "integer", "The node that was asked."},
    {"repairs_waiting", "integer", "Ranges of chunks that a node still lacks."},
    {"deletions_held", "boolean"},
    {"bytes_to_move", "integer", "An estimate."},
    {"partitions_under_replicated", "integer"},
    {"chunks_lost", "integer"},
    {"voters", "[integer]"},
    {"voters_next", "[integer]", "Empty: no change is under way."},
    {"auto_out", "auto_out"},
    {"waiting", "[waiting]", "Nodes that ask to join."},
    {"nodes", "[node]"},
    {"reasons", "[reason]", "What is not as it should be, or being changed; worst first."}};
constexpr api_field nodes_fields[] = {{"nodes", "[node]"}};
constexpr api_field move_fields[] = {
    {"number", "integer"}, {"address", "string"},           {"state", "active|draining|out"},
    {"up", "boolean"},     {"partitions_owned", "integer"}, {"partitions_incoming", "integer"}};
constexpr api_field moves_fields[] = {{"bytes_to_move", "integer", "An estimate."},
                                      {"partitions_incoming", "integer", "Of all nodes together."},
                                      {"partitions_under_replicated", "integer"},
                                      {"repairs_waiting", "integer"},
                                      {"chunks_lost", "integer"},
                                      {"nodes", "[move]"},
                                      {"reasons", "[reason]", "Why something waits."}};
constexpr api_field memory_fields[] = {{"buffer_bytes", "integer", "Used of limits.memory."},
                                       {"buffer_limit_bytes", "integer"},
                                       {"buffer_waiters", "integer", "Requests that wait for memory."},
                                       {"cache_bytes", "integer", "Used of limits.cache."},
                                       {"cache_limit_bytes", "integer"}};
constexpr api_field requests_fields[] = {
    {"total", "integer", "Since the node's start, as all of these."},
    {"client_errors", "integer", "Answers 4xx."},
    {"server_errors", "integer", "Answers 5xx, and connections that broke off without an answer."},
    {"bytes_sent", "integer"},
    {"bytes_received", "integer"}};
constexpr api_field certificate_fields[] = {{"use", "http|admin|cluster"}, {"ends_ms", "integer"}};
constexpr api_field this_node_fields[] = {{"version", "string"},
                                          {"clustered", "boolean"},
                                          {"ready", "boolean"},
                                          {"reason", "string?", "Why it is not ready."},
                                          {"now_ms", "integer", "The node's clock."},
                                          {"uptime_ms", "integer"},
                                          {"connections", "integer", "Of the HTTP port, now."},
                                          {"downloads", "integer", "Now."},
                                          {"uploads", "integer", "Now."},
                                          {"requests", "requests"},
                                          {"memory", "memory"},
                                          {"certificates", "[certificate]"},
                                          {"reasons", "[reason]", "What is not as it should be; worst first."}};
constexpr api_field disk_fields[] = {{"path", "string"},
                                     {"state", "healthy|read_only|quarantined|closed"},
                                     {"size_bytes", "integer", "Of the file system."},
                                     {"available_bytes", "integer"},
                                     {"reserve_bytes", "integer", "Kept free: no write uses them."},
                                     {"full", "boolean", "A write found no room, by the reserve, a quota or inodes."},
                                     {"data_bytes", "integer", "Chunks, as stored."},
                                     {"chunks", "integer"},
                                     {"queued_reads", "integer"},
                                     {"queued_writes", "integer"}};
constexpr api_field disks_fields[] = {{"disks", "[disk]"}};
constexpr api_field span_fields[] = {
    {"number", "integer", "Within its request, from 1."},
    {"parent", "integer", "The number of the span that it is within; 0: the request itself."},
    {"name", "string", "authorize, look_up, barrier, commit, read_chunk or write_chunk."},
    {"start_us", "integer", "From the end of the request's head."},
    {"duration_us", "integer"},
    {"outcome", "string?", "Why it failed; cancelled: another read was faster."},
    {"chunk", "integer?", "Its index in its blob."},
    {"bytes", "integer?", "Asked for, or sent."},
    {"node", "integer?", "That was asked; null: none was."},
    {"cached", "boolean", "The bytes were in memory, or another download read them."},
    {"hedge", "boolean", "It was sent in addition to a late request."}};
constexpr api_field slow_request_fields[] = {
    {"time_ms", "integer", "Of its end, in ms since 1970."},
    {"request", "string", "x-amz-request-id."},
    {"address", "string", "Of the client."},
    {"access_key", "string", "That it names, also if it was refused; empty: none."},
    {"operation", "string"},
    {"bucket", "string"},
    {"key", "string"},
    {"status", "integer", "0: the connection ended before an answer."},
    {"total_us", "integer", "From the end of its head to the end of its answer."},
    {"server_us", "integer", "The node's part, until the first byte of the answer: the next three."},
    {"authentication_us", "integer"},
    {"metadata_us", "integer", "Look-ups and commits after it."},
    {"rest_us", "integer", "Of a download the first chunk, of an upload the last chunks and the commit."},
    {"body_us", "integer", "Receiving its body."},
    {"transfer_us", "integer", "From the first byte of the answer to its end."},
    {"trace", "string?", "Its trace id; null: it was not sampled."},
    {"spans", "[span]", "At most 64."},
    {"spans_left_out", "integer", "Further ones; of chunks the longest were kept."}};
constexpr api_field slow_requests_fields[] = {{"requests", "[slow_request]"}};
constexpr api_field grant_fields[] = {
    {"bucket", "string"}, {"read", "boolean"}, {"write", "boolean"}, {"owner", "boolean"}};
constexpr api_field key_fields[] = {{"access_key", "string"},
                                    {"label", "string"},
                                    {"created_ms", "integer"},
                                    {"creates_buckets", "boolean"},
                                    {"user", "string?", "To whom it belongs; null: to no user."},
                                    {"active", "boolean", "An inactive key of a user signs nothing."},
                                    {"grants", "[grant]"}};
constexpr api_field keys_fields[] = {{"keys", "[key]"},
                                     {"next", "string?", "`after` of the next page; null: this is the last."}};
constexpr api_field new_key_fields[] = {{"access_key", "string"}, {"secret_key", "string"}};
constexpr api_field usage_fields[] = {{"objects", "integer", "Keys with a live version."},
                                      {"versions", "integer", "Live and noncurrent ones, without delete markers."},
                                      {"delete_markers", "integer"},
                                      {"bytes", "integer", "Of all versions; replicas are not counted."}};
constexpr api_field quota_fields[] = {
    {"bytes", "integer?", "At most so many, all versions together; null: no limit."},
    {"objects", "integer?", "At most so many, counting each version; null: no limit."}};
constexpr api_field listed_bucket_fields[] = {{"name", "string"},
                                              {"created_ms", "integer"},
                                              {"usage", "usage?", "null: it is not counted yet."},
                                              {"quota", "quota?", "null: it may hold anything."},
                                              {"owner", "string?", "As of the bucket."}};
constexpr api_field buckets_fields[] = {{"buckets", "[listed_bucket]"},
                                        {"next", "string?", "`after` of the next page; null: this is the last."}};
constexpr api_field user_fields[] = {{"id", "string", "Of a user, or an access key that belongs to nobody."},
                                     {"name", "string?", "The user's, or the access key; null: it was deleted."},
                                     {"buckets", "integer?", "That it owns; null: not counted yet."},
                                     {"usage", "usage?", "Of these buckets together; null: not counted yet."},
                                     {"quota", "quota?", "What they may hold together; null: anything."}};
constexpr api_field users_fields[] = {{"users", "[user]"},
                                      {"next", "string?", "`after` of the next page; null: this is the last."}};
constexpr api_field bucket_key_fields[] = {
    {"access_key", "string"}, {"label", "string"}, {"read", "boolean"}, {"write", "boolean"}, {"owner", "boolean"}};
constexpr api_field bucket_fields[] = {
    {"name", "string"},
    {"created_ms", "integer"},
    {"versioning", "never|enabled|suspended"},
    {"public_read", "boolean", "Anybody may list it."},
    {"public_write", "boolean", "Anybody may write its objects."},
    {"public_objects", "boolean", "Anybody may read all its objects."},
    {"cors_rules", "integer"},
    {"lifecycle_rules", "integer"},
    {"usage", "usage?", "What it holds; null: it is not counted yet."},
    {"quota", "quota?", "What it may hold; null: anything."},
    {"owner", "string?",
     "The user, or the access key of nobody, for whose quota it counts; of one that was deleted: its id; null: "
     "nobody."},
    {"keys", "[bucket_key]", "With rights on it; of a key that is not the root key: itself."}};
constexpr api_field object_rights_fields[] = {
    {"list", "boolean"},   {"list_versions", "boolean"},   {"read", "boolean"},      {"write", "boolean"},
    {"delete", "boolean"}, {"delete_versions", "boolean"}, {"read_tags", "boolean"}, {"write_tags", "boolean"}};
constexpr api_field link_fields[] = {{"url", "string"}, {"expires_ms", "integer"}};
constexpr api_field session_fields[] = {
    {"access_key", "string", "Empty: signed in with the admin token."},
    {"operator", "boolean", "It may do everything."},
    {"csrf", "string", "For the header Cairn-CSRF of changes; empty: the request had the admin token."}};

constexpr api_schema all_schemas[] = {{"refusal", refusal_fields},
                                      {"done", done_fields},
                                      {"configuration", configuration_fields},
                                      {"reason", reason_fields},
                                      {"node", node_fields},
                                      {"auto_out", auto_out_fields},
                                      {"waiting", waiting_fields},
                                      {"cluster", cluster_fields},
                                      {"nodes", nodes_fields},
                                      {"move", move_fields},
                                      {"moves", moves_fields},
                                      {"memory", memory_fields},
                                      {"requests", requests_fields},
                                      {"certificate", certificate_fields},
                                      {"this_node", this_node_fields},
                                      {"disk", disk_fields},
                                      {"disks", disks_fields},
                                      {"span", span_fields},
                                      {"slow_request", slow_request_fields},
                                      {"slow_requests", slow_requests_fields},
                                      {"grant", grant_fields},
                                      {"key", key_fields},
                                      {"keys", keys_fields},
                                      {"new_key", new_key_fields},
                                      {"usage", usage_fields},
                                      {"quota", quota_fields},
                                      {"listed_bucket", listed_bucket_fields},
                                      {"buckets", buckets_fields},
                                      {"user", user_fields},
                                      {"users", users_fields},
                                      {"bucket_key", bucket_key_fields},
                                      {"bucket", bucket_fields},
                                      {"object_rights", object_rights_fields},
                                      {"link", link_fields},
                                      {"session", session_fields}};

} // namespace

std::span<const api_schema> api_schemas() {
  return all_schemas;
}

} // namespace cairn::net
