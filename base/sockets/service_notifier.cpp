#include "base/sockets/service_notifier.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstddef>

namespace cairn::sockets {

service_notifier::service_notifier(std::string_view address) {
  const bool abstract = address.starts_with('@') && address.size() > 1;
  if ((!abstract && !address.starts_with('/')) || address.size() >= sizeof(address_.sun_path)) return;
  address_.sun_family = AF_UNIX;
  std::copy(address.begin(), address.end(), address_.sun_path);
  if (abstract) address_.sun_path[0] = '\0';
  address_bytes_ = socklen_t(offsetof(sockaddr_un, sun_path) + address.size() + (abstract ? 0 : 1));
  socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

service_notifier::~service_notifier() {
  if (socket_ >= 0) ::close(socket_);
}

bool service_notifier::notify(std::string_view assignments) const {
  if (socket_ < 0) return false;
  const auto sent = ::sendto(socket_, assignments.data(), assignments.size(), MSG_NOSIGNAL,
                             reinterpret_cast<const sockaddr*>(&address_), address_bytes_);
  return sent == ssize_t(assignments.size());
}

} // namespace cairn::sockets
