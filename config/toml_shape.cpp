#include "config/toml_shape.hpp"

namespace cairn::config {

namespace {

class scanner {
public:
  explicit scanner(std::string_view text) : text_(text) {}

  std::optional<shape_problem> run() {
    if (text_.size() > toml_bytes_max) return shape_problem{1, 1, "the file is larger than 1 MiB"};
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '"' || c == '\'')
        skip_string(c);
      else if (c == '#')
        skip_comment();
      else if (const auto found = step(c))
        return found;
    }
    return std::nullopt;
  }

private:
  std::optional<shape_problem> step(char c) {
    ++at_;
    if (c == '.' && ++dots_ > toml_key_dots_max) return here("a key has too many dots");
    if (c == '[' || c == '{')
      if (++brackets_ > toml_brackets_max) return here("values are nested too deeply");
    if ((c == ']' || c == '}') && brackets_ > 0) --brackets_;
    if (c == '\n' || c == '=' || c == ',' || c == '[' || c == ']' || c == '{' || c == '}') dots_ = 0;
    return std::nullopt;
  }

  bool three(char quote) const {
    return at_ + 2 < text_.size() && text_[at_] == quote && text_[at_ + 1] == quote && text_[at_ + 2] == quote;
  }

  void skip_string(char quote) {
    const bool multi_line = three(quote);
    at_ += multi_line ? 3 : 1;
    while (at_ < text_.size()) {
      if (quote == '"' && text_[at_] == '\\') {
        at_ += 2;
      } else if (multi_line && three(quote)) {
        at_ += 3;
        for (int extra = 0; extra < 2 && at_ < text_.size() && text_[at_] == quote; ++extra) ++at_;
        return;
      } else if (!multi_line && (text_[at_] == quote || text_[at_] == '\n')) {
        at_ += text_[at_] == quote ? 1 : 0;
        return;
      } else {
        ++at_;
      }
    }
  }

  void skip_comment() {
    while (at_ < text_.size() && text_[at_] != '\n') ++at_;
  }

  shape_problem here(std::string_view what) const {
    shape_problem out{1, 1, what};
    for (std::size_t i = 0; i + 1 < at_; ++i) {
      ++out.column;
      if (text_[i] == '\n') {
        ++out.line;
        out.column = 1;
      }
    }
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t dots_ = 0, brackets_ = 0;
};

} // namespace

std::optional<shape_problem> check_shape(std::string_view text) {
  return scanner(text).run();
}

} // namespace cairn::config
