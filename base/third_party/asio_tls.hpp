// Boost.Asio's TLS: contexts, and the client's stream. Connections of servers use base/sockets/tls_layer.hpp. Its
// compiled part: base/sockets/asio_ssl_impl.cpp.
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
