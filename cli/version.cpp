#include "cli/version.hpp"

#include "storage/metadata/commands/commands.hpp"

#include <boost/version.hpp>
#include <caf/config.hpp>

namespace cairn::cli {

namespace {

std::string dotted(unsigned a, unsigned b, unsigned c) {
  return std::to_string(a) + "." + std::to_string(b) + "." + std::to_string(c);
}

} // namespace

std::string version_number() {
  return CAIRN_VERSION;
}

std::string version_text() {
  return "cairn " + version_number() + " (metadata level " +
         std::to_string(unsigned{storage::metadata::feature_level}) + ", CAF " +
         dotted(CAF_VERSION / 10000, CAF_VERSION / 100 % 100, CAF_VERSION % 100) + ", Boost " +
         dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100) + ", compiler " + __VERSION__ +
         ")";
}

} // namespace cairn::cli
