// All of Boost.Beast's HTTP/1.1. Its compiled part: net/wire/beast_impl.cpp.
#pragma once

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
