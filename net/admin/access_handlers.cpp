#include "base/error.hpp"
#include "net/admin/admin_api.hpp"
#include "net/admin/api_handlers.hpp"
#include "net/admin/cluster_page.hpp"
#include "net/admin/objects/object_request.hpp"
#include "net/admin/objects/object_rights.hpp"
#include "net/s3/key_secret.hpp"
#include "net/wire/grammar/base64.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <span>

namespace cairn::net {

namespace http = boost::beast::http;

namespace {

namespace rows_of = storage::metadata;

constexpr std::uint32_t page_max = 1000;

std::string parameter(const api_call& call, std::string_view name) {
  const auto* value = call.target.find(name);
  return value ? *value : std::string{};
}

// Of the type "integer" in the table, so that its digits have been checked. nullopt: it is not given.
std::optional<std::uint64_t> integer(const api_call& call, std::string_view name) {
  const auto* text = call.target.find(name);
  if (!text) return std::nullopt;
  std::uint64_t n = 0;
  std::from_chars(text->data(), text->data() + text->size(), n);
  return n;
}

// `otherwise`, if the request has no "max".
result<std::uint32_t> page_size(const api_call& call, std::uint32_t otherwise) {
  const auto n = integer(call, "max");
  if (!n) return otherwise;
  if (*n < 1 || *n > page_max) return error{errc::invalid_argument, "max: expected 1 to 1000"};
  return static_cast<std::uint32_t>(*n);
}

json_value next_or_null(bool more, const std::string& next) {
  return more ? json_value(next) : json_value{};
}

// ── sessions ──

bool equal_secret(std::string_view a, std::string_view b) {
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); };
  return equal_in_constant_time(bytes(a), bytes(b));
}

json_object session_object(const console_session& s) {
  return {{"access_key", s.key}, {"operator", s.is_operator}, {"csrf", s.csrf}};
}

std::string cookie_line(const api_services& services, const std::string& id, std::chrono::seconds age) {
  return services.cookie + "=" + id + "; Path=/v1; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(age.count()) +
         (services.encrypted ? "; Secure" : "");
}

// A sign-in gets a new id: one that somebody planted in the browser before stays worthless.
admin_answer begin_session(const api_services& services, const std::string& earlier, std::string key,
                           bool is_operator) {
  services.sessions.end(earlier);
  const auto begun = services.sessions.begin(std::move(key), is_operator);
  if (services.record) services.record->who = audit_name_of({.is_operator = is_operator, .session = begun.session});
  auto r = json_response(session_object(begun.session));
  r.set(http::field::set_cookie, cookie_line(services, begun.id, session_age_max));
  return {std::move(r)};
}

admin_answer wrong_secret(answer_format format) {
  auto r = refusal(http::status::unauthorized, {errc::access_denied, "the access key or its secret is wrong"}, format);
  r.set(http::field::www_authenticate, "Cairn-Token");
  return {std::move(r), true};
}

struct credentials {
  std::string key, secret;
};

std::optional<credentials> basic_credentials(const admin_request& asked) {
  constexpr std::string_view scheme = "Basic ";
  const auto sent = find_field(asked, "Authorization");
  if (!sent || !sent->starts_with(scheme)) return std::nullopt;
  const auto decoded = base64_decode(sent->substr(scheme.size()));
  const auto colon = decoded ? decoded->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return credentials{decoded->substr(0, colon), decoded->substr(colon + 1)};
}

// ── buckets ──

json_array keys_of_bucket(const std::vector<rows_of::access_key_row>& keys, bucket_id bucket) {
  json_array out;
  for (const auto& key : keys) {
    const auto rights = key.rights_on(bucket);
    if (rights == 0) continue;
    json_object one{{"access_key", key.id}, {"label", key.label}};
    add_rights(one, rights);
    out.push_back(std::move(one));
  }
  return out;
}

json_value usage_json(const std::optional<rows_of::usage>& u) {
  if (!u) return {};
  return json_object{
      {"objects", u->objects}, {"versions", u->versions}, {"delete_markers", u->markers}, {"bytes", u->bytes}};
}

json_value quota_json(const rows_of::bucket_quota& q) {
  const auto limit = [](std::uint64_t max) { return max == 0 ? json_value{} : json_value(max); };
  if (q.empty()) return {};
  return json_object{{"bytes", limit(q.bytes_max)}, {"objects", limit(q.versions_max)}};
}

