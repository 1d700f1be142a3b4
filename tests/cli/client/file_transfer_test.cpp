#include "cli/client/file_transfer.hpp"

#include "base/codec.hpp"
#include "cli/client/command_support.hpp"

#include <gtest/gtest.h>

#include <sys/file.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace cairn::cli::file_transfer_test {

std::string md5_of(const std::string& text) {
  md5 digest;
  digest.update(std::as_bytes(std::span(text)));
  return hex_of(digest.finish());
}

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

http_response ok_response(const std::string& etag) {
  http_response response;
  response.status = 200;
  response.headers = {{"ETag", '"' + etag + '"'}};
  return response;
}

http_response partial_response(const std::string& etag, const std::string& range) {
  auto response = ok_response(etag);
  response.status = 206;
  response.headers.emplace_back("Content-Range", range);
  return response;
}

class file_download : public testing::Test {
protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<download_target> open() {
    auto target = download_to_file({path_, "files/a"});
    EXPECT_TRUE(target) << target.error().text;
    return std::move(*target);
  }
  void write(download_target& target, const std::string& text) {
    ASSERT_TRUE(target.write(std::as_bytes(std::span(text))));
  }
  void interrupt_after(const std::string& text, const std::string& etag) {
    const auto target = open();
    ASSERT_TRUE(target->head(ok_response(etag)));
    write(*target, text);
  }

  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("cairn-file-download-" + std::to_string(::getpid()));
  const std::string path_ = folder_ / "a.bin";
};

TEST_F(file_download, whole_body_replaces_the_file_and_leaves_nothing_else) {
  std::ofstream(path_) << "old";
  const auto target = open();
  EXPECT_TRUE(target->request_headers().empty());
  ASSERT_TRUE(target->head(ok_response(md5_of("hello"))));
  write(*target, "hel");
  EXPECT_EQ(content(path_), "old");
  write(*target, "lo");
  ASSERT_TRUE(target->finish());
  EXPECT_EQ(content(path_), "hello");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(file_download, interrupted_one_is_continued_behind_what_is_there) {
  const auto etag = md5_of("hello world");
  interrupt_after("hello ", etag);
  EXPECT_FALSE(std::filesystem::exists(path_));
  const auto target = open();
  const header_list wanted{{"Range", "bytes=6-"}, {"If-Range", '"' + etag + '"'}};
  EXPECT_EQ(target->request_headers(), wanted);
  ASSERT_TRUE(target->head(partial_response(etag, "bytes 6-10/11")));
  write(*target, "world");
  ASSERT_TRUE(target->finish());
  EXPECT_EQ(content(path_), "hello world");
}

TEST_F(file_download, object_that_changed_meanwhile_starts_from_its_beginning) {
  interrupt_after("hello ", md5_of("hello world"));
  const auto target = open();
  ASSERT_TRUE(target->head(ok_response(md5_of("new")))); // If-Range did not hold: the whole new object
  write(*target, "new");
  ASSERT_TRUE(target->finish());
  EXPECT_EQ(content(path_), "new");
}

TEST_F(file_download, whole_part_that_was_not_renamed_needs_no_further_byte) {
  const auto etag = md5_of("hello");
  interrupt_after("hello", etag);
  const auto target = open();
  auto response = ok_response(etag);
  response.status = 416;
  response.headers.emplace_back("Content-Range", "bytes */5");
  const auto whole = target->nothing_left(response);
  ASSERT_TRUE(whole);
  EXPECT_TRUE(*whole);
  ASSERT_TRUE(target->finish());
  EXPECT_EQ(content(path_), "hello");
}

TEST_F(file_download, part_longer_than_the_object_is_dropped) {
  interrupt_after("hello and more", md5_of("hello"));
  const auto target = open();
  auto response = ok_response(md5_of("hello"));
  response.status = 416;
  response.headers.emplace_back("Content-Range", "bytes */5");
  const auto whole = target->nothing_left(response);
  ASSERT_TRUE(whole);
  EXPECT_FALSE(*whole);
  EXPECT_TRUE(target->request_headers().empty());
}

TEST_F(file_download, range_of_another_place_or_object_is_refused) {
  const auto etag = md5_of("hello world");
  interrupt_after("hello ", etag);
  EXPECT_FALSE(open()->head(partial_response(etag, "bytes 5-10/11")));
  EXPECT_FALSE(open()->head(partial_response(md5_of("other"), "bytes 6-10/11")));
  EXPECT_FALSE(open()->head(partial_response(etag, "")));
}

TEST_F(file_download, wrong_bytes_never_become_the_file_and_are_removed) {
  const auto target = open();
  ASSERT_TRUE(target->head(ok_response(md5_of("hello"))));
  write(*target, "hellO");
  const auto finished = target->finish();
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, errc::digest_mismatch);
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(file_download, bytes_changed_since_the_interruption_are_noticed) {
  const auto etag = md5_of("hello world");
  interrupt_after("hello ", etag);
  std::ofstream(path_ + ".part") << "hollo ";
  const auto target = open();
  ASSERT_TRUE(target->head(partial_response(etag, "bytes 6-10/11")));
  write(*target, "world");
  EXPECT_FALSE(target->finish());
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(file_download, part_without_or_with_a_torn_etag_is_started_over) {
  const auto etag = md5_of("hello world");
  interrupt_after("hello ", etag);
  std::ofstream(path_ + ".part.etag") << etag.substr(0, 7);
  EXPECT_TRUE(open()->request_headers().empty());
  std::filesystem::remove(path_ + ".part.etag");
  EXPECT_TRUE(open()->request_headers().empty());
}

TEST_F(file_download, etag_of_a_multipart_upload_is_not_compared) {
  const auto target = open();
  ASSERT_TRUE(target->head(ok_response("d41d8cd98f00b204e9800998ecf8427e-2")));
  write(*target, "anything");
  EXPECT_TRUE(target->finish());
}

TEST_F(file_download, second_get_into_the_same_file_is_refused) {
  const auto first = open();
  const auto second = download_to_file({path_, "files/a"});
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, errc::locked);
}

TEST_F(file_download, refused_download_leaves_no_file_but_keeps_what_an_earlier_one_brought) {
  open()->drop_if_empty();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
  interrupt_after("hello ", md5_of("hello world"));
  open()->drop_if_empty();
  EXPECT_EQ(content(path_ + ".part"), "hello ");
}

TEST_F(file_download, folder_is_no_file) {
  const auto target = download_to_file({folder_, "files/a"});
  ASSERT_FALSE(target);
  EXPECT_EQ(target.error().code, errc::invalid_argument);
}

TEST_F(file_download, upload_reads_the_file_in_any_pieces_and_digests_it) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += static_cast<char>(i * 7);
  std::ofstream(path_, std::ios::binary) << text;
  const auto source = upload_file::open(path_);
  ASSERT_TRUE(source);
  EXPECT_EQ((*source)->length(), text.size());
  std::string got;
  std::vector<std::byte> piece(7777);
  for (;;) {
    const auto count = (*source)->read(piece);
    ASSERT_TRUE(count);
    if (*count == 0) break;
    got.append(reinterpret_cast<const char*>(piece.data()), *count);
  }
  EXPECT_EQ(got, text);
  EXPECT_EQ((*source)->md5_hex(), md5_of(text));
}

