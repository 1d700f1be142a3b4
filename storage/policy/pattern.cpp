#include "storage/policy/pattern.hpp"

#include "base/visible_text.hpp"
#include "storage/policy/request.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace cairn::storage::policy {

namespace {

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// A pattern in the form in which it is matched: wildcards are bytes that UTF-8 does not have.
constexpr char one_mark = '\xfe', any_mark = '\xff';
constexpr std::string_view marks = "\xfe\xff";

// The text's first character; a byte that is not UTF-8 counts as one.
std::size_t character_bytes(std::string_view text) {
  return std::max<std::size_t>(first_character(text).bytes, 1);
}

// Looks for a text that may hold `one_mark`, in one walk over another text: all positions that it can be in are bits of
// some words, so that a step takes a 64th of its length.
class marked_search {
public:
  explicit marked_search(std::string_view wanted) : size_(wanted.size()), words_(size_ / word_bits + 1) {
    masks_.resize(words_);
    here_.resize(words_);
    here_[0] = 1;
    for (std::size_t at = 0; at < size_; ++at) {
      auto& row = rows_[static_cast<unsigned char>(wanted[at])];
      if (row == 0) {
        row = static_cast<std::uint16_t>(masks_.size() / words_);
        masks_.resize(masks_.size() + words_);
      }
      masks_[row * words_ + at / word_bits] |= std::uint64_t{1} << at % word_bits;
    }
  }

  void step(std::string_view character) {
    if (character.size() > 1) {
      before_ = here_;
      for (const char byte : character) advance(before_, mask_of(byte), mask_of(byte));
      advance(here_, mask_of(one_mark), mask_of(one_mark));
      for (std::size_t w = 0; w < words_; ++w) here_[w] |= before_[w];
    } else {
      advance(here_, mask_of(character.front()), mask_of(one_mark));
    }
    here_[0] |= 1;
  }

  // Whether it ends where the walk is.
  bool found() const { return (here_[size_ / word_bits] >> size_ % word_bits & 1) != 0; }

private:
  static constexpr std::size_t word_bits = 64;
  using positions = std::vector<std::uint64_t>; // bit i: the first i bytes end here

  const std::uint64_t* mask_of(char byte) const {
    return masks_.data() + rows_[static_cast<unsigned char>(byte)] * words_;
  }

  // From the positions where one of two bytes comes next.
  void advance(positions& set, const std::uint64_t* one, const std::uint64_t* other) const {
    std::uint64_t carry = 0;
    for (std::size_t w = 0; w < words_; ++w) {
      const std::uint64_t kept = set[w] & (one[w] | other[w]);
      set[w] = kept << 1 | carry;
      carry = kept >> (word_bits - 1);
    }
  }

