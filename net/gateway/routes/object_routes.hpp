// One object, except its bytes: deletion, attributes, tags. On the session's strand.
#pragma once

#include <memory>

namespace cairn::net {

class s3_session;

void delete_object(const std::shared_ptr<s3_session>& session);
void object_attributes(const std::shared_ptr<s3_session>& session);
void read_tags(const std::shared_ptr<s3_session>& session);
void write_tags(const std::shared_ptr<s3_session>& session); // PUT or DELETE

} // namespace cairn::net
