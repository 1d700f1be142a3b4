// Reads the fields of a POST form, up to its file, before the request is authorized, because they identify the sender.
// At most form_fields_bytes_max bytes, charged to the address. On the session's strand.
#pragma once

#include "net/gateway/s3_session.hpp"
#include "net/s3/form/post_form.hpp"

#include <functional>

namespace cairn::net {

// Calls `then` with the form; the body continues with the file. Otherwise answers: 412 if the body is not a form, 411
// without Content-Length, SlowDown, the errors of form_parser and read_post_form.
void read_form(const session_ptr& session, std::function<void(post_form)> then);

} // namespace cairn::net
