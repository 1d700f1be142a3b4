#include "net/s3_routes.hpp"

#include "net/copy_routes.hpp"
#include "net/delete_objects.hpp"
#include "net/list_request.hpp"
#include "net/multipart_routes.hpp"
#include "net/object_routes.hpp"
#include "net/route_steps.hpp"
#include "net/router.hpp"
#include "net/settings.hpp"

#include <boost/algorithm/string/predicate.hpp>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

constexpr std::uint64_t bucket_body_bytes_max = 64 << 10;
constexpr int empty_pages_max = 32; // a page may examine its rows without finding any

std::optional<s3_error> refused_bucket_header(const boost::beast::http::fields::value_type& field) {
  using boost::algorithm::iequals;
  const std::string_view name{field.name_string().data(), field.name_string().size()};
  const std::string_view value{field.value().data(), field.value().size()};
  if (iequals(name, "x-amz-bucket-object-lock-enabled") && !iequals(value, "false")) {
    return not_implemented("Object locks (x-amz-bucket-object-lock-enabled)");
  }
  if (iequals(name, "x-amz-object-ownership") && value != "BucketOwnerEnforced") {
    return not_implemented("Object ownership other than BucketOwnerEnforced");
  }
  return refused_acl_header(name, value);
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

void put_bucket(const session_ptr& session) {
  for (const auto& field : session->fields()) {
    if (const auto refused = refused_bucket_header(field)) return session->respond_error(*refused);
  }
  collect_body(session, bucket_body_bytes_max, [session](const std::string& body) {
    if (!valid_create_bucket_body(body)) {
      return session->respond_error({400, "MalformedXML", "The body is not a CreateBucketConfiguration."});
    }
    const auto& name = session->current().target.bucket;
    commit(session, metadata::create_bucket{name, session->shared().clock.wall()}, 200, "Location: /" + name + "\r\n");
  });
}

// Goes on when the bucket, or with a key the object, exists.
template <class Then>
void with_target(const session_ptr& session, Then then) {
  const auto& target = session->current().target;
  if (target.key.empty()) {
    return ask<metadata::bucket_row>(
        session, [then](const metadata::bucket_row&) { then(); }, actors::bucket_atom_v, target.bucket);
  }
  ask<actors::found_object>(
      session, [then](const actors::found_object&) { then(); }, actors::lookup_atom_v,
      actors::object_name{target.bucket, target.key, false});
}

void read_setting(const session_ptr& session) {
  with_target(session, [session] {
    const auto& target = session->current().target;
    const auto setting = setting_answer(sub_resource_of(target), target);
    if (const auto* refused = std::get_if<s3_error>(&setting)) return session->respond_error(*refused);
    const auto& document = std::get<std::string>(setting);
    session->respond(200, whole_answer(200, session->basics(), "application/xml", document));
  });
}

// PUT ?acl with what holds anyway, or DELETE of a setting that was never made.
void write_setting(const session_ptr& session) {
  if (sub_resource_of(session->current().target) != "acl") {
    return with_target(session, [session] { session->respond_empty(204); });
  }
  bool canned = false;
  for (const auto& field : session->fields()) {
    const std::string_view name{field.name_string().data(), field.name_string().size()};
    const std::string_view value{field.value().data(), field.value().size()};
    if (const auto refused = refused_acl_header(name, value)) return session->respond_error(*refused);
    canned = canned || boost::algorithm::iequals(name, "x-amz-acl");
  }
  if (!canned) return session->respond_error(not_implemented("An access control list in the body"));
  with_target(session, [session] { session->respond_empty(200); });
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
    case storage::http_operation::delete_objects: return delete_objects(session);
    case storage::http_operation::read_setting: return read_setting(session);
    case storage::http_operation::write_setting: return write_setting(session);
    case storage::http_operation::delete_bucket: return commit(session, metadata::delete_bucket{target.bucket}, 204);
    case storage::http_operation::copy_object: return copy_object(session);
    case storage::http_operation::copy_part: return copy_part(session);
    case storage::http_operation::begin_upload: return begin_upload(session);
    case storage::http_operation::list_parts: return list_parts(session);
    case storage::http_operation::list_uploads: return list_uploads(session);
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