// Whether the bucket's list grants the permission to everybody.
bool grants_to_all(const rows_of::bucket_row& b, std::uint8_t permission, bool canned) {
  return b.grants ? (held_by(*b.grants, {}).as_anybody & permission) != 0 : canned;
}

json_value owner_json(const std::string& owner) {
  return owner.empty() ? json_value{} : json_value(owner);
}

// What is not in its row.
struct counted_bucket {
  std::optional<rows_of::usage> used{};
  std::string owner{};
};

json_object bucket_object(const rows_of::bucket_row& b, const counted_bucket& counted, json_array keys) {
  constexpr std::array versioning{"never", "enabled", "suspended"};
  return {{"name", b.name},
          {"created_ms", b.created},
          {"versioning", versioning[std::min<std::size_t>(b.versioning, 2)]},
          {"public_read", grants_to_all(b, storage::policy::permission::read, b.public_read)},
          {"public_write", grants_to_all(b, storage::policy::permission::write, b.public_write)},
          {"public_objects", b.public_objects},
          {"cors_rules", b.cors.size()},
          {"lifecycle_rules", b.lifecycle.size()},
          {"usage", usage_json(counted.used)},
          {"quota", quota_json(b.quota)},
          {"owner", owner_json(counted.owner)},
          {"keys", std::move(keys)}};
}

// ── keys ──

void run_parsed(api_services& services, result<key_command> parsed, answer_format format, const admin_done& done) {
  if (!parsed) return done({refusal(parsed.error(), format)});
  if (!services.node) return done({refusal(node_not_open(), format)});
  if (parsed->kind == key_request::create) parsed->key = new_access_key(*services.node->keys.random);
  if (services.record && services.record->subject.empty()) services.record->subject = parsed->key;
  const char* type = parsed->json ? "application/json" : "text/plain; charset=utf-8";
  run_key_command(services.node->keys, std::move(*parsed), [type, format, done](result<std::string> outcome) {
    done({outcome ? text_response(http::status::ok, std::move(*outcome), type) : refusal(outcome.error(), format)});
  });
}

// ── quotas ──

template <class Command>
std::string quota_text(const std::string& whose, const Command& c) {
  std::string out;
  const auto add = [&](const std::optional<std::uint64_t>& max, const char* of) {
    if (!max) return;
    out += out.empty() ? whose + " may hold " : ", ";
    out += (*max == 0 ? std::string{"any number of "} : "at most " + std::to_string(*max) + " ") + of;
  };
  add(c.bytes_max, "bytes");
  add(c.versions_max, "objects");
  return out;
}

// Some errors of commands have no text for people.
error with_reason(error why) {
  if (why == errc::no_such_bucket) why.text = "there is no such bucket";
  if (why == errc::no_such_identity && why.text.empty()) why.text = "there is no such user";
  if (why == errc::unsupported) why.text = "quotas need all nodes of the cluster to be upgraded first";
  return why;
}

// `what`: the answer for people, once it is done.
void commit_setting(const api_services& services, const api_call& call, rows_of::command command,
                    const std::string& what, const admin_done& done) {
  if (!services.node) return done({refusal(node_not_open(), call.format)});
  actors::ask_metadata<actors::committed>(
      services.node->keys.node,
      [format = call.format, what, done](const result<actors::committed>& set) {
        if (!set) return done({refusal(with_reason(set.error()), format)});
        if (format == answer_format::text) return done({text_response(http::status::ok, what + "\n")});
        done({json_response(json_object{{"done", what}})});
      },
      actors::commit_atom_v, actors::command_box{std::make_shared<const rows_of::command>(std::move(command))});
}

template <class Command>
void change_quota(const api_services& services, const api_call& call, const std::string& whose, Command command,
                  const admin_done& done) {
  command.bytes_max = integer(call, "bytes");
  command.versions_max = integer(call, "objects");
  if (call.request.method() == http::verb::delete_)
    command.bytes_max = command.versions_max = 0u;
  else if (!command.bytes_max && !command.versions_max)
    return done({refusal({errc::invalid_argument, "expected bytes= or objects="}, call.format)});
  const auto what = quota_text(whose, command);
  commit_setting(services, call, std::move(command), what, done);
}

json_object user_object(const rows_of::bucket_owner& o) {
  return {{"id", o.id},
          {"name", owner_json(o.name)},
          {"buckets", o.counted ? json_value(o.buckets) : json_value{}},
          {"usage", usage_json(o.counted)},
          {"quota", quota_json(o.quota)}};
}

