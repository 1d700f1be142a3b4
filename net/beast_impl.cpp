// Beast's non-template code, compiled once (BOOST_BEAST_SEPARATE_COMPILATION). Asio's is in actors/asio_impl.cpp.
#include <boost/beast/src.hpp>
