#include "net/gateway/sts_calls.hpp"

#include "net/gateway/ask.hpp"
#include "net/iam/iam_documents.hpp"
#include "net/iam/sts_actions.hpp"
#include "net/s3/access.hpp"
#include "net/wire/grammar/base64.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
using storage::policy::action;

struct sts_call {
  session_ptr session;
  std::string action;
  sts_request request;
  metadata::sts_session made{}; // of the credentials
};
using call_ptr = std::shared_ptr<sts_call>;

template <class Array>
Array random_bytes(random_source& random) {
  Array bytes{};
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const auto word = random.next();
    std::memcpy(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at));
  }
  return bytes;
}

void answer(const call_ptr& call, std::string_view result) {
  auto& session = *call->session;
  const auto document = iam_document(call->action, result, session.current().basics.request_id, sts_name_space);
  session.respond(200, whole_answer(200, session.basics(), "text/xml", document));
}

void seal(const call_ptr& call, const metadata::token_keys& keys) {
  auto& random = call->session->shared().random;
  temporary_credentials made;
  made.access_key = std::string{metadata::temporary_key_prefix} + random_letters(random, key_letters, id_alphabet);
  made.contents.secret = random_letters(random, secret_letters, secret_alphabet);
  made.contents.session = call->made;
  const auto nonce = random_bytes<std::array<std::byte, metadata::token_nonce_bytes>>(random);
  const auto* const sealing = call->session->shared().services.sealing.get();
  const auto token = metadata::seal_token(keys.back(), sealing, made.access_key, made.contents, nonce);
  if (!token) return call->session->respond_failure(token.error());
  made.token = base64url_encode(*token);
  answer(call, credentials_answer(made));
}

template <class Then>
void read_rows(const call_ptr& call, metadata::identity_kind kind, std::string name, const Then& then) {
  metadata::identity_query wanted;
  wanted.kind = kind;
  wanted.name = std::move(name);
  ask_result<actors::found_identities>(call->session, then, actors::list_atom_v, wanted);
}

// With the metadata's keys of now; the first one, or a fresh one, is made by a command.
void issue(const call_ptr& call, const metadata::token_keys& keys) {
  auto& shared = call->session->shared();
  const auto* const sealing = shared.services.sealing.get();
  if (!metadata::wants_token_key(keys, sealing, shared.clock.wall())) return seal(call, keys);
  const auto bytes = random_bytes<std::array<char, metadata::token_key_bytes>>(shared.random);
  auto renewed = std::make_shared<const metadata::command>(metadata::renew_token_key{
      .stamp = {},
      .now = shared.clock.wall(),
      .key = metadata::stored_token_key({bytes.data(), bytes.size()}, sealing, shared.random)});
  ask<actors::committed>(
      call->session,
      [call](const actors::committed&) {
        read_rows(call, metadata::identity_kind::token_key_list, {},
                  [call](const result<actors::found_identities>& found) {
                    if (!found) return call->session->respond_failure(found.error());
                    if ((*found)->sealing.empty())
                      return call->session->respond_failure(error{errc::busy, "no token key yet"});
                    seal(call, (*found)->sealing);
                  });
      },
      actors::commit_atom_v, actors::command_box{std::move(renewed)});
}

void begin_session(const call_ptr& call) {
  auto& made = call->made;
  made.issued = call->session->shared().clock.wall();
  made.expires = made.issued + wall_ms{call->request.seconds} * 1000;
  made.policy = call->request.policy;
}

s3_error not_authorized(const call_ptr& call) {
  return access_denied("Not authorized to perform: sts:AssumeRole on resource: " + iam_arn_of(call->request.role));
}

// Who may not assume the role does not learn whether it exists.
void assume(const call_ptr& call, const metadata::identity_page& page) {
  const auto& request = call->session->current();
  const auto& role = page.roles.front();
  if (metadata::resource_of(role) != call->request.role) return call->session->respond_error(not_authorized(call));
  const auto with = with_sts_keys(request.by.asked->with, call->request);
  if (const auto refused = metadata::assumption_refused(role, *request.key, with))
    return call->session->respond_failure(*refused);
  if (const auto refused = refused_time(call->request, *request.key, &role))
    return call->session->respond_error(*refused);
  begin_session(call);
  call->made.of_role = true;
  call->made.name = role.who.name;
  call->made.id = role.who.id;
  call->made.session = call->request.session;
  issue(call, page.sealing);
}

void assume_role(const call_ptr& call) {
  if (!call->session->current().key)
    return call->session->respond_error(access_denied("Roles may not be assumed by root accounts."));
  if (call->request.role.empty()) return call->session->respond_error(access_denied("Not authorized: no role here."));
  read_rows(call, metadata::identity_kind::role, call->request.role_name(),
            [call](const result<actors::found_identities>& found) {
              if (found) return assume(call, **found);
              if (found.error() != errc::no_such_identity) return call->session->respond_failure(found.error());
              call->session->respond_error(not_authorized(call));
            });
}

void get_session_token(const call_ptr& call) {
  const auto& key = call->session->current().key;
  if (!key || !key->of_user || key->of_user->session)
    return call->session->respond_error(access_denied("Cannot call GetSessionToken: only access keys of users can."));
  begin_session(call);
  call->made.name = key->of_user->user.name;
  call->made.id = key->of_user->user.id;
  read_rows(call, metadata::identity_kind::token_key_list, {}, [call](const result<actors::found_identities>& found) {
    if (!found) return call->session->respond_failure(found.error());
    issue(call, (*found)->sealing);
  });
}

void run(const call_ptr& call) {
  switch (call->request.act) {
    case action::sts_assume_role: return assume_role(call);
    case action::sts_get_session_token: return get_session_token(call);
    default: return answer(call, caller_answer(call->session->current().key.get()));
  }
}

} // namespace

std::string random_letters(random_source& random, std::size_t count, std::string_view alphabet) {
  std::string text;
  while (text.size() < count) text.push_back(alphabet[random.next() % alphabet.size()]);
  return text;
}

void sts_api(const session_ptr& session, const std::string& body, iam_query query) {
  auto name = query.text("Action");
  if (const auto act = sts_action_of(name)) {
    const bool makes = *act != action::sts_get_caller_identity;
    if (const auto refused = session->begin_query(*act, makes, query.text("RoleArn")))
      return session->respond_error(*refused);
  }
  session->authenticate_query("sts", body, [session, name = std::move(name), query = std::move(query)] {
    auto read = read_sts(query);
    if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
    run(std::make_shared<sts_call>(sts_call{session, name, std::move(std::get<sts_request>(read))}));
  });
}

} // namespace cairn::net