void ask_users(const api_services& services, const api_call& call, rows_of::identity_query query,
               std::function<json_object(const rows_of::identity_page&)> show, const admin_done& done) {
  if (!services.node) return done({refusal(node_not_open(), call.format)});
  query.kind = rows_of::identity_kind::bucket_owner;
  actors::ask_metadata<actors::found_identities>(
      services.node->keys.node,
      [format = call.format, show = std::move(show), done](const result<actors::found_identities>& found) {
        if (!found) return done({refusal(with_reason(found.error()), format)});
        done({json_response(show(**found))});
      },
      actors::list_atom_v, query);
}

// ── objects ──

// The access key that signs a session's requests of S3. access_denied: the admin token's session has none;
// secret_sealed.
result<client_credentials> signer_of(const api_services& services, const api_caller& caller) {
  if (!caller.session || caller.session->key.empty())
    return error{errc::access_denied, "sign in with an access key: the admin token has no rights on objects"};
  const auto& region = services.node->objects.region;
  if (caller.key) {
    const auto secret = clear_secret(*caller.key, services.node->keys.node.sealing.get());
    if (!secret) return secret.error();
    return client_credentials{caller.key->id, *secret, region};
  }
  return client_credentials{services.options.root_access_key, services.options.root_secret_key, region};
}

// "http://HOST": the S3 port under the host name under which this one was asked.
std::string own_endpoint(const api_services& services, const admin_request& asked) {
  const auto& s3 = services.node->objects;
  auto host = view_of(asked[http::field::host]);
  if (const auto colon = host.rfind(':'); colon != host.npos && host.find(']', colon) == host.npos)
    host = host.substr(0, colon);
  std::string out = s3.encrypted ? "https://" : "http://";
  out += host;
  // Clients leave out the usual port in Host, which the signature covers.
  if (s3.port != (s3.encrypted ? 443 : 80)) out += ':' + std::to_string(s3.port);
  return out;
}

} // namespace

void handle_objects(api_services& services, const api_call& call, const admin_done& done) {
  if (!services.node || !services.node->objects.adopt) return done({refusal(node_not_open(), call.format)});
  const auto signer = signer_of(services, call.caller);
  if (!signer) return done({refusal(signer.error(), call.format)});
  const auto method = view_of(call.request.method_string());
  auto head = signed_head({method, call.subject, call.target.query, call.request, services.node->objects.operations},
                          *signer, services.clock.wall());
  if (!head) return done({refusal(head.error(), call.format)});
  done({.response = {}, .s3_head = std::move(*head), .adopt = services.node->objects.adopt});
}

void handle_object_rights(api_services& services, const api_call& call, const admin_done& done) {
  if (!services.node) return done({refusal(node_not_open(), call.format)});
  const auto signer = signer_of(services, call.caller);
  if (!signer) return done({refusal(signer.error(), call.format)});
  actors::access_query query;
  query.bucket = call.subject;
  actors::ask_metadata<actors::found_access>(
      services.node->keys.node,
      [node = services.node, now = services.clock.wall(), encrypted = services.encrypted, address = call.address,
       access_key = signer->access_key, key = call.caller.key, object = parameter(call, "key"),
       agent = std::string{field_of(call.request, "User-Agent")}, format = call.format,
       done](const result<actors::found_access>& found) {
        if (!found) return done({refusal(found.error(), format)});
        if (!found->bucket) return done({refusal({errc::no_such_bucket}, format)});
        json_object rights;
        for (const auto& [name, has] : object_rights({key,
                                                      access_key,
                                                      *found->bucket,
                                                      object,
                                                      {address, encrypted, now, node->objects.region},
                                                      agent,
                                                      node->objects.operations}))
          rights[name] = has;
        done({json_response(rights)});
      },
      actors::access_atom_v, query);
}

void handle_object_link(api_services& services, const api_call& call, const admin_done& done) {
  if (!services.node) return done({refusal(node_not_open(), call.format)});
  const auto signer = signer_of(services, call.caller);
  if (!signer) return done({refusal(signer.error(), call.format)});
  object_link link{parameter(call, "endpoint"), call.subject, parameter(call, "key"), parameter(call, "version"),
                   integer(call, "seconds").value_or(0)};
  if (link.endpoint.empty()) link.endpoint = own_endpoint(services, call.request);
  const auto now = services.clock.wall();
  const auto url = presigned_url(link, *signer, now);
  if (!url) return done({refusal(url.error(), call.format)});
  done({json_response(json_object{{"url", *url}, {"expires_ms", now + static_cast<wall_ms>(link.seconds) * 1000}})});
}

