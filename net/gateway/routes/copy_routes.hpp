// CopyObject and UploadPartCopy: no byte is moved, unless the source is so small that its bytes lie in its row and
// become a part. On the session's strand.
#pragma once

#include <memory>

namespace cairn::net {

class s3_session;

void copy_object(const std::shared_ptr<s3_session>& session);
void copy_part(const std::shared_ptr<s3_session>& session);

} // namespace cairn::net
