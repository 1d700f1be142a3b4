#include "net/gateway/routes/bucket_routes.hpp"

#include "net/gateway/routes/setting_routes.hpp"
#include "net/s3/operations/list_request.hpp"
#include "net/s3/operations/versions_xml.hpp"
#include "net/s3/xml/create_bucket_xml.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/s3/xml/settings.hpp"

#include <algorithm>
#include <charconv>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

constexpr std::uint32_t aborted_page = 500;
constexpr int abort_rounds_max = 200;
constexpr int empty_pages_max = 32; // a page may examine its rows without finding any

actors::command_box box(metadata::command command) {
  return {std::make_shared<const metadata::command>(std::move(command))};
}

std::variant<bucket_list_request, s3_error> read_bucket_list_request(const s3_target& target) {
  if (auto refused = refused_texts(target)) return std::move(*refused);
  bucket_list_request request;
  if (const auto* prefix = target.find("prefix")) request.prefix = *prefix;
  if (const auto* token = target.find("continuation-token")) request.after = *token;
  if (const auto* text = target.find("max-buckets")) {
    const auto* end = text->data() + text->size();
    const auto [at, problem] = std::from_chars(text->data(), end, request.buckets_max);
    if (problem != std::errc{} || at != end || request.buckets_max == 0 || request.buckets_max > 10'000)
      return s3_error{400, "InvalidArgument", "max-buckets must be a number from 1 to 10000."};
  }
  return request;
}

// The second creation is refused because the bucket is another's, or for what its owner asks.
void refuse_again(const session_ptr& session, const error& why) {
  with_bucket(session, [session, why](const metadata::bucket_row& row) {
    const auto& key = session->current().key;
    if (!key || key->of_user || (key->rights_on(row.id) & metadata::rights::owner) != 0)
      return session->respond_failure(why);
    session->respond_error({409, "BucketAlreadyExists", "The bucket exists already and is not yours."});
  });
}

// In its oldest region S3 answers the owner of an existing bucket with success and resets the bucket's access control
// list. This needs a command that not every node of a cluster may know yet, so it is the second try.
void create_bucket(const session_ptr& session, const metadata::bucket_settings& settings) {
  const auto& request = session->current();
  const auto& name = request.target.bucket;
  const bool gets_grant = request.key && !request.key->of_user;
  metadata::create_bucket create{name, session->shared().clock.wall(), gets_grant ? request.key->id : std::string{}};
  create.settings = settings;
  if (!settings.again && settings.ownership == metadata::ownership::not_given)
    create.settings.ownership = session->shared().ownership_of_new;
  create.by = request.by;
  ask_result<actors::committed>(
      session,
      [session, settings](const result<actors::committed>& made) {
        if (made) return session->respond_empty(200, "Location: /" + session->current().target.bucket + "\r\n");
        if (made.error() == errc::bucket_exists && session->current().signer && !settings.again) {
          auto again = settings;
          again.again = true;
          return create_bucket(session, again);
        }
        if (made.error() == errc::acl_not_supported && !settings.again)
          return session->respond_error(ownership_refused_by_acl());
        // During a cluster's upgrade the existing bucket is not changed, and the answer says so.
        if (made.error() == errc::unsupported && settings.again)
          return session->respond_failure(error{errc::bucket_exists});
        if (made.error() == errc::access_denied && settings.again) return refuse_again(session, made.error());
        // The owner of a bucket is a grant of its key.
        if (made.error() == errc::too_large)
          return session->respond_error(
              {400, "TooManyBuckets", "The access key has rights on as many buckets as it may."});
        session->respond_failure(made.error());
      },
      actors::commit_atom_v, box(std::move(create)));
}

struct removal {
  session_ptr session;
  int rounds = 0;
  std::size_t to_answer = 0;
};
using removal_ptr = std::shared_ptr<removal>;

void try_removal(const removal_ptr& job);

void abort_page(const removal_ptr& job, const metadata::uploads_page& page) {
  const auto& session = job->session;
  if (page.uploads.empty() || ++job->rounds > abort_rounds_max)
    return session->respond_failure(error{errc::bucket_not_empty});
  job->to_answer = page.uploads.size();
  for (const auto& upload : page.uploads) {
    metadata::abort_upload command;
    command.upload = {session->current().target.bucket, upload.key, upload.id, upload.nonce};
    command.by = session->current().by;
    ask_result<actors::committed>(
        session,
        [job](const result<actors::committed>&) { // an upload that was completed meanwhile keeps the bucket
          if (--job->to_answer == 0) try_removal(job);
        },
        actors::commit_atom_v, box(std::move(command)));
  }
}

// The bucket was refused as not empty: finds out whether it has objects or versions, or uploads only.
void abort_uploads(const removal_ptr& job) {
  const auto& session = job->session;
  metadata::versions_query any{.bucket = session->current().target.bucket, .versions_max = 1};
  any.judged = session->current().judged();
  ask<actors::versions_listing>(
      session,
      [job](const actors::versions_listing& page) {
        if (!page->versions.empty()) return job->session->respond_failure(error{errc::bucket_not_empty});
        metadata::uploads_query query{.bucket = job->session->current().target.bucket, .uploads_max = aborted_page};
        query.judged = job->session->current().judged();
        ask<actors::uploads_listing>(
            job->session, [job](const actors::uploads_listing& uploads) { abort_page(job, *uploads); },
            actors::list_atom_v, std::move(query));
      },
      actors::list_atom_v, std::move(any));
}

void try_removal(const removal_ptr& job) {
  const auto& session = job->session;
  metadata::delete_bucket command{session->current().target.bucket};
  command.by = session->current().by;
  ask_result<actors::committed>(
      session,
      [job](const result<actors::committed>& removed) {
        if (removed) return job->session->respond_empty(204);
        if (removed.error() == errc::bucket_not_empty) return abort_uploads(job);
        job->session->respond_failure(removed.error());
      },
      actors::commit_atom_v, box(std::move(command)));
}

struct bucket_list_job {
  session_ptr session;
  turn mine;
  bucket_list_request request;
  std::vector<metadata::listed_bucket> found;
};
constexpr std::uint32_t bucket_page = 1000;
constexpr std::size_t listed_bucket_bytes = 512; // memory of one bucket, with its part of the answer

// An access key sees the buckets on which it has a right, a user all if it may list them. One more than requested is
// read to know whether others follow.
void next_buckets(const std::shared_ptr<bucket_list_job>& job, const std::string& after) {
  const auto wanted = job->request.buckets_max == 0 ? ~0u : job->request.buckets_max;
  const auto left = std::size_t{wanted} + 1 - job->found.size();
  const auto& key = job->session->current().key;
  metadata::buckets_query query{job->request.prefix, after, std::uint32_t(std::min<std::size_t>(left, bucket_page)),
                                key && key->of_user ? nullptr : key};
  ask<actors::buckets_listing>(
      job->session,
      [job, wanted](const actors::buckets_listing& page) {
        auto& found = job->found;
        found.insert(found.end(), page->buckets.begin(), page->buckets.end());
        if (found.size() <= wanted && page->truncated) {
          if (!job->session->charge(found.size() * listed_bucket_bytes))
            return job->session->respond_failure(error{errc::slow_down, "no memory for the list of buckets"});
          return next_buckets(job, page->last);
        }
        const bool more = found.size() > wanted;
        if (more) found.resize(wanted);
        respond_document(job->session, list_buckets_xml(found, job->request, more));
      },
      actors::list_atom_v, std::move(query));
}

void ask_page(const session_ptr& session, const turn& mine, const list_request& list, int tries) {
  // S3 answers max-keys=0 with an empty page, but only of a bucket that exists.
  const bool nothing_wanted = list.query.keys_max == 0;
  auto query = list.query;
  query.judged = session->current().judged();
  if (nothing_wanted) query.keys_max = 1;
  ask<actors::listing_page>(
      session,
      [=](const actors::listing_page& page) {
        const bool found = !page->objects.empty() || !page->common_prefixes.empty();
        if (!found && page->truncated && !nothing_wanted && tries < empty_pages_max) {
          auto next = list;
          next.query.start_after = page->last;
          return ask_page(session, mine, next, tries + 1);
        }
        respond_document(session, list_objects_xml(list, nothing_wanted ? metadata::listing{} : *page));
      },
      actors::list_atom_v, std::move(query));
}

} // namespace

