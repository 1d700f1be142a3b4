// An upload of few bytes that are in memory already; they stay there until the upload is done.
#pragma once

#include "actors/protocol/node.hpp"
#include "base/third_party/asio.hpp"

#include <functional>
#include <string>

namespace cairn::net {

// Calls `done` once, on the executor. Sets `put.length`.
void upload_from_memory(const actors::services& services, const boost::asio::any_io_executor& executor,
                        actors::put_request put, std::string bytes,
                        std::function<void(result<actors::put_outcome>)> done);

} // namespace cairn::net
