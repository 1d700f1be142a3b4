#include "net/admin/api_table.hpp"

#include "actors/protocol/admin_command.hpp"
#include "net/admin/api_handlers.hpp"

#include <algorithm>
#include <array>

namespace cairn::net {

namespace {

using actors::admin_verb;
using boost::beast::http::verb;
using params = std::span<const api_parameter>;

constexpr api_parameter value_weight[] = {{"value", "integer", true, "The weight, 0 to 1000000000."}};
constexpr api_parameter value_zone[] = {{"value", "string", true, "The failure zone: a rack, a room."}};
constexpr api_parameter value_hold[] = {{"value", "hold|release", true, "Hold deletions, or release them."}};
constexpr api_parameter value_on[] = {{"value", "on|off", true, "Whether anybody may list and read it."}};
constexpr api_parameter of_voters[] = {{"node", "string", true, "The voters, separated by commas."}};
constexpr api_parameter of_invitation[] = {
    {"value", "integer", true, "For how many seconds it may be used, 1 to 2592000."},
    {"id", "string", false, "The node to let in. Without it the answer is a one-time token."}};
constexpr api_parameter of_new_key[] = {{"label", "string", false, "For people."},
                                        {"create_buckets", "yes|no", false, "Whether it may create buckets."}};
constexpr api_parameter of_rights[] = {{"bucket", "string", false, "The bucket, together with rights."},
                                       {"rights", "string", false, "Of read, write and owner, separated by commas."},
                                       {"create_buckets", "yes", false, "The right to create buckets."}};
constexpr api_parameter of_bucket_page[] = {
    {"prefix", "string", false, "Only those whose names begin so."},
    {"after", "string", false, "Begin behind this one: `next` of the page before."},
    {"max", "integer", false, "At most so many, 1 to 1000. Without it: 1000."}};
constexpr api_parameter of_quota[] = {
    {"bytes", "integer", false, "At most so many bytes, all versions together; 0 removes this limit."},
    {"objects", "integer", false, "At most so many objects, counting each version; 0 removes this limit."}};
constexpr api_parameter owner_parameters[] = {
    {"user", "string", true, "The name of a user, or an access key that belongs to nobody."}};
constexpr api_parameter of_user_page[] = {
    {"after", "string", false, "Begin behind this id: `next` of the page before."},
    {"max", "integer", false, "At most so many, 1 to 1000. Without it: 1000."}};
constexpr api_parameter object_parameter[] = {
    {"key", "string", false, "An object, or a prefix. Without it: the bucket."}};
constexpr api_parameter of_object_link[] = {
    {"key", "string", true, "The object."},
    {"version", "string", false, "Its version. Without it: the one that is current when the link is used."},
    {"seconds", "integer", true, "When the link ends, at most 604800 (7 days)."},
    {"endpoint", "string", false, "Of the S3 port, as the link's users reach it. Without it: the host that is asked."}};
constexpr api_parameter of_key_page[] = {
    {"after", "string", false, "Begin behind this access key: `next` of the page before."},
    {"max", "integer", false, "At most so many, 1 to 1000. Without it: all of them."}};

constexpr params parameters_of(const actors::admin_verb_row& v) {
  switch (v.value) {
    case actors::verb_value::none: return v.subject == actors::verb_subject::nodes ? params{of_voters} : params{};
    case actors::verb_value::weight: return value_weight;
    case actors::verb_value::zone: return value_zone;
    case actors::verb_value::hold_or_release: return value_hold;
    case actors::verb_value::seconds: return of_invitation;
  }
  return {};
}

constexpr api_row verb_row(verb method, std::string_view path, std::string_view name, admin_verb command) {
  const auto* row = actors::find_verb(command);
  return {method, path, api_right::operators, name, row->name, {}, &handle_verb, parameters_of(*row), "done",
          true,   row};
}
constexpr api_row read_row(std::string_view path, std::string_view name, std::string_view summary, auto handle,
                           std::string_view schema, bool text = false) {
  return {verb::get, path, api_right::anyone, name, {}, summary, handle, {}, schema, text};
}
constexpr api_row key_row(verb method, std::string_view path, std::string_view name, std::string_view command,
                          std::string_view summary, params parameters, std::string_view schema = "done") {
  return {method, path, api_right::operators, name, command, summary, &handle_key_command, parameters, schema, true};
}

constexpr std::array all_rows{
    read_row("/v1/openapi.json", "document", "This document.", &handle_document, ""),
    read_row("/v1/node", "node", "The node that is asked: its build, load, memory and certificates.", &handle_node,
             "this_node"),
    read_row("/v1/disks", "disks", "The disks of the node that is asked.", &handle_disks, "disks"),
    api_row{
        verb::get,
        "/v1/slow-requests",
        api_right::operators,
        "slowRequests",
        "",
        "The last requests that took the node that is asked longer than log.slow_request, at most 64; newest first.",
        &handle_slow_requests,
        {},
        "slow_requests"},
    read_row("/v1/cluster", "cluster", "The cluster, its nodes, and why something waits, in sentences.",
             &handle_cluster, "cluster", true),
    read_row("/v1/nodes", "nodes", "The nodes of the cluster.", &handle_nodes, "nodes"),
    read_row("/v1/moves", "moves", "Partitions that move, repairs that wait, and why.", &handle_moves, "moves"),
    read_row("/v1/cluster/join", "join", "What a new node's configuration must have, as TOML.", &handle_join,
             "configuration", true),
    verb_row(verb::post, "/v1/nodes/{node}/drain", "drain", admin_verb::drain),
    verb_row(verb::post, "/v1/nodes/{node}/activate", "activate", admin_verb::activate),
    verb_row(verb::delete_, "/v1/nodes/{node}", "remove", admin_verb::remove),
    verb_row(verb::put, "/v1/nodes/{node}/weight", "weight", admin_verb::weight),
    verb_row(verb::put, "/v1/nodes/{node}/zone", "zone", admin_verb::zone),
    verb_row(verb::put, "/v1/cluster/voters", "voters", admin_verb::voters),
    verb_row(verb::post, "/v1/cluster/repair", "repair", admin_verb::repair),
    verb_row(verb::get, "/v1/cluster/lost", "lost", admin_verb::lost),
    verb_row(verb::post, "/v1/cluster/forget-lost", "forgetLost", admin_verb::forget),
    verb_row(verb::put, "/v1/cluster/deletions", "deletions", admin_verb::deletions),
    verb_row(verb::post, "/v1/cluster/invitations", "invite", admin_verb::add),
    api_row{verb::get, "/v1/keys", api_right::signed_in, "keys", "",
            "The access keys and their rights, by id; of a key that is not the root key: itself.", &handle_keys,
            of_key_page, "keys", true},
    key_row(verb::post, "/v1/keys", "createKey", "create", "Makes an access key. Its secret is shown only now.",
            of_new_key, "new_key"),
    key_row(verb::post, "/v1/keys/seal", "sealKeys", "seal",
            "Seals the secrets of all access keys with the first sealing key of the node that is asked.", {}),
    key_row(verb::delete_, "/v1/keys/{key}", "deleteKey", "delete", "Deletes an access key.", {}),
    key_row(verb::put, "/v1/keys/{key}/rights", "allow", "allow", "Gives a key rights.", of_rights),
    key_row(verb::delete_, "/v1/keys/{key}/rights", "deny", "deny", "Takes rights from a key.", of_rights),
    api_row{verb::get, "/v1/buckets", api_right::signed_in, "buckets", "",
            "The buckets by name; of a key that is not the root key: those that it has rights on.", &handle_buckets,
            of_bucket_page, "buckets"},
    api_row{verb::get,
            "/v1/buckets/{bucket}",
            api_right::signed_in,
            "bucket",
            "",
            "The settings of a bucket, and which keys have rights on it.",
            &handle_bucket,
            {},
            "bucket"},
    api_row{verb::get, "/v1/buckets/{bucket}/may", api_right::signed_in, "objectRights", "",
            "What the session's access key may do with objects. The admin token has no rights on objects.",
            &handle_object_rights, object_parameter, "object_rights"},
    api_row{verb::post, "/v1/buckets/{bucket}/links", api_right::signed_in, "shareObject", "",
            "Makes a presigned URL: who has it can read the object until it ends, as the session's access key.",
            &handle_object_link, of_object_link, "link"},
    key_row(verb::put, "/v1/buckets/{bucket}/public-read", "publicRead", "public-read",
            "Lets anybody list a bucket and read its objects, or not.", value_on),
    api_row{verb::put, "/v1/buckets/{bucket}/quota", api_right::operators, "setQuota", "",
            "Limits what a bucket may hold. A limit that is not given stays.", &handle_quota, of_quota, "done", true},
    api_row{verb::delete_,
            "/v1/buckets/{bucket}/quota",
            api_right::operators,
            "removeQuota",
            "",
            "Removes the limits of what a bucket may hold.",
            &handle_quota,
            {},
            "done",
            true},
    api_row{verb::put, "/v1/buckets/{bucket}/owner", api_right::operators, "setOwner", "",
            "Lets a bucket count for the quota of a user, or of an access key that belongs to nobody.", &handle_owner,
            owner_parameters, "done", true},
    api_row{verb::delete_,
            "/v1/buckets/{bucket}/owner",
            api_right::operators,
            "removeOwner",
            "",
            "Lets a bucket count for nobody's quota.",
            &handle_owner,
            {},
            "done",
            true},
    api_row{verb::get, "/v1/users", api_right::operators, "users", "",
            "The users, and the access keys of nobody, that own buckets or have a quota, by id.", &handle_users,
            of_user_page, "users"},
    api_row{verb::get,
            "/v1/users/{user}",
            api_right::operators,
            "user",
            "",
            "What the buckets of a user, or of an access key that belongs to nobody, hold and may hold.",
            &handle_user,
            {},
            "user"},
    api_row{verb::put, "/v1/users/{user}/quota", api_right::operators, "setUserQuota", "",
            "Limits what all buckets of a user may hold together. A limit that is not given stays.", &handle_user_quota,
            of_quota, "done", true},
    api_row{verb::delete_,
            "/v1/users/{user}/quota",
            api_right::operators,
            "removeUserQuota",
            "",
            "Removes the limits of what the buckets of a user may hold.",
            &handle_user_quota,
            {},
            "done",
            true},
    api_row{verb::post,
            "/v1/session",
            api_right::anyone,
            "signIn",
            "",
            "Begins a session of the console: with an access key and its secret (Basic), or with the admin token.",
            &handle_sign_in,
            {},
            "session"},
    api_row{verb::get,
            "/v1/session",
            api_right::signed_in,
            "session",
            "",
            "Whose session this is.",
            &handle_session,
            {},
            "session"},
    api_row{verb::delete_,
            "/v1/session",
            api_right::signed_in,
            "signOut",
            "",
            "Ends the session.",
            &handle_sign_out,
            {},
            "done"},
};

// Every command of operators can be given.
static_assert(std::ranges::all_of(actors::admin_verbs, [](const auto& v) {
  return std::ranges::any_of(all_rows, [&v](const api_row& r) { return r.command == v.name; });
}));

// The part of `path` that stands for the braces of `pattern`; nullopt: they do not match.
std::optional<std::string_view> match_path(std::string_view pattern, std::string_view path) {
  const auto open = pattern.find('{');
  if (open == pattern.npos) return pattern == path ? std::optional{std::string_view{}} : std::nullopt;
  const auto before = pattern.substr(0, open), after = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after))
    return std::nullopt;
  const auto subject = path.substr(before.size(), path.size() - before.size() - after.size());
  return subject.find('/') == subject.npos ? std::optional{subject} : std::nullopt;
}

