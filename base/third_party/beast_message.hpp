// The vocabulary of Boost.Beast: fields, heads, messages with small bodies, buffers. Nothing that parses, serializes or
// has a socket: that is beast.hpp, which takes twice as long to compile.
#pragma once

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/verb.hpp>
