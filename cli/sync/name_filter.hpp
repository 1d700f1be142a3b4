// --exclude and --include: every name is taken at first, and of the patterns that match a name the last decides, as
// with `aws s3 sync`. Patterns are those of fnmatch(3) over the whole relative name; '*' also matches '/'. A pattern
// that ends in '/' means everything below that folder. Pure.
#pragma once

#include <string>
#include <vector>

namespace cairn::cli {

class name_filter {
public:
  void exclude(std::string pattern) { add(std::move(pattern), false); }
  void include(std::string pattern) { add(std::move(pattern), true); }
  bool takes(const std::string& name) const;

private:
  struct rule {
    std::string pattern;
    bool includes;
  };
  void add(std::string pattern, bool includes);
  std::vector<rule> rules_;
};

} // namespace cairn::cli
