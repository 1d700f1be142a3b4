#include "net/gateway/routes/identity_routes.hpp"

#include "net/gateway/routes/route_steps.hpp"
#include "net/gateway/sts_calls.hpp"
#include "net/iam/iam_answers.hpp"
#include "net/iam/iam_documents.hpp"
#include "net/s3/access.hpp"
#include "net/s3/key_secret.hpp"
#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/fields.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
using storage::policy::action;

constexpr std::size_t id_letters = 17; // as AWS's

struct iam_call {
  session_ptr session;
  iam_query query;
  const iam_action* action = nullptr;
  actors::found_identities subject; // null: there is none
  std::vector<metadata::identity_query> listings{};
  std::vector<metadata::identity_page> listed{};
  turn mine{}; // of listings, which examine all rows of a kind, and of simulations

  const metadata::identity_page* found() const { return subject ? found_subject(*action, query, *subject) : nullptr; }
};
using iam_call_ptr = std::shared_ptr<iam_call>;

void answer_iam(const session_ptr& session, const iam_action& action, std::string_view result) {
  const auto document = iam_document(action.name, result, session->current().basics.request_id);
  if (!session->charge(document.size())) return session->respond_failure(error{errc::slow_down, "no memory"});
  session->respond(200, whole_answer(200, session->basics(), "text/xml", document));
}

void answer_or_refuse(const iam_call_ptr& call, const std::variant<std::string, s3_error>& made) {
  if (const auto* refused = std::get_if<s3_error>(&made)) return call->session->respond_error(*refused);
  answer_iam(call->session, *call->action, std::get<std::string>(made));
}

bool simulates(const iam_call& call) {
  return call.action->act == action::iam_simulate_custom_policy ||
         call.action->act == action::iam_simulate_principal_policy;
}

void answer_reading(const iam_call_ptr& call) {
  if (!simulates(*call))
    return answer_or_refuse(call, read_answer(*call->action, call->query, call->found(), call->listed));
  const auto* const found = call->found();
  if (found == nullptr && call->action->act == action::iam_simulate_principal_policy)
    return call->session->respond_error(no_such_entity("There is no such user."));
  const auto* const of = found != nullptr ? found->resolved.get() : nullptr;
  answer_or_refuse(call, simulation_answer(call->query, of, call->session->shared().clock.wall()));
}

// Reads the listed rows, one query after the other.
void read_listings(const iam_call_ptr& call) {
  if (call->listed.size() == call->listings.size()) return answer_reading(call);
  ask<actors::found_identities>(
      call->session,
      [call](const actors::found_identities& page) {
        call->listed.push_back(*page);
        read_listings(call);
      },
      actors::list_atom_v, call->listings[call->listed.size()]);
}

void read_rows(const iam_call_ptr& call) {
  auto listings = listings_of(*call->action, call->query, call->found());
  if (const auto* refused = std::get_if<s3_error>(&listings)) return call->session->respond_error(*refused);
  call->listings = std::move(std::get<std::vector<metadata::identity_query>>(listings));
  if (call->listings.empty() && !simulates(*call)) return answer_reading(call);
  with_turn(call->session, *call->session->shared().listing_turns, [call](turn mine) {
    call->mine = std::move(mine);
    read_listings(call);
  });
}

void set_secret(metadata::change_identity& command, const std::string& secret, s3_gateway& shared) {
  auto stored = secret_to_store(secret, command.other, shared.services.sealing.get(), shared.random);
  command.text = std::move(stored.text);
  command.on = stored.sealed;
}