void handle_sign_in(api_services& services, const api_call& call, const admin_done& done) {
  const auto origin = find_field(call.request, "Origin");
  if (origin && !is_same_origin(origin, view_of(call.request[http::field::host]), services.encrypted))
    return done({refusal({errc::access_denied, "the header Origin is not this port's"}, call.format)});
  if (!is_own_page(find_field(call.request, "Sec-Fetch-Site")))
    return done({refusal({errc::access_denied, "a page of another origin sends this"}, call.format)});
  const std::string earlier{cookie_of(field_of(call.request, "Cookie"), services.cookie)};
  if (call.caller.is_operator) return done(begin_session(services, earlier, {}, true));
  const auto sent = basic_credentials(call.request);
  if (!sent) return done(wrong_secret(call.format));
  if (services.record) {
    services.record->who = "unverified";
    services.record->access_key = sent->key;
  }
  const auto& options = services.options;
  if (!options.root_access_key.empty() && sent->key == options.root_access_key)
    return done(equal_secret(sent->secret, options.root_secret_key) ? begin_session(services, earlier, sent->key, true)
                                                                    : wrong_secret(call.format));
  if (!rows_of::valid_access_key(sent->key)) return done(wrong_secret(call.format));
  if (!services.node) return done({refusal(node_not_open(), call.format)});
  actors::access_query query;
  query.key = sent->key;
  actors::ask_metadata<actors::found_access>(
      services.node->keys.node,
      [services, earlier, sent = *sent, format = call.format, done](const result<actors::found_access>& found) {
        if (!found) return done({refusal(found.error(), format)});
        if (!found->key) return done(wrong_secret(format));
        const auto secret = clear_secret(*found->key, services.node->keys.node.sealing.get());
        if (!secret) return done({refusal(secret.error(), format)});
        done(equal_secret(sent.secret, *secret) ? begin_session(services, earlier, sent.key, false)
                                                : wrong_secret(format));
      },
      actors::access_atom_v, query);
}

void handle_session(api_services&, const api_call& call, const admin_done& done) {
  done({json_response(session_object(call.caller.session.value_or(console_session{{}, {}, true})))});
}

void handle_sign_out(api_services& services, const api_call& call, const admin_done& done) {
  services.sessions.end(call.caller.session_id);
  auto r = json_response(json_object{{"done", "signed out"}});
  r.set(http::field::set_cookie, cookie_line(services, {}, std::chrono::seconds{0}));
  done({std::move(r)});
}

void change_keys(api_services& services, const request_target& target, answer_format format, const admin_done& done) {
  run_parsed(services, parse_key_command(target), format, done);
}

void handle_key_command(api_services& services, const api_call& call, const admin_done& done) {
  const auto kind = key_request_of(call.row.command);
  CAIRN_ASSERT(kind.has_value());
  key_command command{.kind = *kind, .json = call.format != answer_format::text};
  (*kind == key_request::public_read ? command.bucket : command.key) = call.subject;
  run_parsed(services, complete_key_command(std::move(command), call.target), call.format, done);
}

void handle_keys(api_services& services, const api_call& call, const admin_done& done) {
  const auto max = page_size(call, 0);
  if (!max) return done({refusal(max.error(), call.format)});
  if (!services.node) return done({refusal(node_not_open(), call.format)});
  const auto answer = [format = call.format, done](const result<key_page>& page) {
    if (!page) return done({refusal(page.error(), format)});
    if (format == answer_format::text)
      return done({text_response(http::status::ok, keys_answer(page->keys, page->names, false))});
    done({json_response(json_object{{"keys", keys_json(page->keys, page->names)},
                                    {"next", next_or_null(!page->next.empty(), page->next)}})});
  };
  if (call.caller.key) return name_grants(services.node->keys, call.caller.key, answer);
  list_keys(services.node->keys, parameter(call, "after"), *max, answer);
}

