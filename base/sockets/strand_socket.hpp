// A TCP socket whose handlers run one at a time.
#pragma once

#include "base/third_party/asio.hpp"

namespace cairn::sockets {

using strand = boost::asio::strand<boost::asio::io_context::executor_type>;
using strand_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, strand>;

} // namespace cairn::sockets
