// S3's XML documents. Written by an appending writer and not through a document tree: a page of 1,000 keys is the most
// frequent answer after small objects, and a tree costs ten times the time and memory of the bytes. Clients' documents
// are parsed in net/s3/xml/xml_reader.cpp.
#pragma once

#include "storage/metadata/read/view.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::net {

// The account. It owns all buckets, and all objects that nobody else owns.
constexpr std::string_view owner_id = storage::policy::canonical_owner;
// The id of an object's owner as rows have it, for clients.
constexpr std::string_view shown_owner(std::string_view owner) {
  return owner.empty() ? owner_id : owner;
}

class xml_writer {
public:
  xml_writer() : out_("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n") {}
  void open(std::string_view element, std::string_view attributes = {});
  void close(std::string_view element);
  void text(std::string_view element, std::string_view value);
  void number(std::string_view element, std::uint64_t value);
  void owner(std::string_view id = {}, std::string_view element = "Owner"); // empty: the account
  void raw(std::string_view bytes) { out_ += bytes; }
  // Control characters as references, as S3 does; what XML cannot write even so (NUL, U+FFFE, U+FFFF, bytes that are
  // not UTF-8) as U+FFFD.
  void escaped(std::string_view value);
  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  std::string& bytes() { return out_; }
  std::string take() { return std::move(out_); }

private:
  std::string out_;
};

// An element with a key or a prefix, URL-encoded if the client requested it (encoding-type).
void append_name(xml_writer& xml, std::string_view element, std::string_view name, bool encode_url);

// A text of the request for its answer: bytes that are not allowed in XML 1.0 (control characters, invalid UTF-8) are
// replaced by U+FFFD, so that every parser accepts the document.
std::string readable_xml(std::string_view text);

constexpr std::string_view s3_name_space = "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"";

// The parameters of a list request that the answer repeats, with its query.
struct list_request {
  storage::metadata::listing_query query;
  bool version_2 = true;
  bool encode_url = false;
  bool with_owner = true;           // version 2: fetch-owner
  std::string marker;               // version 1
  std::string start_after;          // version 2, as given
  std::optional<std::string> token; // version 2, as given; an empty one begins at the first key
};

std::string list_objects_xml(const list_request& request, const storage::metadata::listing& page);
// A page of the list of buckets: those after `after`, the continuation token of the previous page.
struct bucket_list_request {
  std::string prefix, after;
  std::uint32_t buckets_max = 0; // 0: all
  std::string region;            // of all buckets, for the answer; empty: it is not answered
};
// `buckets`: those of the page, by name. `more`: others follow.
std::string list_buckets_xml(const std::vector<storage::metadata::listed_bucket>& buckets,
                             const bucket_list_request& request = {}, bool more = false);

} // namespace cairn::net
