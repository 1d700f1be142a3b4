// An upload whose bytes are in memory already: a few, since they are held until it is done.
#pragma once

#include "actors/protocol/node.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <string>

namespace cairn::net {

// `done` is called once, on the executor. `put.length` is set here.
void upload_from_memory(const actors::services& services, const boost::asio::any_io_executor& executor,
                        actors::put_request put, std::string bytes,
                        std::function<void(result<actors::put_outcome>)> done);

} // namespace cairn::net
