#include "net/s3/operations/multipart.hpp"

#include "net/s3/operations/multipart_xml.hpp"
#include "net/wire/grammar/base64.hpp"

#include <gtest/gtest.h>

namespace cairn::net::multipart_test {
namespace metadata = storage::metadata;

std::string_view code_of(const auto& outcome) {
  const auto* refused = std::get_if<s3_error>(&outcome);
  return refused == nullptr ? "" : refused->code;
}

std::string part(int number, const std::string& etag, const std::string& more = {}) {
  return "<Part><PartNumber>" + std::to_string(number) + "</PartNumber><ETag>" + etag + "</ETag>" + more + "</Part>";
}
std::string document(const std::string& parts) {
  return "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">" + parts +
         "</CompleteMultipartUpload>";
}
const std::string tag(32, 'a');

TEST(multipart, upload_ids_come_back_and_others_are_no_uploads) {
  auto target = parse_s3_target("/b/k?uploadId=" + upload_id_text(7, ~0ull)).value();
  const auto name = std::get<metadata::upload_name>(upload_of(target));
  EXPECT_EQ(name.id, 7u);
  EXPECT_EQ(name.nonce, ~0ull);
  for (const char* text : {"", "7", "000000000000000700000000000000zz", "-0000000000000070000000000000000"}) {
    target.query = {{"uploadId", text}};
    EXPECT_EQ(code_of(upload_of(target)), "NoSuchUpload") << text;
  }
}

TEST(multipart, part_numbers_go_from_1_to_10000) {
  for (const auto& [text, good] :
       {std::pair{"1", true}, {"10000", true}, {"0", false}, {"10001", false}, {"x", false}, {"", false}}) {
    const auto target = parse_target("/b/k?partNumber=" + std::string{text}).value();
    EXPECT_EQ(code_of(part_number_of(target)), good ? "" : "InvalidArgument") << text;
  }
}

TEST(multipart, documents_name_parts_in_rising_order) {
  const auto sum = "<ChecksumSHA256>c</ChecksumSHA256>";
  const auto read =
      read_complete_request(document(part(2, "\"" + tag + "\"", sum) + part(300, "&quot;" + tag + "&quot;")));
  const auto& parts = std::get<std::vector<named_part>>(read);
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts[0].chosen.digest[0], 0xaa);
  EXPECT_EQ(parts[0].checksum_name, "sha256");
  EXPECT_EQ(parts[1].chosen.number, 300u);
  const std::pair<std::string, std::string_view> bad[] = {
      {document(""), "MalformedXML"},
      {"<Other/>", "MalformedXML"},
      {document("<Part><PartNumber>1</PartNumber></Part>"), "MalformedXML"},
      {document(part(1, tag, "<What/>")), "MalformedXML"},
      {document(part(1, tag, "<PartNumber>2</PartNumber>")), "MalformedXML"},
      {document(part(1, tag, "<ChecksumSHA256>c</ChecksumSHA256><ChecksumCRC32>c</ChecksumCRC32>")), "MalformedXML"},
      {document(part(1, "short")), "InvalidPart"},
      {document(part(1, std::string(32, 'g'))), "InvalidPart"},
      {document(part(0, tag)), "InvalidArgument"},
      {document(part(2, tag) + part(1, tag)), "InvalidPartOrder"},
      {document(part(2, tag) + part(2, tag)), "InvalidPartOrder"},
  };
  for (const auto& [body, code] : bad) EXPECT_EQ(code_of(read_complete_request(body)), code) << body;
}

