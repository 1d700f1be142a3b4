// Steps that the routes share: asking the metadata, reading a small body, a place among the large answers. On the
// session's strand.
#pragma once

#include "net/http_session.hpp"

#include <boost/asio/post.hpp>

namespace cairn::net {

using session_ptr = std::shared_ptr<http_session>;

// Asks the metadata and goes on with the answer, or why there is none, on the strand.
template <class Answer, class Then, class... Message>
void ask_result(const session_ptr& session, Then then, Message... message) {
  std::function<void(result<Answer>)> answered = [session, then = std::move(then)](result<Answer> answer) {
    boost::asio::post(session->executor(), [session, then, answer = std::move(answer)] {
      if (!session->closed()) then(answer);
    });
  };
  actors::ask_metadata<Answer>(session->shared().services, std::move(answered), std::move(message)...);
}

// The same, where a failure is the request's answer.
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

// With the bucket of the request as it is now, whichever node changed it last.
void with_bucket(const session_ptr& session, std::function<void(const storage::metadata::bucket_row&)> then);

// Commits and answers with `status`.
void commit(const session_ptr& session, storage::metadata::command command, unsigned status,
            const std::string& header_lines = {});

// Reads the whole body, of at most `bytes_max`, and goes on with it. Refused: 411 without Content-Length, 400
// MalformedXML when it is longer, BadDigest when it is not what Content-MD5 or a checksum header announces.
enum class body_checksums : std::uint8_t { of_the_body, of_something_else };
void collect_body(const session_ptr& session, std::size_t bytes_max, const std::function<void(std::string body)>& then,
                  body_checksums headers = body_checksums::of_the_body);

// Held until a large answer is sent: bounds the memory of all of them together.
class answer_slot {
public:
  explicit answer_slot(http_shared& shared) : shared_(shared) {}
  ~answer_slot() { shared_.listings.fetch_sub(1, std::memory_order_relaxed); }
  answer_slot(const answer_slot&) = delete;
  answer_slot& operator=(const answer_slot&) = delete;
  static std::shared_ptr<answer_slot> take(http_shared& shared); // null: too many are held

private:
  http_shared& shared_;
};

} // namespace cairn::net
