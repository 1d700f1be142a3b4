// The handlers of the admin API's table: each answers one row, or the rows of one kind. Called on the strand of the
// admin port or on an actor's thread; `done` may be called later. And what the paths of older builds share with them.
#pragma once

#include "net/admin/admin_http.hpp"
#include "net/wire/grammar/uri.hpp"

namespace cairn::net {

struct api_services;
struct api_call;

void handle_document(api_services& services, const api_call& call, const admin_done& done);
void handle_cluster(api_services& services, const api_call& call, const admin_done& done);
void handle_nodes(api_services& services, const api_call& call, const admin_done& done);
void handle_moves(api_services& services, const api_call& call, const admin_done& done);
void handle_join(api_services& services, const api_call& call, const admin_done& done);
void handle_verb(api_services& services, const api_call& call, const admin_done& done); // row.verb
void handle_node(api_services& services, const api_call& call, const admin_done& done);
void handle_disks(api_services& services, const api_call& call, const admin_done& done);
void handle_slow_requests(api_services& services, const api_call& call, const admin_done& done);
void handle_keys(api_services& services, const api_call& call, const admin_done& done);
void handle_key_command(api_services& services, const api_call& call,
                        const admin_done& done); // the command: a kind of keys_page
void handle_buckets(api_services& services, const api_call& call, const admin_done& done);
void handle_bucket(api_services& services, const api_call& call, const admin_done& done);
// DELETE removes what PUT sets.
void handle_quota(api_services& services, const api_call& call, const admin_done& done);
void handle_owner(api_services& services, const api_call& call, const admin_done& done);
void handle_users(api_services& services, const api_call& call, const admin_done& done);
void handle_user(api_services& services, const api_call& call, const admin_done& done);
void handle_user_quota(api_services& services, const api_call& call, const admin_done& done);
void handle_objects(api_services& services, const api_call& call, const admin_done& done); // admin_api.hpp: /v1/s3/…
void handle_object_rights(api_services& services, const api_call& call, const admin_done& done);
void handle_object_link(api_services& services, const api_call& call, const admin_done& done);
void handle_sign_in(api_services& services, const api_call& call, const admin_done& done);
void handle_sign_out(api_services& services, const api_call& call, const admin_done& done);
void handle_session(api_services& services, const api_call& call, const admin_done& done);

// The cluster's status in `format`: "text", "join", else JSON.
void answer_cluster(api_services& services, std::string format, answer_format of_errors, const admin_done& done);
// Commands in the parameters of a target: cluster_page.hpp, keys_page.hpp.
void change_cluster(api_services& services, const request_target& target, answer_format format, const admin_done& done);
void change_keys(api_services& services, const request_target& target, answer_format format, const admin_done& done);
error node_not_open();

} // namespace cairn::net