TEST_F(file_download, upload_of_what_is_not_there_or_a_folder_is_refused) {
  EXPECT_EQ(upload_file::open(path_).error().code, errc::not_found);
  EXPECT_EQ(upload_file::open(folder_).error().code, errc::invalid_argument);
}

// crc32 of "hello world", in base64
constexpr const char* hello_world_crc32 = "DUoRhQ==";

TEST_F(file_download, a_checksum_of_the_whole_object_proves_what_was_stored_in_parts) {
  for (const auto* body : {"hello world", "hello wOrld"}) {
    const auto target = open();
    auto response = ok_response("0123-2");
    response.headers.emplace_back("x-amz-checksum-crc32", hello_world_crc32);
    ASSERT_TRUE(target->head(response));
    write(*target, body);
    EXPECT_EQ(target->finish().has_value(), body == std::string("hello world")) << body;
  }
}

TEST_F(file_download, a_continued_one_asks_for_the_checksum_that_a_range_does_not_have) {
  interrupt_after("hello ", "0123-2");
  for (const auto* rest : {"wOrld", "world"}) {
    if (rest == std::string("world")) interrupt_after("hello ", "0123-2");
    const auto target = open();
    EXPECT_TRUE(target->wants_checksum());
    auto other = ok_response("4567-2");
    other.headers.emplace_back("x-amz-checksum-crc32", "AAAAAA==");
    target->learn_checksum(other); // of an object that replaced this one meanwhile
    EXPECT_TRUE(target->wants_checksum());
    auto about = ok_response("0123-2");
    about.headers.emplace_back("x-amz-checksum-crc32", hello_world_crc32);
    target->learn_checksum(about);
    EXPECT_FALSE(target->wants_checksum());
    ASSERT_TRUE(target->head(partial_response("0123-2", "bytes 6-10/11")));
    write(*target, rest);
    EXPECT_EQ(target->finish().has_value(), rest == std::string("world")) << rest;
  }
}

TEST_F(file_download, a_checksum_composed_of_the_parts_says_nothing_of_the_bytes) {
  file_options options{path_, "files/a"};
  int asked = 0;
  options.check_unproven = [&](int, const std::string& etag) -> result<void> {
    ++asked;
    EXPECT_EQ(etag, "0123-2");
    return {};
  };
  const auto target = *download_to_file(std::move(options));
  auto response = ok_response("0123-2");
  response.headers.emplace_back("x-amz-checksum-crc32", std::string(hello_world_crc32) + "-2");
  ASSERT_TRUE(target->head(response));
  write(*target, "anything");
  EXPECT_TRUE(target->finish());
  EXPECT_EQ(asked, 1);
}

TEST_F(file_download, the_file_gets_the_time_that_the_answer_says) {
  for (const std::int64_t ns : {7'000'000'009LL, -1'500'000'000LL}) {
    file_options options{path_, "files/a"};
    options.time_ns_of = [&](const http_response&) { return std::optional(ns); };
    const auto target = *download_to_file(std::move(options));
    ASSERT_TRUE(target->head(ok_response(md5_of("x"))));
    write(*target, "x");
    ASSERT_TRUE(target->finish());
    struct stat about {};
    ASSERT_EQ(::stat(path_.c_str(), &about), 0);
    EXPECT_EQ(about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec, ns);
  }
}

} // namespace cairn::cli::file_transfer_test
