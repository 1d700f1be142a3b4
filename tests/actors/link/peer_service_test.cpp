#include "actors/link/peer_service.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace cairn::actors::peer_service_test {

class peer_service_test : public testing::Test {
protected:
  // What the request was answered with.
  result<link::answer> ask(std::string bytes, bool member = true) {
    std::optional<result<link::answer>> answered;
    link::peer from;
    from.member = member;
    service.on_request({from,
                        std::move(bytes),
                        {},
                        {},
                        0,
                        link::responder{[&answered](result<link::answer>&& a) { answered = std::move(a); },
                                        std::make_shared<std::atomic<bool>>(false)}});
    return answered.value_or(error{errc::timeout, "not answered"});
  }
  static std::string request(peer_request kind, const std::string& rest = {}) { return char(kind) + rest; }

  peer_service service;
};

TEST_F(peer_service_test, a_request_gets_to_the_handler_of_its_kind_without_its_kind) {
  service.serve(peer_request::report, [](const link::incoming_request& r) {
    r.respond(link::answer{"report " + r.bytes, {}});
  });
  service.serve(peer_request::join, [](const link::incoming_request& r) {
    r.respond(link::answer{"join " + r.bytes, {}});
  });
  EXPECT_EQ(ask(request(peer_request::report, "x"))->bytes, "report x");
  EXPECT_EQ(ask(request(peer_request::join))->bytes, "join ");
}

TEST_F(peer_service_test, unknown_kinds_and_empty_requests_are_unsupported) {
  EXPECT_EQ(ask("").error(), errc::unsupported);
  EXPECT_EQ(ask(request(peer_request::report)).error(), errc::unsupported);
  for (int kind = 0; kind < 256; ++kind) EXPECT_EQ(ask(std::string(1, char(kind))).error(), errc::unsupported) << kind;
}

TEST_F(peer_service_test, strangers_may_ask_to_join_and_nothing_else) {
  for (std::size_t kind = 1; kind < peer_request_kinds; ++kind)
    service.serve(peer_request(kind), [](const link::incoming_request& r) { r.respond(link::answer{"served", {}}); });
  for (std::size_t kind = 1; kind < peer_request_kinds; ++kind) {
    const auto answer = ask(std::string(1, char(kind)), false);
    if (peer_request(kind) == peer_request::join)
      EXPECT_EQ(answer->bytes, "served");
    else
      EXPECT_EQ(answer.error(), errc::invalid_argument) << kind;
  }
}

TEST_F(peer_service_test, a_handler_that_forgets_to_answer_is_answered_for) {
  service.serve(peer_request::report, [](const link::incoming_request&) {});
  EXPECT_EQ(ask(request(peer_request::report)).error(), errc::cancelled);
}

TEST_F(peer_service_test, payloads_are_taken_for_chunks_of_members_only) {
  link::peer member, stranger;
  member.member = true;
  const auto write = request(peer_request::write_chunk);
  EXPECT_EQ(service.acquire(member, write, 100), nullptr) << "no allocator";
  const auto pool = std::make_shared<buffer_pool>(1 << 20);
  int asked = 0;
  service.set_allocator([&](const link::peer&, std::uint32_t bytes) {
    ++asked;
    return pool->try_acquire(bytes, reservation::minimum);
  });
  EXPECT_NE(service.acquire(member, write, 100), nullptr);
  EXPECT_EQ(service.acquire(stranger, write, 100), nullptr);
  EXPECT_EQ(service.acquire(member, request(peer_request::join), 100), nullptr);
  EXPECT_EQ(service.acquire(member, "", 100), nullptr);
  EXPECT_EQ(asked, 1);
}

} // namespace cairn::actors::peer_service_test
