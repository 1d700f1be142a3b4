// Access control lists of another server as far as Cairn has them: the owner's full control, and for everybody reading,
// or reading and writing. All other grants stay behind. Pure.
#pragma once

#include "net/s3/xml/xml_reader.hpp"

#include <string>
#include <string_view>

namespace cairn::cli {

struct taken_grants {
  bool everybody_reads = false, everybody_writes = false; // the second only with the first
  std::string others = {};                                // "WRITE of everybody, READ of bob"; empty: none
};

// Of an AccessControlPolicy.
taken_grants read_grants(const net::xml_element& list);
bool has_grants(const net::xml_element& list); // beyond the owner's

std::string grants_xml(const taken_grants& grants);      // an AccessControlPolicy for Cairn
std::string_view canned_acl(const taken_grants& grants); // for x-amz-acl of an object; empty: private

} // namespace cairn::cli
