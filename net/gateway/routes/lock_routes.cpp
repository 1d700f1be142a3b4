#include "net/gateway/routes/setting_routes.hpp"
#include "net/s3/access.hpp"
#include "net/s3/access_context.hpp"
#include "net/s3/router.hpp"
#include "net/s3/xml/object_lock_xml.hpp"

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;

bool is_about_retention(const session_ptr& session) {
  return sub_resource_of(session->current().target) == "retention";
}

void answer_lock(const session_ptr& session, const actors::found_object& found) {
  if (const auto refused = refused_object(session->current(), found.bucket.get(), found.row.get()))
    return session->respond_error(*refused);
  if (!found.bucket || !found.bucket->lock.enabled) return session->respond_failure(error{errc::no_object_lock});
  const auto& lock = found.row->extras.lock;
  const bool retention = is_about_retention(session);
  const bool set =
      retention ? lock.retained.mode != metadata::retention_mode::none : lock.hold != metadata::legal_hold::never_set;
  if (!set)
    return session->respond_error(
        {404, "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration"});
  respond_document(session, retention ? retention_document(lock.retained) : legal_hold_document(lock.hold));
}

void commit_lock(const session_ptr& session, metadata::set_object_lock command, const metadata::object_lock& wanted) {
  const auto& request = session->current();
  command.bucket = request.target.bucket;
  command.key = request.target.key;
  command.now = session->shared().clock.wall();
  command.version = request.version;
  command.bypasses_governance = bypasses_governance(session->fields());
  command.by = with_object_lock(request.by, wanted);
  commit(session, std::move(command), 200);
}

} // namespace

void read_lock(const session_ptr& session) {
  const auto& target = session->current().target;
  if (target.key.empty())
    return with_bucket(session, [session](const metadata::bucket_row& row) {
      if (row.lock.enabled) return respond_document(session, lock_configuration_document(row.lock));
      session->respond_error(
          {404, "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket"});
    });
  ask<actors::found_object>(
      session, [session](const actors::found_object& found) { answer_lock(session, found); }, actors::lookup_atom_v,
      actors::object_name{target.bucket, target.key, false, session->current().version, session->current().judged()});
}

void write_lock(const session_ptr& session) {
  collect_body(session, lock_body_bytes_max, [session](const std::string& body) {
    metadata::set_object_lock command;
    if (is_about_retention(session)) {
      const auto read = read_retention_document(body, session->shared().clock.wall());
      if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
      command.retained = std::get<metadata::retention>(read);
      return commit_lock(session, command, {.retained = *command.retained});
    }
    const auto read = read_legal_hold_document(body);
    if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
    command.hold = std::get<metadata::legal_hold>(read);
    commit_lock(session, command, {.hold = *command.hold});
  });
}

void write_bucket_lock(const session_ptr& session) {
  collect_body(session, lock_body_bytes_max, [session](const std::string& body) {
    const auto read = read_lock_configuration(body);
    if (const auto* refused = std::get_if<s3_error>(&read)) return session->respond_error(*refused);
    metadata::set_bucket_lock command;
    command.name = session->current().target.bucket;
    command.lock = std::get<metadata::bucket_lock>(read);
    command.by = session->current().by;
    commit(session, std::move(command), 200);
  });
}

} // namespace cairn::net
