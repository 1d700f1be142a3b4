// Requests to the metadata on behalf of a session. On the session's strand.
#pragma once

#include "base/third_party/asio.hpp"
#include "net/gateway/s3_session.hpp"

namespace cairn::net {

// Calls `then` with the answer or the error, on the strand.
template <class Answer, class Then, class... Message>
void ask_result(const session_ptr& session, Then then, Message... message) {
  std::function<void(result<Answer>)> answered = [session, asked = session->wait_begins(),
                                                  then = std::move(then)](result<Answer> answer) {
    boost::asio::post(session->executor(), [session, asked, then, answer = std::move(answer)] {
      if (session->closed()) return;
      session->metadata_answered(asked);
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

} // namespace cairn::net
