// Rules of a lifecycle without the transitions to other storage classes, which Cairn does not have: a rule keeps what
// it expires and aborts, and is left out when it has nothing else. Pure.
#pragma once

#include "net/s3/xml/xml_reader.hpp"

#include <string>

namespace cairn::cli {

struct taken_rules {
  std::string document = {};      // a LifecycleConfiguration; empty: no rule is left
  std::string changed_rules = {}; // "rule archive, rule old"; empty: the document has no transitions
};

taken_rules without_transitions(const net::xml_element& lifecycle);

} // namespace cairn::cli
