#include "cli/transfer/multipart_upload.hpp"

#include <gtest/gtest.h>

namespace cairn::cli::multipart_upload_test {

TEST(multipart_upload, the_newest_upload_of_exactly_the_key_is_found) {
  const auto* xml =
      "<ListMultipartUploadsResult><EncodingType>url</EncodingType>"
      "<Upload><Key>a+b</Key><UploadId>1</UploadId><Initiated>2024-01-01T00:00:00.000Z</Initiated></Upload>"
      "<Upload><Key>a+b</Key><UploadId>2</UploadId><Initiated>2024-01-03T00:00:00.000Z</Initiated></Upload>"
      "<Upload><Key>a+b</Key><UploadId>3</UploadId><Initiated>2024-01-02T00:00:00.000Z</Initiated></Upload>"
      "<Upload><Key>a+bc</Key><UploadId>4</UploadId><Initiated>2024-01-09T00:00:00.000Z</Initiated></Upload>"
      "</ListMultipartUploadsResult>";
  const auto found = newest_upload(xml, "a b");
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->id, "2");
  EXPECT_EQ((*found)->initiated, "2024-01-03T00:00:00.000Z");
  const auto none = newest_upload(xml, "a");
  ASSERT_TRUE(none);
  EXPECT_FALSE(*none);
  EXPECT_FALSE(newest_upload("<Error/>", "a"));
}

TEST(multipart_upload, pages_of_parts_gather) {
  open_upload upload{"1"};
  const auto marker =
      add_parts("<ListPartsResult><ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm>"
                "<ChecksumType>FULL_OBJECT</ChecksumType><IsTruncated>true</IsTruncated>"
                "<NextPartNumberMarker>1</NextPartNumberMarker>"
                "<Part><PartNumber>1</PartNumber><ETag>\"ab\"</ETag><Size>5</Size></Part></ListPartsResult>",
                upload);
  ASSERT_TRUE(marker);
  EXPECT_EQ(*marker, "1");
  EXPECT_TRUE(upload.with_crc64);
  const auto last =
      add_parts("<ListPartsResult><ChecksumAlgorithm>SHA256</ChecksumAlgorithm><IsTruncated>false</IsTruncated>"
                "<Part><PartNumber>3</PartNumber><ETag>cd</ETag><Size>6</Size></Part></ListPartsResult>",
                upload);
  ASSERT_TRUE(last);
  EXPECT_EQ(*last, "");
  EXPECT_TRUE(upload.other_checksum) << "nothing that this client can continue";
  ASSERT_EQ(upload.parts.size(), 2U);
  EXPECT_EQ(upload.parts[1].etag, "ab");
  EXPECT_EQ(upload.parts[3].size_bytes, 6U);
}

TEST(multipart_upload, answers_without_the_documented_shape_are_refused) {
  open_upload upload{"1"};
  EXPECT_FALSE(add_parts("<ListPartsResult><IsTruncated>true</IsTruncated></ListPartsResult>", upload));
  EXPECT_FALSE(add_parts("<ListPartsResult><Part><ETag>x</ETag><Size>1</Size></Part></ListPartsResult>", upload));
  EXPECT_FALSE(add_parts("<Other/>", upload));
}

TEST(multipart_upload, the_etag_is_the_md5_of_the_parts_md5s) {
  part_map parts{{1, {5, "5d41402abc4b2a76b9719d911017c592"}}, {2, {5, "7d793037a0760186574b0282f2f435e7"}}};
  // printf 5d41402abc4b2a76b9719d911017c5927d793037a0760186574b0282f2f435e7 | xxd -r -p | md5sum
  EXPECT_EQ(composed_etag(parts), "065947336a2f2a95ba8899f3675c3be6-2");
  EXPECT_EQ(complete_upload_xml(parts).find("<PartNumber>1</PartNumber>") != std::string::npos, true);
  parts[2].etag = "abc-2";
  EXPECT_FALSE(composed_etag(parts));
}

} // namespace cairn::cli::multipart_upload_test
