#include "actors/protocol/errors.hpp"

#include "base/third_party/caf.hpp"

#include <gtest/gtest.h>

namespace cairn::actors::errors_test {

TEST(errors, keep_their_code_and_text_on_the_way_through_a_message) {
  for (int code = int(errc::invalid_argument); code <= int(errc::connection_lost); ++code) {
    for (const char* text : {"", "read of segment 12"}) {
      const error sent{errc(code), text};
      const auto received = from_caf(to_caf(sent));
      EXPECT_EQ(received.code, sent.code);
      EXPECT_EQ(received.text, sent.text);
    }
  }
}

TEST(errors, of_the_actor_library_become_ours) {
  EXPECT_EQ(from_caf(caf::sec::request_timeout), errc::timeout);
  EXPECT_EQ(from_caf(caf::sec::request_receiver_down), errc::stopping);
  EXPECT_EQ(from_caf(caf::exit_reason::user_shutdown), errc::stopping);
  const auto other = from_caf(caf::sec::unexpected_message);
  EXPECT_EQ(other, errc::io_error);
  EXPECT_FALSE(other.text.empty());
}

TEST(errors, are_faults_only_if_no_client_can_bring_them_about) {
  for (const auto of_clients :
       {errc::invalid_argument,    errc::no_such_bucket,     errc::no_such_key,   errc::no_such_version,
        errc::delete_marker,       errc::no_such_upload,     errc::access_denied, errc::no_such_access_key,
        errc::precondition_failed, errc::too_large,          errc::unsupported,   errc::busy,
        errc::slow_down,           errc::stale_source,       errc::no_space,      errc::digest_mismatch,
        errc::payload_mismatch,    errc::signature_mismatch, errc::blob_dead,     errc::bucket_not_empty})
    EXPECT_FALSE(is_fault(of_clients)) << to_string(of_clients);
  for (const auto of_the_node : {errc::io_error, errc::corrupt, errc::not_found, errc::chunk_lost, errc::no_quorum,
                                 errc::no_leader, errc::quarantined, errc::read_only})
    EXPECT_TRUE(is_fault(of_the_node)) << to_string(of_the_node);
}

} // namespace cairn::actors::errors_test
