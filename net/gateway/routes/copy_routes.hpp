// CopyObject, UploadPartCopy and RenameObject: chunks are shared, not copied. Only a small source, whose bytes are in
// its row, is written again when it becomes a part. On the session's strand.
#pragma once

#include <memory>

namespace cairn::net {

class s3_session;

void copy_object(const std::shared_ptr<s3_session>& session);
void rename_object(const std::shared_ptr<s3_session>& session);
void copy_part(const std::shared_ptr<s3_session>& session);

} // namespace cairn::net
