// Walks a bucket's keys with all versions of each, page by page, in the order in which the server lists them (of S3:
// that of the keys' bytes). Keeps one page and the versions of one key, at most versions_of_key_max. Errors: those of
// the listing; corrupt: it would never end; too_large: a key has too many versions; cancelled: it was stopped.
#pragma once

#include "cli/client/listing_progress.hpp"
#include "cli/import/version_page.hpp"

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cairn::cli {

constexpr std::size_t versions_of_key_max = 1'000'000;

class version_listing {
public:
  using query = std::vector<std::pair<std::string, std::string>>;
  // Answers the XML of one page.
  using page_request = std::function<result<std::string>(const query&)>;

  // Asked before each page: whether the walk ends here.
  using stop_request = std::function<bool()>;

  enum class scope : std::uint8_t { all_versions, current_objects };
  version_listing(scope what, page_request ask, stop_request stops, std::string prefix = {},
                  std::size_t versions_max = versions_of_key_max)
      : what_(what),
        ask_(std::move(ask)),
        stops_(std::move(stops)),
        prefix_(std::move(prefix)),
        versions_max_(versions_max) {}
  result<std::optional<key_history>> next(); // nothing: the end

private:
  result<void> fetch();
  query next_query() const;

  scope what_;
  page_request ask_;
  stop_request stops_;
  std::string prefix_;
  std::size_t versions_max_;
  version_page page_;
  listing_progress progress_;
  std::size_t next_ = 0;
  bool began_ = false;
};

} // namespace cairn::cli