  std::size_t size_, words_;
  std::array<std::uint16_t, 256> rows_{}; // of the masks; 0: the byte is nowhere
  positions masks_, here_, before_;
};

// Where the first occurrence ends; nothing: there is none. The texts that are looked for have no `any_mark`.
std::optional<std::size_t> end_of_first(std::string_view wanted, std::string_view text) {
  if (wanted.empty()) return 0;
  if (wanted.find(one_mark) == wanted.npos) { // memmem takes linear time, find does not
    const auto* const at = static_cast<const char*>(::memmem(text.data(), text.size(), wanted.data(), wanted.size()));
    return at ? std::optional{static_cast<std::size_t>(at - text.data()) + wanted.size()} : std::nullopt;
  }
  marked_search search{wanted};
  for (std::size_t at = 0; at < text.size();) {
    const auto bytes = character_bytes(text.substr(at));
    search.step(text.substr(at, bytes));
    at += bytes;
    if (search.found()) return at;
  }
  return std::nullopt;
}

// Likewise of one at the beginning.
std::optional<std::size_t> end_of_beginning(std::string_view wanted, std::string_view text) {
  std::size_t at = 0;
  for (const char c : wanted) {
    if (at == text.size() || (c != one_mark && c != text[at])) return std::nullopt;
    at += c == one_mark ? character_bytes(text.substr(at)) : 1;
  }
  return at;
}

bool has_ending(std::string_view wanted, std::string_view text) {
  if (wanted.find(one_mark) == wanted.npos) return text.ends_with(wanted);
  marked_search search{wanted};
  for (std::size_t at = 0; at < text.size();) {
    const auto bytes = character_bytes(text.substr(at));
    search.step(text.substr(at, bytes));
    at += bytes;
  }
  return search.found();
}

// What is between two `any_mark`s is best taken at its first occurrence. So nothing is looked at again, whatever the
// pattern says: a request can ask for thousands of matches.
bool glob(std::string_view pattern, std::string_view text) {
  auto any = pattern.find(any_mark);
  auto end = end_of_beginning(pattern.substr(0, any), text);
  if (any == pattern.npos || !end) return end == text.size();
  for (;;) {
    text.remove_prefix(*end);
    pattern.remove_prefix(any + 1);
    any = pattern.find(any_mark);
    if (any == pattern.npos) return has_ending(pattern, text);
    end = end_of_first(pattern.substr(0, any), text);
    if (!end) return false;
  }
}

bool glob(std::string_view pattern, std::string_view text, bool fold) {
  return fold ? glob(lower_case(pattern), lower_case(text)) : glob(pattern, text);
}

} // namespace

void pattern::add_literal(std::string_view text) {
  if (text.empty()) return;
  if (pieces_.empty() || pieces_.back().what != kind::literal) pieces_.push_back({kind::literal, {}, {}, {}});
  pieces_.back().text += text;
}

std::optional<pattern::piece> pattern::read_variable(std::string_view inside, std::string& problem) {
  piece made{kind::variable, {}, {}, {}};
  const auto comma = inside.find(',');
  if (comma != inside.npos) {
    const auto otherwise = without_spaces(inside.substr(comma + 1));
    if (otherwise.size() < 2 || otherwise.front() != '\'' || otherwise.back() != '\'' ||
        otherwise.substr(1, otherwise.size() - 2).find('\'') != otherwise.npos) {
      problem = "the default of the variable ${" + std::string{inside} + "} is not in single quotes";
      return std::nullopt;
    }
    made.otherwise = otherwise.substr(1, otherwise.size() - 2);
  }
  const auto named = key_of(without_spaces(inside.substr(0, comma)));
  if (!named || named->key == context_key::request_object_tag_keys || is_of_object_lock(named->key) ||
      is_of_web_identity(named->key) || is_of_session_tags(named->key)) {
    problem = "the variable ${" + std::string{inside} + "} is unknown";
    return std::nullopt;
  }
  made.key = named->key;
  made.text = named->name;
  return made;
}

std::optional<pattern> pattern::read(std::string_view text, bool wild, bool variables, std::string& problem) {
  if (text.size() > pattern_bytes_max) {
    problem = "a value is longer than " + std::to_string(pattern_bytes_max) + " bytes";
    return std::nullopt;
  }
  pattern made;
  made.text_ = text;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (variables && text.substr(at).starts_with("${")) {
      const auto end = text.find('}', at);
      if (end == text.npos) {
        problem = "a variable without its closing brace";
        return std::nullopt;
      }
      const auto inside = text.substr(at + 2, end - at - 2);
      if (inside == "*" || inside == "?" || inside == "$") {
        made.add_literal(inside);
      } else {
        auto variable = read_variable(inside, problem);
        if (!variable) return std::nullopt;
        made.pieces_.push_back(std::move(*variable));
      }
      at = end + 1;
    } else if (wild && (c == '*' || c == '?')) {
      const bool again = c == '*' && !made.pieces_.empty() && made.pieces_.back().what == kind::any;
      if (!again) made.pieces_.push_back({c == '*' ? kind::any : kind::one, {}, {}, {}});
      ++at;
    } else {
      made.add_literal(text.substr(at, 1));
      ++at;
    }
  }
  made.outline_ = made.outline();
  made.literal_bytes_ = std::min(made.outline_.find_first_of(marks), made.outline_.size());
  made.has_variables_ =
      std::any_of(made.pieces_.begin(), made.pieces_.end(), [](const piece& p) { return p.what == kind::variable; });
  return made;
}

