#include "net/s3_routes.hpp"

#include "net/http_session.hpp"
#include "net/list_request.hpp"
#include "net/router.hpp"

#include <boost/asio/post.hpp>

namespace cairn::net {

namespace {

namespace asio = boost::asio;
namespace metadata = storage::metadata;
using session_ptr = std::shared_ptr<http_session>;

constexpr std::uint64_t bucket_body_bytes_max = 64 << 10;
constexpr int empty_pages_max = 32; // a page may examine its rows without finding any

// Asks the metadata and goes on with the answer on the strand; a failure is the request's answer.
template <class Answer, class Then, class... Message>
void ask(const session_ptr& session, Then then, Message... message) {
  std::function<void(result<Answer>)> answered = [session, then = std::move(then)](result<Answer> answer) {
    asio::post(session->executor(), [session, then, answer = std::move(answer)] {
      if (session->closed()) return;
      if (!answer) return session->respond_failure(answer.error());
      then(*answer);
    });
  };
  actors::ask_metadata<Answer>(session->shared().services, std::move(answered), std::move(message)...);
}

void commit(const session_ptr& session, metadata::command command, unsigned status,
            const std::string& header_lines = {}) {
  ask<actors::committed>(
      session,
      [session, status, header_lines](const actors::committed&) { session->respond_empty(status, header_lines); },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
}

void list_buckets(const session_ptr& session) {
  ask<actors::bucket_list>(
      session,
      [session](const actors::bucket_list& buckets) {
        session->respond(200, whole_answer(200, session->basics(), "application/xml", list_buckets_xml(*buckets)));
      },
      actors::list_buckets_atom_v);
}

void head_bucket(const session_ptr& session) {
  ask<metadata::bucket_row>(
      session, [session](const metadata::bucket_row&) { session->respond_empty(200); }, actors::bucket_atom_v,
      session->current().target.bucket);
}

void create_bucket(const session_ptr& session) {
  auto& buffer = session->buffer();
  const auto body_bytes = session->body_left();
  const std::string_view body{static_cast<const char*>(buffer.cdata().data()), body_bytes};
  const auto* signer = session->current().signer ? &*session->current().signer : nullptr;
  if (signer && signer->claim.kind == payload_kind::hashed &&
      storage::sha256_of(std::as_bytes(std::span{body})) != signer->claim.payload_hash) {
    return session->respond_failure(error{errc::payload_mismatch});
  }
  if (!valid_create_bucket_body(body)) {
    return session->respond_error({400, "MalformedXML", "The body is not a CreateBucketConfiguration."});
  }
  buffer.consume(body_bytes);
  session->body_taken(body_bytes);
  session->body_complete();
  const auto& name = session->current().target.bucket;
  commit(session, metadata::create_bucket{name, session->shared().clock.wall()}, 200, "Location: /" + name + "\r\n");
}

// Reads on until the small body of PUT /bucket is in the session's buffer.
void collect_bucket_body(const session_ptr& session) {
  auto& buffer = session->buffer();
  if (buffer.size() >= session->body_left()) return create_bucket(session);
  session->send_continue();
  session->arm(http_session::wait::body);
  session->socket().async_read_some(buffer.prepare(session->body_left() - buffer.size()),
                                    [session](boost::system::error_code failed, std::size_t n) {
                                      if (session->closed()) return;
                                      if (failed) return session->close();
                                      session->disarm();
                                      session->buffer().commit(n);
                                      collect_bucket_body(session);
                                    });
}

void put_bucket(const session_ptr& session) {
  if (session->chunked()) {
    return session->respond_error({411, "MissingContentLength", "Creating a bucket needs Content-Length."});
  }
  const auto& signer = session->current().signer;
  if (signer && signer->claim.kind != payload_kind::hashed && signer->claim.kind != payload_kind::unsigned_whole) {
    return session->respond_error(not_implemented("Creating a bucket with an aws-chunked body"));
  }
  if (session->body_left() > bucket_body_bytes_max) {
    return session->respond_error({400, "MalformedXML", "The body is larger than a CreateBucketConfiguration."});
  }
  collect_bucket_body(session);
}

void delete_object(const session_ptr& session) {
  const auto& request = session->current();
  auto condition = write_condition_of(request.conditions);
  if (!condition) return session->respond_failure(condition.error());
  metadata::delete_object command;
  command.bucket = request.target.bucket;
  command.key = request.target.key;
  command.now = session->shared().clock.wall();
  command.condition = std::move(*condition);
  commit(session, std::move(command), 204);
}

// Held until a list answer is sent: bounds the memory of all of them together.
class listing_slot {
public:
  explicit listing_slot(http_shared& shared) : shared_(shared) {}
  ~listing_slot() { shared_.listings.fetch_sub(1, std::memory_order_relaxed); }
  listing_slot(const listing_slot&) = delete;
  listing_slot& operator=(const listing_slot&) = delete;
  static std::shared_ptr<listing_slot> take(http_shared& shared) {
    auto slot = std::make_shared<listing_slot>(shared);
    const auto before = shared.listings.fetch_add(1, std::memory_order_relaxed);
    return before < http_shared::listings_max ? slot : nullptr;
  }

private:
  http_shared& shared_;
};

void ask_page(const session_ptr& session, const std::shared_ptr<listing_slot>& slot, const list_request& list,
              int tries) {
  // S3 answers max-keys=0 with an empty page, but only of a bucket that exists.
  const bool nothing_wanted = list.query.keys_max == 0;
  auto query = list.query;
  if (nothing_wanted) query.keys_max = 1;
  ask<actors::listing_page>(
      session,
      [=](const actors::listing_page& page) {
        const bool found = !page->objects.empty() || !page->common_prefixes.empty();
        if (!found && page->truncated && !nothing_wanted && tries < empty_pages_max) {
          auto next = list;
          next.query.start_after = page->last;
          return ask_page(session, slot, next, tries + 1);
        }
        const auto body = list_objects_xml(list, nothing_wanted ? metadata::listing{} : *page);
        session->respond(200, whole_answer(200, session->basics(), "application/xml", body), slot);
      },
      actors::list_atom_v, std::move(query));
}

void list_objects(const session_ptr& session) {
  auto& shared = session->shared();
  auto list = read_list_request(session->current().target, shared.list_keys_max);
  if (const auto* refused = std::get_if<s3_error>(&list)) return session->respond_error(*refused);
  auto slot = listing_slot::take(shared);
  if (!slot) return session->respond_failure(error{errc::slow_down, "too many listings at once"});
  ask_page(session, slot, std::get<list_request>(list), 0);
}

} // namespace

void serve(const session_ptr& session) {
  const auto& target = session->current().target;
  switch (session->current().operation) {
    case storage::http_operation::options: return session->respond_empty(200, allow_header(target));
    case storage::http_operation::list_buckets: return list_buckets(session);
    case storage::http_operation::create_bucket: return put_bucket(session);
    case storage::http_operation::head_bucket: return head_bucket(session);
    case storage::http_operation::list_objects: return list_objects(session);
    case storage::http_operation::delete_object: return delete_object(session);
    case storage::http_operation::delete_bucket: return commit(session, metadata::delete_bucket{target.bucket}, 204);
    case storage::http_operation::put_object:
    case storage::http_operation::get_object:
    case storage::http_operation::head_object:
    case storage::http_operation::unknown:
    case storage::http_operation::count_: break;
  }
  session->respond_error({501, "NotImplemented", "This request is not implemented."});
}

} // namespace cairn::net
