// IAM's Query API: POST / with a form. The body says what is asked and is signed, so these requests are authenticated
// here, and their actions authorized by the rows they are about; those that change something are judged again where
// they are applied. On the session's strand.
#pragma once

#include "net/gateway/s3_session.hpp"

namespace cairn::net {

void query_api(const session_ptr& session);

} // namespace cairn::net
