// The content of a flat buffer as text. Valid until the buffer changes.
#pragma once

#include "base/third_party/beast_message.hpp"

#include <string_view>

namespace cairn::net {

inline std::string_view as_text(const boost::beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.cdata().data()), buffer.size()};
}

} // namespace cairn::net
