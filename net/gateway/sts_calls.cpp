#include "net/gateway/sts_calls.hpp"

#include "config/rules.hpp"
#include "net/gateway/ask.hpp"
#include "net/iam/iam_documents.hpp"
#include "net/iam/sts_actions.hpp"
#include "net/s3/access.hpp"
#include "net/s3/access_context.hpp"
#include "net/web_identity/json_web_token.hpp"
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
  // Of AssumeRoleWithWebIdentity. issuer: with the audiences for which its tokens are let in.
  std::shared_ptr<identity_provider> provider{};
  config::oidc_issuer issuer{};
  web_token token{};
};
using sts_call_ptr = std::shared_ptr<sts_call>;

template <class Array>
Array random_bytes(random_source& random) {
  Array bytes{};
  for (std::size_t at = 0; at < bytes.size(); at += sizeof(std::uint64_t)) {
    const auto word = random.next();
    std::memcpy(bytes.data() + at, &word, std::min(sizeof word, bytes.size() - at));
  }
  return bytes;
}

void answer_sts(const sts_call_ptr& call, std::string_view result) {
  auto& session = *call->session;
  const auto document = iam_document(call->action, result, session.current().basics.request_id, sts_name_space);
  session.respond(200, whole_answer(200, session.basics(), "text/xml", document));
}

void seal(const sts_call_ptr& call, const metadata::token_keys& keys) {
  auto& random = call->session->shared().random;
  temporary_credentials made;
  made.access_key = std::string{metadata::temporary_key_prefix} + random_letters(random, key_letters, id_alphabet);
  made.contents.secret = random_letters(random, secret_letters, secret_alphabet);
  made.contents.session = call->made;
  if (call->provider) {
    made.subject = call->token.subject;
    made.audience = audience_of(call->token, call->issuer);
    made.provider = storage::policy::provider_arn(config::provider_of(call->token.issuer));
  }
  const auto nonce = random_bytes<std::array<std::byte, metadata::token_nonce_bytes>>(random);
  const auto* const sealing = call->session->shared().services.sealing.get();
  const auto token = metadata::seal_token(keys.back(), sealing, made.access_key, made.contents, nonce);
  if (!token) return call->session->respond_failure(token.error());
  made.token = base64url_encode(*token);
  answer_sts(call, credentials_answer(made));
}

template <class Then>
void read_rows(const sts_call_ptr& call, metadata::identity_kind kind, std::string name, const Then& then) {
  metadata::identity_query wanted;
  wanted.kind = kind;
  wanted.name = std::move(name);
  ask_result<actors::found_identities>(call->session, then, actors::list_atom_v, wanted);
}

