#include "base/trace/trace_context.hpp"

#include "base/codec.hpp"
#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

#include <string>

namespace cairn::trace_context_test {

const std::string good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string with(std::size_t at, char c) {
  auto out = good;
  out[at] = c;
  return out;
}

TEST(traceparent, is_read_as_the_specification_has_it) {
  const auto context = parse_traceparent(good);
  ASSERT_TRUE(context);
  EXPECT_EQ(hex_of(context->trace), "4bf92f3577b34da6a3ce929d0e0e4736");
  EXPECT_EQ(context->parent, 0x00f067aa0ba902b7u);
  EXPECT_TRUE(context->sampled);
}

TEST(traceparent, has_one_flag_that_counts) {
  for (unsigned flags = 0; flags < 256; ++flags) {
    const auto context = parse_traceparent(good.substr(0, 53) + hex_of(flags, 2));
    ASSERT_TRUE(context) << flags;
    EXPECT_EQ(context->sampled, flags % 2 == 1);
  }
}

TEST(traceparent, of_a_later_version_is_read_as_far_as_it_is_known) {
  for (unsigned version = 0; version < 256; ++version) {
    const auto text = hex_of(version, 2) + good.substr(2);
    const bool later = version > 0 && version < 255;
    EXPECT_EQ(parse_traceparent(text).has_value(), version < 255) << text;
    EXPECT_EQ(parse_traceparent(text + "-more").has_value(), later) << text;
    EXPECT_EQ(parse_traceparent(text + "-").has_value(), later) << text;
    EXPECT_FALSE(parse_traceparent(text + "0")) << text;
  }
}

TEST(traceparent, takes_at_each_place_what_the_grammar_has_there_and_nothing_else) {
  for (std::size_t at = 0; at < good.size(); ++at) {
    const bool dash = at == 2 || at == 35 || at == 52;
    for (int byte = 0; byte < 256; ++byte) {
      const auto c = static_cast<char>(byte);
      const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
      EXPECT_EQ(parse_traceparent(with(at, c)).has_value(), dash ? c == '-' : digit) << at << ' ' << byte;
    }
  }
}

TEST(traceparent, is_invalid_without_an_id_or_with_another_length) {
  EXPECT_FALSE(parse_traceparent("00-" + std::string(32, '0') + good.substr(35)));
  EXPECT_FALSE(parse_traceparent(good.substr(0, 36) + std::string(16, '0') + "-01"));
  for (std::size_t length = 0; length < good.size(); ++length)
    EXPECT_FALSE(parse_traceparent(good.substr(0, length))) << length;
}

TEST(traceparent, of_random_bytes_is_refused_without_reading_beyond_them) {
  seeded_random random{7};
  for (int i = 0; i < 20'000; ++i) {
    std::string text(random.next() % 80, '\0');
    for (auto& c : text) c = static_cast<char>(random.next());
    EXPECT_FALSE(parse_traceparent(text));
    auto changed = good;
    changed[random.next() % changed.size()] = static_cast<char>(random.next());
    if (const auto context = parse_traceparent(changed)) {
      EXPECT_NE(context->parent, 0u);
      EXPECT_NE(context->trace, trace_id{});
    }
  }
}

TEST(trace_sampling, takes_the_share_that_was_asked_for) {
  for (const double ratio : {0.0, 0.01, 0.5, 1.0}) {
    seeded_random random{11};
    constexpr int requests = 100'000;
    int sampled = 0;
    for (int i = 0; i < requests; ++i) sampled += is_sampled(random.next(), ratio);
    EXPECT_NEAR(sampled, ratio * requests, 0.005 * requests) << ratio;
  }
  EXPECT_FALSE(is_sampled(0, 0.0));
  EXPECT_TRUE(is_sampled(~std::uint64_t{0}, 1.0));
}

TEST(trace_sampling, takes_with_a_higher_ratio_whatever_a_lower_one_takes) {
  seeded_random random{13};
  for (int i = 0; i < 10'000; ++i) {
    const auto r = random.next();
    EXPECT_TRUE(!is_sampled(r, 0.2) || is_sampled(r, 0.3));
  }
}

TEST(trace_id, is_both_halves_with_the_high_byte_first) {
  EXPECT_EQ(hex_of(make_trace_id(0x0102030405060708, 0x00f067aa0ba902b7)), "010203040506070800f067aa0ba902b7");
}

} // namespace cairn::trace_context_test
