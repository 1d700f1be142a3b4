// The objects below a prefix (listing.hpp), page by page. Keys that end in '/' and hold no bytes mark folders for other
// tools and are left out. corrupt when the server does not list in the order of the keys' bytes, as S3 does: then a
// comparison would delete what is there.
#pragma once

#include "cli/client/listing_progress.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/sync/listing.hpp"

#include <memory>

namespace cairn::cli {

class remote_tree : public item_listing {
public:
  remote_tree(std::unique_ptr<http_client> client, std::string bucket, std::string prefix)
      : client_(std::move(client)), query_{std::move(bucket), std::move(prefix), {}} {}
  // Whether there is any key below the prefix. Before the first `next`.
  result<bool> holds_anything();
  result<std::optional<listed_item>> next() override;

private:
  result<void> fetch();

  std::unique_ptr<http_client> client_;
  list_query query_;
  list_page page_;
  listing_progress progress_;
  std::size_t next_ = 0;
  bool began_ = false;
  std::string last_key_;
};

} // namespace cairn::cli
