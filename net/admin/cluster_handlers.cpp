#include "net/admin/admin_api.hpp"
#include "net/admin/api_handlers.hpp"
#include "net/admin/cluster_page.hpp"
#include "net/admin/cluster_reasons.hpp"

namespace cairn::net {

namespace http = boost::beast::http;

namespace {

using actors::cluster_status_ptr;

// Calls `done` with the answer to a refusal, `take` with any other result; either on any thread.
template <class Answer, class... Message>
void ask_admin_service(const api_services& services, answer_format format, const admin_done& done,
                       std::function<void(const Answer&, const admin_done&)> take, Message... message) {
  if (!services.options.clustered)
    return done({refusal({errc::not_found, "this is a standalone node: cluster.listen is not set"}, format)});
  if (!services.node) return done({refusal(node_not_open(), format)});
  actors::ask_actor<Answer>(
      *services.node->keys.node.system, services.node->admin_service,
      [format, done, take = std::move(take)](const result<Answer>& answered) {
        answered ? take(*answered, done) : done({refusal(answered.error(), format)});
      },
      std::move(message)...);
}

void with_status(api_services& services, const api_call& call, const admin_done& done,
                 std::function<json_object(const actors::cluster_status&)> describe) {
  ask_admin_service<cluster_status_ptr>(
      services, call.format, done,
      [describe = std::move(describe)](const cluster_status_ptr& status, const admin_done& then) {
        then({json_response(describe(*status))});
      },
      actors::status_atom_v);
}

void execute(api_services& services, result<actors::admin_command> parsed, answer_format format,
             const admin_done& done) {
  if (!parsed) return done({refusal(parsed.error(), format)});
  ask_admin_service<std::string>(
      services, format, done,
      [format](const std::string& text, const admin_done& then) {
        then({format == answer_format::text ? text_response(http::status::ok, text + "\n")
                                            : json_response(json_object{{"done", text}})});
      },
      actors::admin_command_atom_v, std::move(*parsed));
}

} // namespace

error node_not_open() {
  return {errc::no_leader, "the node starts"};
}

void answer_cluster(api_services& services, std::string format, answer_format of_errors, const admin_done& done) {
  ask_admin_service<cluster_status_ptr>(
      services, of_errors, done,
      [format = std::move(format)](const cluster_status_ptr& status, const admin_done& then) {
        if (format == "text") return then({text_response(http::status::ok, cluster_text(*status))});
        if (format == "join") return then({text_response(http::status::ok, join_text(*status))});
        then({json_response(cluster_object(*status))});
      },
      actors::status_atom_v);
}

void change_cluster(api_services& services, const request_target& target, answer_format format,
                    const admin_done& done) {
  execute(services, parse_admin_command(target), format, done);
}

void handle_cluster(api_services& services, const api_call& call, const admin_done& done) {
  answer_cluster(services, call.format == answer_format::text ? "text" : "", call.format, done);
}

void handle_nodes(api_services& services, const api_call& call, const admin_done& done) {
  with_status(services, call, done, [](const auto& s) { return json_object{{"nodes", nodes_json(s)}}; });
}

void handle_moves(api_services& services, const api_call& call, const admin_done& done) {
  with_status(services, call, done, moves_object);
}

void handle_join(api_services& services, const api_call& call, const admin_done& done) {
  if (call.format == answer_format::text) return answer_cluster(services, "join", call.format, done);
  with_status(services, call, done, [](const auto& s) { return json_object{{"configuration", join_text(s)}}; });
}

void handle_verb(api_services& services, const api_call& call, const admin_done& done) {
  const auto& asked = call.target;
  const auto* node = call.subject.empty() ? asked.find("node") : &call.subject;
  auto command = make_admin_command(*call.row.verb, {node, asked.find("value"), asked.find("id")});
  execute(services, std::move(command), call.format, done);
}

} // namespace cairn::net
