#include "actors/link/wire/tls.hpp"
#include "base/files/memory_file_system.hpp"
#include "base/files/small_file.hpp"
#include "base/sockets/certificates.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cairn::actors::link::tls_test {

using namespace certificates;
using ::testing::HasSubstr;

constexpr wall_ms now = 1'750'000'000'000;

uuid id(std::uint8_t n) {
  uuid u{};
  u.fill(n);
  return u;
}

class link_tls : public ::testing::Test {
protected:
  key_and_certificate ca = make_ca("blue", now).value();
  key_and_certificate node = issue(ca, id(1), {}, now).value();
};

TEST_F(link_tls, takes_its_node_from_the_certificate) {
  EXPECT_EQ(tls_identity::make({ca.certificate, node.certificate, node.key}).value()->node(), id(1));
}

TEST_F(link_tls, needs_material_that_fits_together) {
  const auto other = issue(ca, id(2), {}, now).value();
  const auto rejection = [](const tls_material& m) { return tls_identity::make(m).error().text; };
  EXPECT_THAT(rejection({ca.certificate, node.certificate, other.key}),
              HasSubstr("does not belong to its certificate"));
  EXPECT_THAT(rejection({ca.certificate, node.certificate, "nonsense"}), HasSubstr("key"));
  EXPECT_THAT(rejection({"nonsense", node.certificate, node.key}), HasSubstr("authority"));
  EXPECT_THAT(rejection({ca.certificate, "nonsense", node.key}), HasSubstr("not a certificate in PEM"));
}

TEST_F(link_tls, material_is_read_from_files) {
  memory_file_system files;
  ASSERT_TRUE(files.make_directories("/tls"));
  for (const auto& [path, text] :
       {std::pair{"ca.pem", ca.certificate}, std::pair{"node.pem", node.certificate}, std::pair{"node.key", node.key}})
    ASSERT_TRUE(replace_small_file(files, std::string{"/tls/"} + path, text));
  const auto read = read_tls_files(files, "/tls/ca.pem", "/tls/node.pem", "/tls/node.key");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->key, node.key);
  EXPECT_EQ(read_tls_files(files, "/tls/ca.pem", "/tls/absent", "/tls/node.key").error().code, errc::not_found);
}

} // namespace cairn::actors::link::tls_test
