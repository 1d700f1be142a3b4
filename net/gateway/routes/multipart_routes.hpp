// Multipart uploads, except the bytes of their parts (net/gateway/routes/upload_exchange.hpp,
// net/gateway/routes/copy_routes.hpp): begin, list, complete, abort. On the session's strand.
#pragma once

#include <memory>

namespace cairn::net {

class s3_session;

void begin_upload(const std::shared_ptr<s3_session>& session);
void list_parts(const std::shared_ptr<s3_session>& session);
void list_uploads(const std::shared_ptr<s3_session>& session);
void complete_upload(const std::shared_ptr<s3_session>& session);
void abort_upload(const std::shared_ptr<s3_session>& session);

} // namespace cairn::net
