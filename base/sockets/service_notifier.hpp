// Reports this process's state to the service manager by the protocol of sd_notify(3): one datagram of assignments,
// such as "READY=1\nSTATUS=text", to the Unix socket that $NOTIFY_SOCKET names. Thread-safe; never blocks.
#pragma once

#include <string_view>

#include <sys/socket.h>
#include <sys/un.h>

namespace cairn::sockets {

class service_notifier {
public:
  // `address`: a path, or "@name" in the abstract namespace. Empty, or anything else: there is no service manager.
  explicit service_notifier(std::string_view address);
  ~service_notifier();
  service_notifier(const service_notifier&) = delete;
  service_notifier& operator=(const service_notifier&) = delete;

  // false: nothing was sent, because there is no service manager or it does not receive. The caller continues.
  bool notify(std::string_view assignments) const;

private:
  int socket_ = -1;
  sockaddr_un address_{};
  socklen_t address_bytes_ = 0;
};

} // namespace cairn::sockets