void change(const iam_call_ptr& call) {
  auto read = read_change(*call->action, call->query);
  if (const auto* refused = std::get_if<s3_error>(&read)) return call->session->respond_error(*refused);
  auto& command = std::get<metadata::change_identity>(read);
  auto& shared = call->session->shared();
  command.now = shared.clock.wall();
  command.by = call->session->current().by;
  const auto id = [&shared](std::string_view kind) {
    return std::string{kind} + random_letters(shared.random, id_letters, id_alphabet);
  };
  const bool names_key = command.what == action::iam_create_access_key && !command.other.empty();
  if (names_key && call->session->current().key)
    return call->session->respond_error(
        {403, "AccessDenied", "Only the root key may create an access key whose id and secret are given."});
  if (names_key && command.other == shared.root_access_key)
    return call->session->respond_error({409, "EntityAlreadyExists", "This is the root key's id."});
  if (command.what == action::iam_create_open_id_connect_provider &&
      shared.providers->configured("https://" + command.name))
    return call->session->respond_error(
        {409, "EntityAlreadyExists", "The configuration of this node (auth.oidc) has the provider already."});
  std::string secret;
  switch (command.what) {
    case action::iam_create_user: command.id = id("AIDA"); break;
    case action::iam_create_group: command.id = id("AGPA"); break;
    case action::iam_create_policy: command.id = id("ANPA"); break;
    case action::iam_create_role: command.id = id("AROA"); break;
    case action::iam_create_access_key:
      if (!names_key) command.other = "AKIA" + random_letters(shared.random, key_letters, id_alphabet);
      secret = names_key ? command.text : random_letters(shared.random, secret_letters, secret_alphabet);
      set_secret(command, secret, shared);
      break;
    default: break;
  }
  const auto done = std::make_shared<const metadata::command>(std::move(command));
  ask<actors::committed>(
      call->session,
      [call, done, secret](const actors::committed& committed) {
        auto made = std::get<metadata::change_identity>(*done);
        if (!secret.empty()) made.text = secret;
        answer_iam(call->session, *call->action, change_answer(made, committed.result.more));
      },
      actors::commit_atom_v, actors::command_box{done});
}

void judge_and_run(const iam_call_ptr& call) {
  const auto& request = call->session->current();
  const auto resource = resource_of(*call->action, call->query, call->found());
  if (auto refused = identity_lapsed(request.by, call->action->act, request.key.get(), resource))
    return call->session->respond_failure(*refused);
  if (!call->action->changes()) return read_rows(call);
  // Also an ARN with another path than that of its policy, which the command names without a path.
  if (!call->action->creates() && call->found() == nullptr)
    return call->session->respond_error(no_such_entity("There is no " + call->query.text(call->action->subject) + "."));
  change(call);
}

void run(const iam_call_ptr& call) {
  const auto& key = call->session->current().key;
  auto read = read_action(call->query, key && key->of_user ? &key->of_user->user : nullptr);
  if (const auto* refused = std::get_if<s3_error>(&read)) return call->session->respond_error(*refused);
  call->action = std::get<const iam_action*>(read);
  const auto wanted = subject_of(*call->action, call->query);
  if (!wanted) return judge_and_run(call);
  ask_result<actors::found_identities>(
      call->session,
      [call](const result<actors::found_identities>& found) {
        if (!found && found.error() != errc::no_such_identity) return call->session->respond_failure(found.error());
        if (found) call->subject = *found;
        judge_and_run(call);
      },
      actors::list_atom_v, *wanted);
}

} // namespace

void query_api(const session_ptr& session) {
  constexpr std::string_view form = "application/x-www-form-urlencoded";
  if (!istarts_with(field_of(session->fields(), "Content-Type"), form))
    return session->respond_error(validation_error("POST / is IAM's and STS's API: its body is a form (" +
                                                   std::string{form} +
                                                   "), its signature is for the service iam or sts."));
  collect_body(session, iam_body_bytes_max, [session](const std::string& body) {
    auto read = iam_query::read(body);
    if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
    auto& query = std::get<iam_query>(read);
    if (query.text("Version") == sts_version) return sts_api(session, body, std::move(query));
    if (const auto* const named = find_action(query.text("Action")))
      if (const auto refused = session->begin_query(named->act, named->changes(), query.text(named->subject)))
        return session->respond_error(*refused);
    const auto call = std::make_shared<iam_call>(iam_call{session, std::move(query), nullptr, nullptr});
    session->authenticate_query("iam", body, [call] { run(call); });
  });
}

} // namespace cairn::net