void list_buckets(const session_ptr& session) {
  auto read = read_bucket_list_request(session->current().target);
  if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
  auto job = std::make_shared<bucket_list_job>();
  job->session = session;
  job->request = std::move(std::get<bucket_list_request>(read));
  const auto& target = session->current().target;
  const auto* const region = target.find("bucket-region");
  // S3 answers the region to requests with one of its parameters.
  if (region || target.find("prefix") || target.find("max-buckets") || target.find("continuation-token"))
    job->request.region = session->shared().region;
  if (region && *region != session->shared().region) // all buckets are in one
    return respond_document(session, list_buckets_xml({}, job->request, false));
  with_turn(session, *session->shared().listing_turns, [job](turn mine) {
    job->mine = std::move(mine);
    next_buckets(job, job->request.after);
  });
}

void head_bucket(const session_ptr& session) {
  with_bucket(session, [session](const metadata::bucket_row&) {
    session->respond_empty(200, "x-amz-bucket-region: " + session->shared().region + "\r\n");
  });
}

void put_bucket(const session_ptr& session) {
  const auto headers = read_bucket_headers(session);
  if (const auto* refused = std::get_if<s3_error>(&headers)) return session->respond_error(*refused);
  collect_body(session, create_bucket_body_bytes_max,
               [session, settings = std::get<metadata::bucket_settings>(headers)](const std::string& body) mutable {
                 auto tags = read_create_bucket(body, session->shared().region);
                 if (const auto* refused = std::get_if<s3_error>(&tags)) return session->respond_error(*refused);
                 settings.tags = std::move(std::get<tag_list>(tags));
                 create_bucket(session, settings);
               });
}

void delete_bucket(const session_ptr& session) {
  try_removal(std::make_shared<removal>(removal{session}));
}

void list_objects(const session_ptr& session) {
  auto& shared = session->shared();
  auto list = read_list_request(session->current().target, shared.list_keys_max);
  if (const auto* refused = std::get_if<s3_error>(&list)) return session->respond_error(*refused);
  with_turn(session, *shared.listing_turns,
            [session, list = std::get<list_request>(list)](const turn& mine) { ask_page(session, mine, list, 0); });
}

void list_versions(const session_ptr& session) {
  auto& shared = session->shared();
  const auto read = read_versions_request(session->current().target, shared.list_keys_max);
  if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
  const auto& request = std::get<versions_request>(read);
  auto query = request.query;
  query.judged = session->current().judged();
  with_turn(session, *shared.listing_turns, [session, request, query](const turn& mine) {
    ask<actors::versions_listing>(
        session,
        [session, request, mine](const actors::versions_listing& page) {
          respond_document(session, versions_document(request, *page));
        },
        actors::list_atom_v, query);
  });
}

} // namespace cairn::net
