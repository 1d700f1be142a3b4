// One object: reading it whole or one of its parts, deleting it, attributes, tags. On the session's strand.
#pragma once

#include <memory>

namespace cairn::net {

class http_session;

void get_object(const std::shared_ptr<http_session>& session); // GET or HEAD
void delete_object(const std::shared_ptr<http_session>& session);
void object_attributes(const std::shared_ptr<http_session>& session);
void read_tags(const std::shared_ptr<http_session>& session);
void write_tags(const std::shared_ptr<http_session>& session); // PUT or DELETE

} // namespace cairn::net