constexpr std::size_t integer_digits_max = 19; // fits into 64 bits

bool is_value_of(std::string_view type, const std::string& value) {
  if (type == "integer")
    return !value.empty() && value.size() <= integer_digits_max &&
           std::ranges::all_of(value, [](char c) { return c >= '0' && c <= '9'; });
  if (type == "string") return true;
  for (auto left = type; !left.empty();) {
    const auto one = left.substr(0, left.find('|'));
    if (one == value) return true;
    left.remove_prefix(std::min(left.size(), one.size() + 1));
  }
  return false;
}

} // namespace

std::span<const api_row> api_rows() {
  return all_rows;
}

api_match find_api_row(verb method, std::string_view path) {
  api_match out;
  if (method == verb::head) method = verb::get;
  for (const auto& row : all_rows) {
    const auto subject = match_path(row.path, path);
    if (!subject) continue;
    const auto name = boost::beast::http::to_string(row.method);
    out.allowed.append(out.allowed.empty() ? "" : ", ").append(name.data(), name.size());
    if (row.method != method) continue;
    auto decoded = percent_decode(*subject, false);
    if (!decoded) continue;
    out.row = &row;
    out.subject = std::move(*decoded);
  }
  return out;
}

result<void> check_parameters(const api_row& row, const request_target& asked) {
  const auto wrong_parameter = [](std::string text) { return error{errc::invalid_argument, std::move(text)}; };
  for (const auto& given : asked.query) {
    if (given.name == "format" && row.text) {
      if (given.value == "text" || given.value == "json") continue;
      return wrong_parameter("format is json or text");
    }
    const auto known = std::ranges::find(row.parameters, given.name, &api_parameter::name);
    if (known == row.parameters.end()) return wrong_parameter("there is no parameter \"" + given.name + "\" here");
    if (!is_value_of(known->type, given.value))
      return wrong_parameter(given.name + ": expected " + std::string{known->type} + ", got \"" + given.value + "\"");
  }
  for (const auto& p : row.parameters)
    if (p.required && !asked.find(p.name)) return wrong_parameter("expected " + std::string{p.name} + "=");
  return {};
}

std::string_view summary_of(const api_row& row) {
  if (!row.summary.empty()) return row.summary;
  const std::string_view help = row.verb->help;
  return help.substr(0, help.find("\n\n")); // the examples are for the command line
}

} // namespace cairn::net
