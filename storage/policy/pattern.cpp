#include "storage/policy/pattern.hpp"

#include "base/visible_text.hpp"
#include "storage/policy/request.hpp"

#include <algorithm>

namespace cairn::storage::policy {

namespace {

constexpr char lower_letter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string_view without_spaces(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// A pattern in the form in which it is matched: wildcards are bytes that UTF-8 does not have.
constexpr char one_mark = '\xfe', any_mark = '\xff';

// The text's first character; a byte that is not UTF-8 counts as one.
std::size_t character_bytes(std::string_view text) {
  return std::max<std::size_t>(first_character(text).bytes, 1);
}

bool glob(std::string_view pattern, std::string_view text, bool fold) {
  const auto same = [fold](char a, char b) { return a == b || (fold && lower_letter(a) == lower_letter(b)); };
  std::size_t p = 0, t = 0, star = pattern.npos, resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == any_mark) {
      star = ++p;
      resume = t;
    } else if (p < pattern.size() && pattern[p] == one_mark) {
      ++p;
      t += character_bytes(text.substr(t));
    } else if (p < pattern.size() && same(pattern[p], text[t])) {
      ++p;
      ++t;
    } else if (star != pattern.npos) {
      p = star;
      t = resume += character_bytes(text.substr(resume));
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == any_mark) ++p;
  return p == pattern.size();
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
  if (!named || named->key == context_key::request_object_tag_keys || is_of_object_lock(named->key)) {
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
  if (!has_variables_) return glob(outline_, text, fold);
  std::string marked;
  for (const auto& p : pieces_) {
    if (p.what == kind::variable) {
      auto value = values({p.key, p.text});
      if (!value) value = p.otherwise;
      if (!value) return false;
      // Bytes that stand for wildcards are in no UTF-8; a header may hold them, and then nothing is equal to it.
      if (value->find(one_mark) != value->npos || value->find(any_mark) != value->npos) return false;
      marked += *value;
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
  return glob(outline_, text, false);
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