std::string pattern::outline() const {
  std::string marked;
  for (const auto& p : pieces_) {
    if (p.what == kind::literal)
      marked += p.text;
    else
      marked += p.what == kind::one ? one_mark : any_mark;
  }
  return marked;
}

bool pattern::matches(std::string_view text, const variable_values& values, bool fold) const {
  if (!has_variables_) {
    // Most statements are about something else, and most differ before the first wildcard.
    const auto literal = std::string_view{outline_}.substr(0, literal_bytes_);
    return (fold || text.starts_with(literal)) && glob(outline_, text, fold);
  }
  std::string marked;
  for (const auto& p : pieces_) {
    if (p.what == kind::variable) {
      auto value = values({p.key, p.text});
      if (!value) value = p.otherwise;
      if (!value) return false;
      // Bytes that stand for wildcards are in no UTF-8; a header may hold them, and then nothing is equal to it.
      if (value->find(one_mark) != value->npos || value->find(any_mark) != value->npos) return false;
      marked += *value;
      // Longer than all that it could match, also if variables are to come that make it longer still.
      const auto wildcards = static_cast<std::size_t>(std::ranges::count(marked, any_mark));
      if (marked.size() - wildcards > text.size()) return false;
    } else if (p.what == kind::literal) {
      marked += p.text;
    } else {
      marked += p.what == kind::one ? one_mark : any_mark;
    }
  }
  return glob(marked, text, fold);
}

// Follows all positions that the pattern can be in. A variable is like `*`.
bool pattern::may_begin_with(std::string_view prefix) const {
  const std::string& marked = outline_;
  std::vector<bool> here(marked.size() + 1);
  const auto enter = [&marked](std::vector<bool>& set, std::size_t at) {
    for (set[at] = true; at < marked.size() && marked[at] == any_mark; set[++at] = true) {
    }
  };
  enter(here, 0);
  for (std::size_t t = 0; t < prefix.size();) {
    const auto bytes = character_bytes(prefix.substr(t));
    std::vector<bool> next(marked.size() + 1);
    bool alive = false;
    for (std::size_t at = 0; at < marked.size(); ++at) {
      if (!here[at]) continue;
      if (marked[at] == any_mark) {
        enter(next, at);
        alive = true;
      } else if (marked[at] == one_mark) {
        enter(next, at + 1);
        alive = true;
      } else if (std::string_view{marked}.substr(at).starts_with(prefix.substr(t, bytes))) {
        enter(next, at + bytes);
        alive = true;
      }
    }
    if (!alive) return false;
    here = std::move(next);
    t += bytes;
  }
  return true;
}

bool pattern::may_match(std::string_view text) const {
  return glob(outline_, text);
}

bool weaker(answer a, answer b) {
  const auto rank = [](answer one) { return one == answer::no ? 0 : one == answer::unknown ? 1 : 2; };
  return rank(a) < rank(b);
}

answer any_matches(std::span<const pattern> patterns, std::string_view text, const request& r, bool fold) {
  answer found = answer::no;
  for (const auto& p : patterns) {
    bool waits = false;
    const bool fits = p.matches(
        text,
        [&](const named_key& key) {
          waits = waits || !r.knows(key.key);
          return r.value(key);
        },
        fold);
    if (waits)
      found = answer::unknown;
    else if (fits)
      return answer::yes;
  }
  return found;
}

bool pattern::is_fixed() const {
  return std::all_of(pieces_.begin(), pieces_.end(), [](const piece& p) { return p.what == kind::literal; });
}

} // namespace cairn::storage::policy
