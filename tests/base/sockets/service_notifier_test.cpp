#include "base/sockets/service_notifier.hpp"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <string>

namespace cairn::sockets::service_notifier_test {

// The service manager's end.
class receiver {
public:
  explicit receiver(const std::string& address) {
    sockaddr_un at{};
    at.sun_family = AF_UNIX;
    std::memcpy(at.sun_path, address.data(), address.size());
    if (address[0] == '@') at.sun_path[0] = '\0';
    const auto bytes = socklen_t(offsetof(sockaddr_un, sun_path) + address.size() + (address[0] == '@' ? 0 : 1));
    EXPECT_EQ(::bind(socket_, reinterpret_cast<sockaddr*>(&at), bytes), 0) << std::strerror(errno);
  }
  ~receiver() { ::close(socket_); }

  std::string next() const {
    char text[256];
    const auto bytes = ::recv(socket_, text, sizeof text, MSG_DONTWAIT);
    return bytes < 0 ? "nothing" : std::string{text, std::size_t(bytes)};
  }

private:
  int socket_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

const std::string unique = "cairn-notify-" + std::to_string(::getpid());

TEST(service_notifier, sends_one_datagram_per_notification_to_a_path) {
  const auto path = std::filesystem::temp_directory_path() / unique;
  const receiver manager{path.string()};
  const service_notifier notifier{path.string()};
  EXPECT_TRUE(notifier.notify("READY=1\nSTATUS=serving"));
  EXPECT_TRUE(notifier.notify("STOPPING=1"));
  EXPECT_EQ(manager.next(), "READY=1\nSTATUS=serving");
  EXPECT_EQ(manager.next(), "STOPPING=1");
  EXPECT_EQ(manager.next(), "nothing");
  std::filesystem::remove(path);
}

TEST(service_notifier, sends_to_an_abstract_name) {
  const receiver manager{"@" + unique};
  EXPECT_TRUE(service_notifier{"@" + unique}.notify("READY=1"));
  EXPECT_EQ(manager.next(), "READY=1");
}

TEST(service_notifier, sends_nothing_without_a_service_manager) {
  for (const auto& address : {std::string{}, std::string{"@"}, std::string{"relative"}, std::string{"/no/such/socket"},
                              "/" + std::string(sizeof(sockaddr_un{}.sun_path), 'x')})
    EXPECT_FALSE(service_notifier{address}.notify("READY=1")) << address;
}

TEST(service_notifier, does_not_wait_for_a_service_manager_that_does_not_read) {
  const receiver manager{"@" + unique};
  const service_notifier notifier{"@" + unique};
  int sent = 0;
  while (sent < 100'000 && notifier.notify("WATCHDOG=1")) ++sent;
  EXPECT_LT(sent, 100'000);
  EXPECT_GT(sent, 0);
}

} // namespace cairn::sockets::service_notifier_test