// With the metadata's keys of now; the first one, or a fresh one, is made by a command.
void issue(const sts_call_ptr& call, const metadata::token_keys& keys) {
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

void begin_session(const sts_call_ptr& call) {
  auto& made = call->made;
  made.issued = call->session->shared().clock.wall();
  made.expires = made.issued + wall_ms{call->request.seconds} * 1000;
  made.policy = call->request.policy;
}

s3_error not_authorized(const sts_call_ptr& call) {
  if (call->provider) return access_denied("Not authorized to perform sts:AssumeRoleWithWebIdentity");
  return access_denied("Not authorized to perform: sts:AssumeRole on resource: " + iam_arn_of(call->request.role));
}

std::optional<error> refused_key(const sts_call_ptr& call, const metadata::role_row& role) {
  const auto& request = call->session->current();
  const auto& tags = call->made.tags;
  return metadata::assumption_refused(role, *request.key, with_sts_keys(request.by.asked->with, call->request, tags),
                                      !tags.empty());
}

// The request counts as one without a signature, also if it has one.
std::optional<error> refused_web_identity(const sts_call_ptr& call, const metadata::role_row& role) {
  auto& session = *call->session;
  const auto& request = session.current();
  const auto& shared = session.shared();
  const auto asked = describe_access(request, session.fields(),
                                     {request.address, request.encrypted, shared.clock.wall(), shared.region});
  const auto& tags = call->made.tags;
  const auto with = with_claims(with_sts_keys(asked->with, call->request, tags), call->token);
  return metadata::assumption_refused(role, config::provider_of(call->token.issuer), with, !tags.empty());
}

// Who may not assume the role does not learn whether it exists.
void assume(const sts_call_ptr& call, const metadata::identity_page& page) {
  const auto& request = call->session->current();
  const auto& role = page.roles.front();
  if (metadata::resource_of(role) != call->request.role) return call->session->respond_error(not_authorized(call));
  const auto refused = call->provider ? refused_web_identity(call, role) : refused_key(call, role);
  if (refused) return call->session->respond_failure(*refused);
  static const metadata::access_key_row nobody;
  const auto& sender = request.key ? *request.key : nobody;
  if (const auto wrong = refused_time(call->request, sender, &role)) return call->session->respond_error(*wrong);
  begin_session(call);
  call->made.of_role = true;
  call->made.name = role.who.name;
  call->made.id = role.who.id;
  call->made.session = call->request.session;
  issue(call, page.sealing);
}

void look_up_role(const sts_call_ptr& call) {
  if (call->request.role.empty()) return call->session->respond_error(access_denied("Not authorized: no role here."));
  read_rows(call, metadata::identity_kind::role, call->request.role_name(),
            [call](const result<actors::found_identities>& found) {
              if (found) return assume(call, **found);
              if (found.error() != errc::no_such_identity) return call->session->respond_failure(found.error());
              call->session->respond_error(not_authorized(call));
            });
}

// Members of an older build of the cluster could not open a token with tags.
void look_up_role_with_tags(const sts_call_ptr& call, const asked_tags& asked,
                            const metadata::session_tags& inherited) {
  auto tags = tags_of_session(asked, inherited, call->request.policy);
  if (const auto* refused = std::get_if<s3_error>(&tags)) return call->session->respond_error(*refused);
  call->made.tags = std::move(std::get<metadata::session_tags>(tags));
  if (call->made.tags.empty()) return look_up_role(call);
  read_rows(call, metadata::identity_kind::token_key_list, {}, [call](const result<actors::found_identities>& found) {
    if (!found) return call->session->respond_failure(found.error());
    if ((*found)->level < metadata::feature_level_of_session_tags)
      return call->session->respond_failure(
          error{errc::unsupported, "A session with tags, before all nodes of the cluster are upgraded,"});
    look_up_role(call);
  });
}

void assume_role(const sts_call_ptr& call) {
  const auto& key = call->session->current().key;
  if (!key) return call->session->respond_error(access_denied("Roles may not be assumed by root accounts."));
  const bool in_session = key->of_user && key->of_user->session;
  look_up_role_with_tags(call, call->request.tags, in_session ? key->of_user->session->tags : metadata::session_tags{});
}

// ── web identities ──

void refuse_token(const sts_call_ptr& call, const s3_error& why) {
  call->session->shared().metrics.web_identities_refused.fetch_add(1, std::memory_order_relaxed);
  call->session->respond_error(why);
}

s3_error as_provider_error(const error& why) {
  if (why == errc::not_found) return invalid_identity_token("No key of the issuer fits the token's header.");
  if (why == errc::connection_lost)
    return {400, "IDPCommunicationError", "The keys of the token's issuer could not be fetched. Try again."};
  return s3_error_of(why);
}

void checked(const sts_call_ptr& call, bool is_signed) {
  if (!is_signed) return refuse_token(call, invalid_identity_token("The token's signature is not valid."));
  auto& session = *call->session;
  session.shared().metrics.web_identities_accepted.fetch_add(1, std::memory_order_relaxed);
  session.note_web_identity(std::string{config::provider_of(call->token.issuer)} + ":" + call->token.subject);
  look_up_role_with_tags(call, {call->token.tags, call->token.transitive_tag_keys}, {});
}

// On the threads of digests, one token of a client at a time.
void check_signature_of(const sts_call_ptr& call, const std::shared_ptr<const json_web_keys>& keys) {
  auto& session = *call->session;
  const auto& payer = session.payer();
  const auto check = [call, keys](fair_turns::turn mine) {
    constexpr std::chrono::seconds patience{10};
    auto& shared = call->session->shared();
    // The last reference to the session must not end on the other thread, so the answer takes it along.
    auto job = [on = call->session->executor(), call = call, keys, mine = std::move(mine)](bool expired) mutable {
      const auto& token = call->token;
      const auto* const key = expired ? nullptr : keys->find(token.header);
      const bool is_signed = key != nullptr && has_signed(*key, token.header, token.text);
      boost::asio::post(on, [call = std::move(call), expired, is_signed, mine = std::move(mine)] {
        if (call->session->closed()) return;
        if (expired) return call->session->respond_failure(error{errc::slow_down, "no time to check the token"});
        checked(call, is_signed);
      });
    };
    if (const auto posted = shared.services.digests->post(shared.clock.now() + patience, std::move(job)); !posted)
      call->session->respond_failure(posted.error());
  };
  session.shared().reading_turns->take(payer ? payer->name() : std::string{}, [call, check](fair_turns::turn mine) {
    boost::asio::dispatch(call->session->executor(), [call, check, mine = std::move(mine)]() mutable {
      if (!call->session->closed()) check(std::move(mine));
    });
  });
}

void judge_token(const sts_call_ptr& call) {
  // Before anything is fetched for it.
  if (const auto refused = refused_claims(call->token, call->issuer, call->session->shared().clock.wall()))
    return refuse_token(call, *refused);
  call->provider->keys_for(call->token.header,
                           [call = call](result<std::shared_ptr<const json_web_keys>> keys) mutable {
                             const auto on = call->session->executor(); // as above, the reference goes along
                             boost::asio::post(on, [call = std::move(call), keys = std::move(keys)] {
                               if (call->session->closed()) return;
                               if (!keys) return refuse_token(call, as_provider_error(keys.error()));
                               check_signature_of(call, *keys);
                             });
                           });
}

// Providers that IAM's API made are rows, which are read for each token: one that was deleted lets in nobody.
void look_up_provider(const sts_call_ptr& call, identity_providers& providers) {
  const auto refuse = [call] {
    refuse_token(call, invalid_identity_token("No OpenIDConnect provider found for the token's issuer."));
  };
  constexpr std::string_view scheme = "https://";
  const std::string name{config::provider_of(call->token.issuer)};
  if (!call->token.issuer.starts_with(scheme) || !config::is_provider_name(name)) return refuse();
  read_rows(call, metadata::identity_kind::provider, name,
            [call, &providers, refuse, name](const result<actors::found_identities>& found) {
              if (!found && found.error() != errc::no_such_identity)
                return call->session->respond_failure(found.error());
              if (!found || (*found)->providers.front().name != name) return refuse();
              const auto& row = (*found)->providers.front();
              call->issuer = {call->token.issuer, row.client_ids, {}, {}};
              call->provider = providers.made(call->issuer.issuer, row.thumbprints);
              judge_token(call);
            });
}

void assume_role_with_web_identity(const sts_call_ptr& call) {
  auto& shared = call->session->shared();
  auto read = read_web_token(call->request.web_token);
  if (const auto* refused = std::get_if<s3_error>(&read)) return refuse_token(call, *refused);
  call->token = std::move(std::get<web_token>(read));
  call->provider = shared.providers->configured(call->token.issuer);
  if (!call->provider) return look_up_provider(call, *shared.providers);
  call->issuer = call->provider->issuer();
  judge_token(call);
}

void get_session_token(const sts_call_ptr& call) {
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

void run(const sts_call_ptr& call) {
  switch (call->request.act) {
    case action::sts_assume_role: return assume_role(call);
    case action::sts_assume_role_with_web_identity: return assume_role_with_web_identity(call);
    case action::sts_get_session_token: return get_session_token(call);
    default: return answer_sts(call, caller_answer(call->session->current().key.get()));
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
  const auto act = sts_action_of(name);
  if (act) {
    const bool makes = *act != action::sts_get_caller_identity;
    if (const auto refused = session->begin_query(*act, makes, query.text("RoleArn")))
      return session->respond_error(*refused);
  }
  auto begin = [session, name = std::move(name), query = std::move(query)] {
    auto read = read_sts(query);
    if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
    run(std::make_shared<sts_call>(sts_call{session, name, std::move(std::get<sts_request>(read))}));
  };
  // The token of a web identity stands for a signature.
  if (act == action::sts_assume_role_with_web_identity) return begin();
  session->authenticate_query("sts", body, std::move(begin));
}

} // namespace cairn::net