void handle_buckets(api_services& services, const api_call& call, const admin_done& done) {
  const auto max = page_size(call, page_max);
  if (!max) return done({refusal(max.error(), call.format)});
  if (!services.node) return done({refusal(node_not_open(), call.format)});
  rows_of::buckets_query query;
  query.prefix = parameter(call, "prefix");
  query.after = parameter(call, "after");
  query.buckets_max = *max;
  query.only_of = call.caller.key;
  query.with_usage = true;
  actors::ask_metadata<actors::buckets_listing>(
      services.node->keys.node,
      [format = call.format, done](const result<actors::buckets_listing>& page) {
        if (!page) return done({refusal(page.error(), format)});
        json_array buckets;
        for (std::size_t i = 0; i < (*page)->buckets.size(); ++i) {
          const auto& b = (*page)->buckets[i];
          buckets.push_back(json_object{{"name", b.name},
                                        {"created_ms", b.created},
                                        {"usage", usage_json((*page)->usages[i])},
                                        {"quota", quota_json((*page)->quotas[i])},
                                        {"owner", owner_json((*page)->owners[i])}});
        }
        done({json_response(
            json_object{{"buckets", std::move(buckets)}, {"next", next_or_null((*page)->truncated, (*page)->last)}})});
      },
      actors::list_atom_v, query);
}

// The bucket's settings and what it holds, then the keys with rights on it.
void handle_bucket(api_services& services, const api_call& call, const admin_done& done) {
  if (!services.node) return done({refusal(node_not_open(), call.format)});
  const auto keys = services.node->keys;
  const auto with_usage = [keys, format = call.format, only = call.caller.key, done](const rows_of::bucket_row& bucket,
                                                                                     const counted_bucket& counted) {
    if (only) return done({json_response(bucket_object(bucket, counted, keys_of_bucket({*only}, bucket.id)))});
    read_keys(keys, [bucket, counted, format, done](const result<key_page>& page) {
      if (!page) return done({refusal(page.error(), format)});
      done({json_response(bucket_object(bucket, counted, keys_of_bucket(page->keys, bucket.id)))});
    });
  };
  actors::ask_metadata<rows_of::bucket_row>(
      keys.node,
      [keys, with_usage, format = call.format, only = call.caller.key,
       done](const result<rows_of::bucket_row>& bucket) {
        if (!bucket) return done({refusal(bucket.error(), format)});
        if (only && only->rights_on(bucket->id) == 0) return done({refusal({errc::no_such_bucket}, format)});
        rows_of::buckets_query query{.prefix = bucket->name, .buckets_max = 1};
        query.with_usage = true;
        actors::ask_metadata<actors::buckets_listing>(
            keys.node,
            [with_usage, format, bucket = *bucket, done](const result<actors::buckets_listing>& page) {
              if (!page) return done({refusal(page.error(), format)});
              const auto& found = (*page)->buckets; // the first with the prefix: itself, unless it was deleted
              const bool same = !found.empty() && found.front().id == bucket.id;
              with_usage(bucket,
                         same ? counted_bucket{(*page)->usages.front(), (*page)->owners.front()} : counted_bucket{});
            },
            actors::list_atom_v, query);
      },
      actors::bucket_atom_v, actors::bucket_name{call.subject});
}

void handle_quota(api_services& services, const api_call& call, const admin_done& done) {
  change_quota(services, call, call.subject, rows_of::set_bucket_quota{.stamp = {}, .name = call.subject}, done);
}

void handle_owner(api_services& services, const api_call& call, const admin_done& done) {
  rows_of::set_bucket_owner command{.stamp = {}, .name = call.subject, .user = parameter(call, "user")};
  const bool removes = call.request.method() == http::verb::delete_;
  if (!removes && command.user.empty())
    return done({refusal({errc::invalid_argument, "user: expected a name"}, call.format)});
  const auto what = call.subject + " belongs to " + (removes ? "nobody" : command.user);
  commit_setting(services, call, std::move(command), what, done);
}

void handle_users(api_services& services, const api_call& call, const admin_done& done) {
  const auto max = page_size(call, page_max);
  if (!max) return done({refusal(max.error(), call.format)});
  ask_users(
      services, call, {.name = {}, .after = parameter(call, "after"), .max = *max},
      [](const rows_of::identity_page& page) {
        json_array users;
        for (const auto& owner : page.owners) users.push_back(user_object(owner));
        return json_object{{"users", std::move(users)},
                           {"next", next_or_null(page.truncated, page.owners.empty() ? "" : page.owners.back().id)}};
      },
      done);
}

void handle_user(api_services& services, const api_call& call, const admin_done& done) {
  ask_users(
      services, call, {.name = call.subject},
      [](const rows_of::identity_page& page) { return user_object(page.owners.front()); }, done);
}

void handle_user_quota(api_services& services, const api_call& call, const admin_done& done) {
  change_quota(services, call, "the buckets of " + call.subject,
               rows_of::set_user_quota{.stamp = {}, .user = call.subject}, done);
}

} // namespace cairn::net
