#include "net/s3_routes.hpp"

#include "net/copy_routes.hpp"
#include "net/delete_objects.hpp"
#include "net/list_request.hpp"
#include "net/multipart_routes.hpp"
#include "net/object_routes.hpp"
#include "net/route_steps.hpp"
#include "net/setting_routes.hpp"
#include "net/versions_xml.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

constexpr std::uint64_t bucket_body_bytes_max = 64 << 10;
constexpr int empty_pages_max = 32; // a page may examine its rows without finding any

// An access key sees those that it may do something with.
std::vector<metadata::bucket_row> visible(const actors::bucket_list& all, const metadata::access_key_row* key) {
  auto buckets = *all;
  if (key) std::erase_if(buckets, [key](const auto& bucket) { return key->rights_on(bucket.id) == 0; });
  return buckets;
}

void list_buckets(const session_ptr& session) {
  ask<actors::bucket_list>(
      session,
      [session](const actors::bucket_list& all) {
        const auto body = list_buckets_xml(visible(all, session->current().key.get()));
        session->respond(200, whole_answer(200, session->basics(), "application/xml", body));
      },
      actors::list_buckets_atom_v);
}

void head_bucket(const session_ptr& session) {
  ask<metadata::bucket_row>(
      session, [session](const metadata::bucket_row&) { session->respond_empty(200); }, actors::bucket_atom_v,
      session->current().target.bucket);
}

void create_bucket(const session_ptr& session, bool public_read) {
  const auto& request = session->current();
  const auto& name = request.target.bucket;
  const std::string location = "Location: /" + name + "\r\n";
  metadata::create_bucket create{name, session->shared().clock.wall(), request.key ? request.key->id : std::string{}};
  if (!public_read) return commit(session, std::move(create), 200, location);
  // Private for a moment, never public by accident.
  ask<actors::committed>(
      session,
      [session, location](const actors::committed&) {
        metadata::set_bucket change;
        change.name = session->current().target.bucket;
        change.public_read = true;
        commit(session, std::move(change), 200, location);
      },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(create))});
}

void put_bucket(const session_ptr& session) {
  bool public_read = false;
  if (const auto refused = refused_bucket_headers(session, public_read)) return session->respond_error(*refused);
  collect_body(session, bucket_body_bytes_max, [session, public_read](const std::string& body) {
    if (!valid_create_bucket_body(body))
      return session->respond_error({400, "MalformedXML", "The body is not a CreateBucketConfiguration."});
    create_bucket(session, public_read);
  });
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
  command.version = request.version;
  ask<actors::committed>(
      session,
      [session](const actors::committed& done) {
        auto told = metadata::told(done.result);
        if (session->current().version) told.id = session->current().version;
        session->respond_empty(204, version_lines(told));
      },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
}

void ask_page(const session_ptr& session, const std::shared_ptr<answer_slot>& slot, const list_request& list,
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
  auto slot = answer_slot::take(shared);
  if (!slot) return session->respond_failure(error{errc::slow_down, "too many listings at once"});
  ask_page(session, slot, std::get<list_request>(list), 0);
}

void list_versions(const session_ptr& session) {
  auto& shared = session->shared();
  const auto read = read_versions_request(session->current().target, shared.list_keys_max);
  if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
  const auto& request = std::get<versions_request>(read);
  auto slot = answer_slot::take(shared);
  if (!slot) return session->respond_failure(error{errc::slow_down, "too many listings at once"});
  ask<actors::versions_listing>(
      session,
      [session, request, slot](const actors::versions_listing& page) {
        const auto body = versions_document(request, *page);
        session->respond(200, whole_answer(200, session->basics(), "application/xml", body), slot);
      },
      actors::list_atom_v, request.query);
}

} // namespace

void serve(const session_ptr& session) {
  const auto& target = session->current().target;
  switch (session->current().operation) {
    case storage::http_operation::options: return preflight(session);
    case storage::http_operation::list_buckets: return list_buckets(session);
    case storage::http_operation::create_bucket: return put_bucket(session);
    case storage::http_operation::head_bucket: return head_bucket(session);
    case storage::http_operation::list_objects: return list_objects(session);
    case storage::http_operation::delete_object: return delete_object(session);
    case storage::http_operation::delete_objects: return delete_objects(session);
    case storage::http_operation::read_setting: return read_setting(session);
    case storage::http_operation::write_setting: return write_setting(session);
    case storage::http_operation::delete_bucket: return commit(session, metadata::delete_bucket{target.bucket}, 204);
    case storage::http_operation::copy_object: return copy_object(session);
    case storage::http_operation::copy_part: return copy_part(session);
    case storage::http_operation::begin_upload: return begin_upload(session);
    case storage::http_operation::list_parts: return list_parts(session);
    case storage::http_operation::list_uploads: return list_uploads(session);
    case storage::http_operation::list_versions: return list_versions(session);
    case storage::http_operation::complete_upload: return complete_upload(session);
    case storage::http_operation::abort_upload: return abort_upload(session);
    case storage::http_operation::object_attributes: return object_attributes(session);
    case storage::http_operation::read_tags: return read_tags(session);
    case storage::http_operation::write_tags: return write_tags(session);
    case storage::http_operation::put_part:
    case storage::http_operation::put_object:
    case storage::http_operation::get_object:
    case storage::http_operation::head_object:
    case storage::http_operation::unknown:
    case storage::http_operation::count_: break;
  }
  session->respond_error({501, "NotImplemented", "This request is not implemented."});
}

} // namespace cairn::net
