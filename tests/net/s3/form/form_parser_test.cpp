#include "net/s3/form/form_parser.hpp"

#include <gtest/gtest.h>

namespace cairn::net::form_parser_test {

std::string part(const std::string& name, const std::string& value) {
  return "--b\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
}

std::string file_part(const std::string& disposition = "name=\"file\"; filename=\"a.txt\"") {
  return "--b\r\nContent-Disposition: form-data; " + disposition + "\r\nContent-Type: text/plain\r\n\r\n";
}

struct outcome {
  std::vector<form_field> fields;
  std::string file_name, content, refusal;
};

// The body in pieces of `piece` bytes, the file into a room of `room` bytes.
outcome read(std::string_view body, std::size_t piece = 1 << 20, std::size_t room = 1 << 20, std::uint64_t size_min = 0,
             std::uint64_t size_max = 1 << 20) {
  form_parser parser{"b"};
  outcome out;
  std::string waiting;
  for (; !body.empty() && !parser.at_file(); body.remove_prefix(std::min(piece, body.size()))) {
    waiting += body.substr(0, piece);
    const auto taken = parser.take(waiting);
    if (const auto* refused = std::get_if<s3_error>(&taken)) return {{}, {}, {}, std::string{refused->code}};
    waiting.erase(0, std::get<std::size_t>(taken));
  }
  out.fields = parser.fields();
  out.file_name = parser.file_name();
  if (!parser.at_file()) {
    out.refusal = "no file";
    return out;
  }
  form_file file{parser.delimiter(), size_min, size_max};
  while (true) {
    const auto taken = file.take(waiting, room);
    if (const auto* refused = std::get_if<s3_error>(&taken)) {
      out.refusal = refused->code;
      return out;
    }
    const auto& found = std::get<form_file::piece>(taken);
    EXPECT_LE(found.content, room);
    EXPECT_LE(found.content, found.used);
    out.content += waiting.substr(0, found.content);
    waiting.erase(0, found.used);
    if (found.used > 0) continue;
    if (body.empty()) break;
    waiting += body.substr(0, piece);
    body.remove_prefix(std::min(piece, body.size()));
  }
  if (const auto refused = file.finish()) out.refusal = refused->code;
  return out;
}

std::string refusal(std::string_view body) {
  return read(body).refusal;
}

TEST(form_parser, reads_fields_and_the_file_however_the_body_is_cut) {
  const auto content = std::string{"bytes\r\n--a\r\n\r\n-"} + '\0' + "\r\r\n-\r\n";
  const auto body = part("key", "a/${filename}") + part("empty", "") + part("lines", "one\r\ntwo\r\n--") + file_part() +
                    content + "\r\n--b--\r\n";
  for (std::size_t piece = 1; piece <= body.size(); ++piece) {
    for (const std::size_t room : {1, 2, 7, 1000}) {
      const auto out = read(body, piece, room);
      ASSERT_EQ(out.refusal, "") << piece;
      ASSERT_EQ(out.fields.size(), 3u);
      EXPECT_EQ(out.fields[0].name, "key");
      EXPECT_EQ(out.fields[0].value, "a/${filename}");
      EXPECT_EQ(out.fields[1].value, "");
      EXPECT_EQ(out.fields[2].value, "one\r\ntwo\r\n--");
      EXPECT_EQ(out.file_name, "a.txt");
      ASSERT_EQ(out.content, content) << piece << ' ' << room;
    }
  }
}

TEST(form_parser, ends_the_file_at_the_first_delimiter_and_ignores_what_follows) {
  EXPECT_EQ(read(file_part() + "\r\n--b--").content, "");
  EXPECT_EQ(read(file_part() + "x\r\n--b--\r\nepilogue").content, "x");
  const auto two = read(file_part() + "x\r\n" + part("late", "1") + file_part() + "y\r\n--b--\r\n");
  EXPECT_EQ(two.content, "x");
  EXPECT_TRUE(two.fields.empty());
  EXPECT_EQ(read(file_part() + "x\r\n--b  \t\r\n" + part("late", "1")).content, "x");
}

TEST(form_parser, reads_names_of_files_as_browsers_and_curl_write_them) {
  const auto name = [](const std::string& disposition) { return read(file_part(disposition) + "\r\n--b--").file_name; };
  EXPECT_EQ(name("name=file; filename=plain.txt"), "plain.txt");
  EXPECT_EQ(name("name=\"file\"; filename=\"/a/b/c.txt\""), "c.txt");
  EXPECT_EQ(name("name=\"file\"; filename=\"C:\\dir\\c.txt\""), "c.txt");
  EXPECT_EQ(name("name=\"file\"; filename=\"say \\\"hi\\\"; x=y.txt\""), "say \"hi\"; x=y.txt");
  EXPECT_EQ(name("filename=\"first.txt\"; name=\"file\""), "first.txt");
  EXPECT_EQ(name("name=\"FILE\""), "");
}

TEST(form_parser, refuses_what_is_no_form) {
  EXPECT_EQ(refusal("hello"), "MalformedPOSTRequest");
  EXPECT_EQ(refusal("--c\r\n"), "MalformedPOSTRequest");
  EXPECT_EQ(refusal("--bc\r\n"), "MalformedPOSTRequest");
  EXPECT_EQ(refusal("--b\r\n\r\nno head\r\n--b--"), "MalformedPOSTRequest");
  EXPECT_EQ(refusal("--b\r\nContent-Disposition: attachment; name=\"file\"\r\n\r\n"), "MalformedPOSTRequest");
  EXPECT_EQ(refusal("--b\r\nContent-Disposition: form-data\r\n\r\n"), "MalformedPOSTRequest");
  EXPECT_EQ(refusal("--b\r\nContent-Disposition: form-data; name=\"a\r\n\r\n"), "MalformedPOSTRequest");
  EXPECT_EQ(refusal("--b\r\nContent-Disposition: form-data; name=a\r\ncontent-disposition: form-data; name=b\r\n\r\n"),
            "MalformedPOSTRequest");
  EXPECT_EQ(refusal(file_part() + "x\r\n--bc"), "MalformedPOSTRequest") << "the file holds the boundary";
  EXPECT_EQ(refusal(file_part() + "x\r\n--b"), "MalformedPOSTRequest") << "an end that is none";
  EXPECT_EQ(refusal(file_part() + "x"), "MalformedPOSTRequest");
  EXPECT_EQ(refusal(part("key", "k") + "--b--\r\n"), "InvalidArgument") << "no file";
  EXPECT_EQ(refusal(part("key", "k")), "no file");
}

TEST(form_parser, bounds_what_precedes_the_file) {
  constexpr auto too_long = "MaxPostPreDataLengthExceededError";
  EXPECT_EQ(refusal(part("key", std::string(form_text_bytes_max - 3, 'x')) + file_part() + "\r\n--b--"), "");
  EXPECT_EQ(refusal(part("key", std::string(form_text_bytes_max - 2, 'x')) + file_part() + "\r\n--b--"), too_long);
  EXPECT_EQ(refusal(part("key", std::string(form_text_bytes_max + 100, 'x'))), too_long) << "without its end";
  std::string many;
  for (std::size_t i = 0; i < form_fields_max; ++i) many += part("f", "");
  EXPECT_EQ(refusal(many + file_part() + "\r\n--b--"), "");
  EXPECT_EQ(refusal(many + part("f", "") + file_part() + "\r\n--b--"), too_long);
  const auto head = "--b\r\nX: " + std::string(form_part_head_bytes_max, 'x');
  EXPECT_EQ(refusal(head), "MalformedPOSTRequest");
  std::string heads;
  for (int i = 0; i < 20; ++i)
    heads += "--b\r\nX: " + std::string(form_part_head_bytes_max - 200, 'x') +
             "\r\nContent-Disposition: form-data; name=f\r\n\r\n\r\n";
  EXPECT_EQ(refusal(heads), too_long);
}

TEST(form_parser, bounds_the_file) {
  const auto body = file_part() + std::string(100, 'x') + "\r\n--b--";
  EXPECT_EQ(read(body, 10, 10, 100, 100).refusal, "");
  EXPECT_EQ(read(body, 10, 10, 0, 99).refusal, "EntityTooLarge");
  EXPECT_LT(read(body, 10, 10, 0, 50).content.size(), 60u) << "refused before its end";
  EXPECT_EQ(read(body, 10, 10, 101, 200).refusal, "EntityTooSmall");
}

TEST(form_parser, finds_the_boundary_in_a_content_type) {
  EXPECT_EQ(form_boundary("multipart/form-data; boundary=abc"), "abc");
  EXPECT_EQ(form_boundary("Multipart/Form-Data; charset=utf-8; Boundary=\"a b\""), "a b");
  EXPECT_FALSE(form_boundary("multipart/form-data"));
  EXPECT_FALSE(form_boundary("multipart/form-data; boundary="));
  EXPECT_FALSE(form_boundary("multipart/form-data; boundary=" + std::string(71, 'x')));
  EXPECT_FALSE(form_boundary("multipart/mixed; boundary=abc"));
  EXPECT_FALSE(form_boundary("application/x-www-form-urlencoded"));
  EXPECT_FALSE(form_boundary(""));
}

} // namespace cairn::net::form_parser_test
