// The regular files below a folder (listing.hpp), in the order in which S3 lists the same names: a folder "a/" comes
// after "a-b" and before "ab". Keeps the names of the folders that are open, not of the tree. Folders themselves are no
// items: S3 has none.
//
// Symbolic links are followed or skipped; one that leads back to a folder above it is an item that failed. Devices,
// FIFOs and sockets are skipped, unfinished downloads (is_partial_name) left out.
#pragma once

#include "cli/sync/listing.hpp"

#include <sys/types.h>

#include <memory>
#include <vector>

namespace cairn::cli {

class local_tree : public item_listing {
public:
  // not_found, or io_error for what is no folder or cannot be read.
  static result<std::unique_ptr<local_tree>> open(const std::string& root, bool follow_links);
  result<std::optional<listed_item>> next() override;

private:
  struct folder {
    std::string name;                 // relative, ends in '/' unless it is the root: ""
    std::vector<std::string> entries; // folders end in '/'
    std::size_t next = 0;
    dev_t device = 0;
    ino_t inode = 0;
  };
  local_tree(std::string root, bool follow_links) : root_(std::move(root)), follow_links_(follow_links) {}
  result<void> enter(const std::string& name);
  static std::string sort_name(const std::string& path, std::string name, unsigned char type);
  bool is_link(const std::string& name) const;
  std::optional<listed_item> look_at(const std::string& name);

  std::string root_;
  bool follow_links_;
  std::vector<folder> open_;
};

} // namespace cairn::cli
