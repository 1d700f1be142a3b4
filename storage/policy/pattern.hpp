// Patterns of policies: text with `*` (any characters), `?` (one character) and variables (`${aws:username}`,
// `${aws:PrincipalTag/team, 'none'}`). What a variable stands for is taken literally. Matching takes
// time in proportion to both lengths, and where `?` comes after a `*`, at most a 64th of their product: a request can
// ask for the matches of thousands of keys. A pattern has at most pattern_bytes_max bytes. Pure.
#pragma once

#include "storage/policy/vocabulary.hpp"

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::storage::policy {

constexpr std::size_t pattern_bytes_max = 2048;

// The value of a variable in a request; nullopt: the request has none, or several.
using variable_values = std::function<std::optional<std::string>(const named_key&)>;

class pattern {
public:
  // `wild`: `*` and `?` are wildcards. `variables`: `${…}` is a variable, or stands for one of `*`, `?`, `$`. On
  // failure nullopt, and `problem` says why.
  static std::optional<pattern> read(std::string_view text, bool wild, bool variables, std::string& problem);

  // A variable without a value and without a default: the pattern matches nothing. `fold`: ASCII letters are equal to
  // those of the other case.
  bool matches(std::string_view text, const variable_values& values, bool fold = false) const;

  // Whether the pattern matches a text that begins with `prefix`, whatever its variables stand for.
  bool may_begin_with(std::string_view prefix) const;
  // Whether it matches the text, whatever its variables stand for.
  bool may_match(std::string_view text) const;

  bool is_fixed() const; // has neither wildcards nor variables
  const std::string& text() const { return text_; }

private:
  enum class kind : std::uint8_t { literal, one, any, variable };
  struct piece {
    kind what = kind::literal;
    std::string text; // literal; of a variable the name of its tag
    context_key key{};
    std::optional<std::string> otherwise; // of a variable: its default
  };
  static std::optional<piece> read_variable(std::string_view inside, std::string& problem);
  void add_literal(std::string_view text);
  std::string outline() const;

  std::string text_;
  std::vector<piece> pieces_;
  std::string outline_; // with marks for wildcards and variables
  bool has_variables_ = false;
  std::size_t literal_bytes_ = 0; // of outline_, before the first mark
};

enum class answer : std::uint8_t { no, yes, unknown }; // unknown: depends on what the request does not know yet
// Of two answers: no, unknown, yes.
bool weaker(answer a, answer b);

struct request;
// Whether one of the patterns matches.
answer any_matches(std::span<const pattern> patterns, std::string_view text, const request& r, bool fold);

} // namespace cairn::storage::policy
