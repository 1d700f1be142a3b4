#include "net/gateway/form_reader.hpp"

#include "net/s3/xml/s3_errors.hpp"
#include "net/wire/buffer_text.hpp"
#include "net/wire/grammar/fields.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

constexpr std::size_t form_read_bytes = 4096; // a connection has a buffer of that size anyway
constexpr std::size_t form_bytes_each = 16;   // memory for a byte of fields: their text, the tree of the policy
constexpr std::size_t uncharged_bytes = 1024; // of fields

struct form_job {
  session_ptr session;
  form_parser parser;
  std::function<void(post_form)> then;
  std::size_t taken = 0; // bytes of the body
};
using form_job_ptr = std::shared_ptr<form_job>;

void fields_are_there(const form_job_ptr& job) {
  auto& http = job->session->http();
  http.collects(false);
  http.holds(0);
  auto form = read_post_form(job->parser);
  if (const auto* refused = std::get_if<s3_error>(&form)) return job->session->respond_error(*refused);
  job->then(std::move(std::get<post_form>(form)));
}

void read_on(const form_job_ptr& job);

void read_more(const form_job_ptr& job) {
  auto& http = job->session->http();
  const auto held = job->taken + http.buffer().size() + form_read_bytes;
  if (held > form_read_bytes + uncharged_bytes && !job->session->charge(held * form_bytes_each))
    return job->session->respond_failure(error{errc::slow_down, "no memory for the form"});
  http.send_continue();
  http.holds(held);
  job->session->buffer_body(form_read_bytes, [job] { read_on(job); });
}

void read_on(const form_job_ptr& job) {
  auto& http = job->session->http();
  const auto there = std::min<std::uint64_t>(http.buffer().size(), http.body_left());
  const auto taken = job->parser.take(as_text(http.buffer()).substr(0, there));
  if (const auto* refused = std::get_if<s3_error>(&taken)) return job->session->respond_error(*refused);
  const auto used = std::get<std::size_t>(taken);
  http.buffer().consume(used);
  http.body_taken(used);
  job->taken += used;
  if (job->parser.at_file()) return fields_are_there(job);
  if (there - used == http.body_left()) return job->session->respond_error(malformed_form("it ends before the file"));
  read_more(job);
}

} // namespace

void read_form(const session_ptr& session, std::function<void(post_form)> then) {
  const auto boundary = form_boundary(field_of(session->fields(), "Content-Type"));
  if (!boundary)
    return session->respond_error({412,
                                   "PreconditionFailed",
                                   "At least one of the preconditions did not hold.",
                                   {},
                                   {{"Condition", "Bucket POST must be of the enclosure-type multipart/form-data"}}});
  if (session->http().chunked() || !session->http().has_length()) {
    session->http().disable_keep_alive(); // the client may send the body nevertheless
    return session->respond_error({411, "MissingContentLength", "A form needs Content-Length."});
  }
  session->http().collects(true);
  read_on(std::make_shared<form_job>(form_job{session, form_parser{*boundary}, std::move(then)}));
}

} // namespace cairn::net
