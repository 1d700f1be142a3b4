// Requests to the metadata on behalf of a session. On the session's strand.
#pragma once

#include "base/third_party/asio.hpp"
#include "net/gateway/s3_session.hpp"

namespace cairn::net {

template <class Message>
void set_trace(Message& message, const trace_scope& scope) {
  if constexpr (requires { message.trace = scope; }) message.trace = scope;
}

// Calls `then` with the answer or the error, on the strand.
template <class Answer, class Then, class... Message>
void ask_result(const session_ptr& session, Then then, Message... message) {
  const auto asked = session->wait_begins();
  constexpr bool commits = std::is_same_v<Answer, actors::committed>;
  const auto span = session->begin_span(commits ? span_name::commit : span_name::look_up, asked);
  (set_trace(message, span), ...);
  std::function<void(result<Answer>)> answered = [session, asked, span, then = std::move(then)](result<Answer> answer) {
    boost::asio::post(session->executor(), [session, asked, span, then, answer = std::move(answer)] {
      if (session->closed()) return;
      const auto now = session->wait_begins();
      span.end(now, answer ? errc{} : answer.error().code);
      if (asked != steady_time{}) session->metadata_answered(asked, now);
      then(answer);
    });
  };
  actors::ask_metadata<Answer>(session->shared().services, std::move(answered), std::move(message)...);
}

// The same, but on an error the client gets the error's answer.
template <class Answer, class Then, class... Message>
void ask(const session_ptr& session, Then then, Message... message) {
  ask_result<Answer>(
      session,
      [session, then = std::move(then)](const result<Answer>& answer) {
        if (!answer) return session->respond_failure(answer.error());
        then(*answer);
      },
      std::move(message)...);
}

// Calls `then` if these ids, which an access control list names, are all known; else InvalidArgument. The look-up reads
// the ids of all users, so it comes after authorization.
template <class Then>
void with_known_grantees(const session_ptr& session, std::vector<std::string> ids, Then then) {
  if (ids.empty()) return then();
  actors::access_query query;
  query.grantees = std::move(ids);
  ask<actors::found_access>(
      session,
      [session, then = std::move(then)](const actors::found_access& found) {
        if (found.unknown_grantee.empty()) return then();
        session->respond_error({400, "InvalidArgument", "Invalid id"});
      },
      actors::access_atom_v, std::move(query));
}

} // namespace cairn::net