TEST(multipart, documents_may_name_10000_parts) {
  std::string parts;
  const std::string sum = "<ChecksumSHA256>" + std::string(44, 'c') + "</ChecksumSHA256>";
  for (int number = 1; number <= 10'000; ++number) parts += part(number, "&quot;" + tag + "&quot;", sum);
  const auto body = document(parts);
  EXPECT_LT(body.size(), complete_body_bytes_max);
  EXPECT_EQ(std::get<std::vector<named_part>>(read_complete_request(body)).size(), 10'000u);
}

TEST(multipart, the_etag_is_the_md5_of_the_parts_md5s) {
  std::vector<named_part> parts(2);
  // MD5 of the empty text, twice.
  parts[0].chosen.digest = parts[1].chosen.digest = md5{}.finish();
  EXPECT_EQ(to_string(etag_of_parts(parts)), "5873dd45edd01f09c1ef2e7819369e8e-2");
}

TEST(multipart, an_object_is_made_by_one_upload) {
  const metadata::etag etag{.digest = {7}, .parts = 1};
  metadata::object_row row{
      .size = 5, .etag = etag, .content = metadata::content_kind::manifest, .manifest = 30, .origin{{20, 99}}};
  EXPECT_TRUE(is_made_by(row, {"b", "k", 20, 99}, etag));
  EXPECT_FALSE(is_made_by(row, {"b", "k", 10, 99}, etag)) << "of an earlier upload with the same parts";
  EXPECT_FALSE(is_made_by(row, {"b", "k", 20, 1}, etag)) << "of an invented upload";
  EXPECT_FALSE(is_made_by(row, {"b", "k", 20, 99}, {.digest = {8}, .parts = 1})) << "of other parts";
  row.size = 0;
  row.content = metadata::content_kind::inline_bytes;
  EXPECT_TRUE(is_made_by(row, {"b", "k", 20, 99}, etag));
  EXPECT_FALSE(is_made_by(row, {"b", "k", 10, 99}, etag));
  row.origin.emplace();
  EXPECT_FALSE(is_made_by(row, {"b", "k", 20, 99}, etag)) << "of a copy";
}

TEST(multipart, of_an_object_that_does_not_keep_its_upload_the_ids_decide) {
  const metadata::etag etag{.digest = {7}, .parts = 1};
  metadata::object_row row{.size = 5, .etag = etag, .content = metadata::content_kind::manifest, .manifest = 30};
  EXPECT_TRUE(is_made_by(row, {"b", "k", 29, 99}, etag));
  EXPECT_FALSE(is_made_by(row, {"b", "k", 31, 99}, etag));
  EXPECT_FALSE(is_made_by(row, {"b", "k", 29, 99}, {.digest = {7}, .parts = 2}));
  row.content = metadata::content_kind::inline_bytes;
  EXPECT_FALSE(is_made_by(row, {"b", "k", 29, 99}, etag));
  row.size = 0;
  EXPECT_TRUE(is_made_by(row, {"b", "k", 29, 99}, etag));
}

boost::beast::http::fields fields_of(std::string_view algorithm, std::string_view type) {
  boost::beast::http::fields fields;
  if (!algorithm.empty())
    fields.set("x-amz-checksum-algorithm", boost::beast::string_view{algorithm.data(), algorithm.size()});
  if (!type.empty()) fields.set("x-amz-checksum-type", boost::beast::string_view{type.data(), type.size()});
  return fields;
}

TEST(multipart, checksums_are_composite_unless_only_the_whole_has_one) {
  const auto type_of = [](std::string_view algorithm, std::string_view type) {
    return std::get<wanted_checksum>(read_wanted_checksum(fields_of(algorithm, type))).type;
  };
  EXPECT_EQ(type_of("", ""), metadata::checksum_type::none);
  EXPECT_EQ(type_of("CRC32", ""), metadata::checksum_type::composite);
  EXPECT_EQ(type_of("CRC64NVME", ""), metadata::checksum_type::full_object);
  EXPECT_EQ(type_of("CRC32C", "FULL_OBJECT"), metadata::checksum_type::full_object);
  for (const auto& [algorithm, type] :
       {std::pair{"SHA1", "FULL_OBJECT"}, {"CRC64NVME", "COMPOSITE"}, {"MD5", ""}, {"", "COMPOSITE"}, {"CRC32", "X"}})
    EXPECT_EQ(code_of(read_wanted_checksum(fields_of(algorithm, type))), "InvalidRequest") << algorithm << type;
}

TEST(multipart, checksums_of_the_whole_come_from_those_of_the_parts) {
  const std::string texts[] = {"one", "two and more", "3"};
  for (const auto type : {metadata::checksum_type::composite, metadata::checksum_type::full_object}) {
    whole_checksum whole{{"crc32c", type}};
    std::string all, sums;
    for (const auto& text : texts) {
      net::running_checksum sum{net::checksum_kind::crc32c};
      sum.update(std::as_bytes(std::span{text}));
      const auto bytes = sum.finish();
      all += text;
      sums += bytes;
      metadata::uploaded_part row{.length = text.size(), .checksum_name = "crc32c", .checksum = base64_encode(bytes)};
      EXPECT_TRUE(whole.add(row));
    }
    const bool composite = type == metadata::checksum_type::composite;
    net::running_checksum expected{net::checksum_kind::crc32c};
    expected.update(std::as_bytes(std::span{composite ? sums : all}));
    EXPECT_EQ(whole.header().at(0).first, "x-amz-checksum-crc32c");
    EXPECT_EQ(whole.header().at(0).second, base64_encode(expected.finish()) + (composite ? "-3" : ""));
    EXPECT_FALSE(whole.add({.checksum_name = "sha1", .checksum = "x"}));
  }
}

TEST(multipart, an_upload_without_an_algorithm_has_the_default_checksum_if_all_its_parts_have_one) {
  running_checksum sum{checksum_kind::crc64nvme};
  sum.update(std::as_bytes(std::span{std::string_view{"part"}}));
  const metadata::uploaded_part part{
      .length = 4, .checksum_name = "crc64nvme", .checksum = base64_encode(sum.finish())};
  whole_checksum whole{{}};
  EXPECT_TRUE(whole.add(part));
  ASSERT_EQ(whole.header().size(), 1u);
  EXPECT_EQ(whole.header()[0], (std::pair{std::string{"x-amz-checksum-crc64nvme"}, part.checksum}));
  EXPECT_TRUE(whole.add({.length = 4})) << "a part that an older build stored";
  EXPECT_TRUE(whole.add(part));
  EXPECT_TRUE(whole.header().empty());
}

TEST(multipart, names_the_algorithm_as_s3_spells_it) {
  EXPECT_EQ(checksum_algorithm_text("crc64nvme"), "CRC64NVME");
  EXPECT_EQ(checksum_algorithm_text("sha256"), "SHA256");
  EXPECT_EQ(checksum_algorithm_text("md4"), "");
}

TEST(multipart, listings_of_parts_tell_whether_there_are_more) {
  auto row = std::make_shared<metadata::upload_row>();
  auto parts = std::make_shared<std::vector<metadata::uploaded_part>>();
  for (std::uint32_t number : {1, 5, 9}) parts->push_back({.number = number, .length = 7});
  const auto target = parse_s3_target("/b/k%26").value();
  const auto xml = parts_xml(target, {"id", 0, 2}, {row, parts});
  EXPECT_NE(xml.find("<Key>k&amp;</Key>"), xml.npos);
  EXPECT_NE(xml.find("<NextPartNumberMarker>5</NextPartNumberMarker>"), xml.npos);
  EXPECT_NE(xml.find("<IsTruncated>true</IsTruncated>"), xml.npos);
  EXPECT_EQ(xml.find("<PartNumber>9<"), xml.npos);
  EXPECT_NE(parts_xml(target, {"id", 0, 3}, {row, parts}).find("<IsTruncated>false"), xml.npos);
}

} // namespace cairn::net::multipart_test
