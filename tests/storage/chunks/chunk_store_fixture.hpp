// A chunk store on an in-memory disk and index, with helpers to fill, crash and reopen it.
#pragma once

#include "base/files/memory_file_system.hpp"
#include "storage/chunks/chunk_index.hpp"
#include "storage/chunks/chunk_store.hpp"
#include "tests/base/seeded_random.hpp"

#include <gtest/gtest.h>

#include <random>

namespace cairn::storage {

inline chunk_id chunk_number(std::uint64_t n) {
  return {{7, n / 16}, static_cast<std::uint32_t>(n % 16)};
}

// Bytes that differ between chunks and within one.
inline std::vector<std::byte> payload_of(std::uint64_t n, std::size_t length) {
  std::vector<std::byte> bytes(length);
  std::mt19937_64 engine{n};
  for (std::size_t i = 0; i < length; i += 8) {
    const auto bits = engine();
    for (std::size_t k = i; k < std::min(length, i + 8); ++k) bytes[k] = static_cast<std::byte>(bits >> (8 * (k - i)));
  }
  return bytes;
}

class chunk_store_test : public testing::Test {
protected:
  static constexpr std::uint32_t kib = 1024;

  void SetUp() override {
    options_.directory = "/disk";
    options_.segment_size_bytes = 1024 * kib;
    options_.reserve_bytes = 64 * kib;
    reopen();
  }
  void TearDown() override { store_.reset(); }

  void reopen() {
    store_.reset();
    auto opened = chunk_store::open(options_, disk_, *index_, random_);
    ASSERT_TRUE(opened) << to_string(opened.error());
    store_ = std::move(*opened);
  }
  void crash_and_reopen() {
    disk_.crash(random_);
    reopen();
  }

  std::uint64_t tail_rows() { return (*index_->begin_read())->entries(chunk_index::tail); }

  // What the chunk_store actor does each second, to its end.
  void tidy() {
    for (auto more = store_->seal(100); more && *more;) more = store_->seal(100);
    for (auto punched = store_->punch(100); punched && *punched > 0;) punched = store_->punch(100);
  }

  result<void> put(std::uint64_t n, std::size_t length = 64 * kib) {
    const auto bytes = payload_of(n, length);
    const chunk_write write{chunk_number(n), bytes};
    return store_->write(std::span{&write, 1}).front();
  }
  result<std::vector<std::byte>> get(std::uint64_t n, std::uint32_t offset = 0, std::uint32_t length = 1 << 24) {
    std::vector<std::byte> bytes(length);
    const auto got = store_->read(chunk_number(n), offset, length, bytes.data());
    if (!got) return got.error();
    bytes.resize(got->length);
    return bytes;
  }
  result<std::uint64_t> drop(std::uint64_t n) {
    const auto id = chunk_number(n);
    return store_->erase(std::span{&id, 1});
  }
  void expect_whole(std::uint64_t n, std::size_t length = 64 * kib) {
    const auto got = get(n);
    ASSERT_TRUE(got) << n << ": " << to_string(got.error());
    EXPECT_TRUE(*got == payload_of(n, length)) << n;
  }
  void expect_absent(std::uint64_t n) {
    const auto got = get(n);
    ASSERT_FALSE(got) << n;
    EXPECT_EQ(got.error(), errc::not_found) << to_string(got.error());
  }
  errc code(const result<void>& outcome) const { return outcome ? errc{} : outcome.error().code; }

  seeded_random random_{42};
  memory_file_system disk_{64ull << 20};
  std::unique_ptr<kv_engine> index_ = make_memory_kv(chunk_index_tables);
  chunk_store_options options_;
  std::unique_ptr<chunk_store> store_;
};

} // namespace cairn::storage
