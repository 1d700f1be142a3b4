#include "config/load.hpp"

#include "config/keys.hpp"
#include "config/rules.hpp"
#include "config/suggest.hpp"
#include "config/toml_shape.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

namespace cairn::config {

namespace {

constexpr std::size_t shown_bytes_max = 60;

// The value, for the "got …" of a problem.
std::string shown(const toml::node& node) {
  if (const auto* text = node.as_string()) {
    auto out = text->get();
    if (out.size() <= shown_bytes_max) return toml_quoted(out);
    std::size_t end = shown_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(out[end]) & 0xC0) == 0x80) --end; // not inside a UTF-8 sequence
    return toml_quoted(out.substr(0, end).append("…"));
  }
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  if (node.is_floating_point()) return "a number with a fraction";
  if (node.is_table()) return "a table";
  if (node.is_array()) return "an array";
  return "a date or time";
}

bool is_path(std::string_view text, std::uint64_t most) {
  return !text.empty() && text.size() <= most && text.find('\0') == std::string_view::npos;
}

// Reads one value into a slot. False: the value is not valid for the key. Faults of list elements are reported here.
class value_reader {
public:
  using report = std::function<void(const toml::node& where, const std::string& key, std::string text)>;

  value_reader(const key& k, const toml::node& node, report r) : key_(k), node_(node), report_(std::move(r)) {}

  bool operator()(bool* out) const {
    const auto v = node_.value_exact<bool>();
    if (v) *out = *v;
    return v.has_value();
  }
  bool operator()(std::uint32_t* out) const {
    const auto v = node_.value_exact<std::int64_t>();
    if (!v || *v < 0 || !within(std::uint64_t(*v))) return false;
    *out = std::uint32_t(*v);
    return true;
  }
  bool operator()(double* out) const {
    const auto v = node_.is_boolean() ? std::nullopt : node_.value<double>();
    if (!v || !(*v >= double(key_.least) && *v <= double(key_.most))) return false;
    *out = *v;
    return true;
  }
  bool operator()(byte_size* out) const {
    const auto size = size_in(node_);
    if (!size || !within(size->bytes)) return false;
    *out = *size;
    return true;
  }
  bool operator()(std::optional<byte_size>* out) const {
    if (text() == "auto") {
      out->reset();
      return true;
    }
    byte_size size;
    if (!(*this)(&size)) return false;
    *out = size;
    return true;
  }
  bool operator()(duration* out) const {
    const auto number = node_.value_exact<std::int64_t>();
    const auto parsed = parse_duration(number && *number == 0 ? "0" : text());
    if (!parsed || !within(std::uint64_t(parsed->count()))) return false;
    *out = *parsed;
    return true;
  }
  bool operator()(endpoint* out) const {
    if (node_.is_string() && text().empty() && may_be_none()) {
      *out = {};
      return true;
    }
    const auto parsed = parse_endpoint(text());
    if (parsed) *out = *parsed;
    return parsed.has_value();
  }
  bool operator()(std::string* out) const {
    const bool is_default = key_.least == 0 && text().empty();
    if (!node_.is_string() || !(is_default || is_path(text(), key_.most))) return false;
    if (key_.form == text_form::host_and_port && !is_default && !parse_host_port(text())) return false;
    *out = text();
    return true;
  }
  template <class E>
  requires std::is_enum_v<E>
  bool operator()(E* out) const {
    for (const auto& [name, value] : names_of(E{})) {
      if (name != text()) continue;
      *out = value;
      return true;
    }
    return false;
  }
  bool operator()(std::vector<std::string>* out) const {
    const auto* list = node_.as_array();
    if (!list || list->size() > key_.most) return false;
    out->clear();
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto& element = (*list)[i];
      const auto name = element.value_exact<std::string>();
      const bool with_port = key_.form == text_form::host_and_port;
      if (name && (with_port ? parse_host_port(*name).has_value() : is_host_name(*name)))
        out->push_back(*name);
      else
        report_(element, element_name(i),
                std::string(with_port ? "expected a host and a port such as \"node-2:9100\", got "
                                      : "expected a host name, without a port, got ") +
                    shown(element));
    }
    return true;
  }
  bool operator()(std::vector<disk_settings>* out) const { return read_tables(*out, &value_reader::read_disk); }
  bool operator()(std::vector<rate_limit>* out) const { return read_tables(*out, &value_reader::read_rate); }
  bool operator()(std::vector<oidc_issuer>* out) const { return read_tables(*out, &value_reader::read_issuer); }

private:
  // Whether the address is empty by default.
  bool may_be_none() const {
    settings defaults;
    return std::get<endpoint*>(key_.slot(defaults))->host.empty();
  }

  bool within(std::uint64_t n) const { return n >= key_.least && n <= key_.most && n % key_.step == 0; }

  std::string_view text() const {
    const auto* s = node_.as_string();
    return s ? std::string_view(s->get()) : std::string_view();
  }

  std::string element_name(std::size_t i) const { return key_.full_name() + '[' + std::to_string(i) + ']'; }

  // A number of bytes, or a text such as "64KiB".
  static std::optional<byte_size> size_in(const toml::node& at) {
    if (const auto number = at.value_exact<std::int64_t>())
      return *number < 0 ? std::nullopt : std::optional{byte_size{std::uint64_t(*number)}};
    const auto* text = at.as_string();
    if (!text) return std::nullopt;
    const auto parsed = parse_byte_size(text->get());
    return parsed ? std::optional{*parsed} : std::nullopt;
  }

  template <class Element>
  bool read_tables(std::vector<Element>& out,
                   Element (value_reader::*read)(const toml::node&, const std::string&) const) const {
    const auto* list = node_.as_array();
    if (!list || list->size() > key_.most) return false;
    out.clear();
    for (std::size_t i = 0; i < list->size(); ++i) out.push_back((this->*read)((*list)[i], element_name(i)));
    return true;
  }

  disk_settings read_disk(const toml::node& node, const std::string& name) const {
    constexpr std::uint64_t path_bytes_max = 4095;
    disk_settings disk;
    const auto read_path = [&](const toml::node& at, const std::string& key) {
      const auto path = at.value_exact<std::string>();
      if (path && is_path(*path, path_bytes_max))
        disk.path = *path;
      else
        report_(at, key, "expected the path of a directory, got " + shown(at));
    };
    const auto* table = node.as_table();
    if (!table) {
      read_path(node, name);
      return disk;
    }
    for (const auto& [member, value] : *table) {
      if (member == "path") {
        read_path(value, name + ".path");
      } else if (member == "weight") {
        const auto weight = value.value<double>();
        if (weight && !value.is_boolean() && std::isfinite(*weight) && *weight > 0 && *weight <= disk_weight_max)
          disk.weight = *weight;
        else
          report_(value, name + ".weight", "expected a number above 0, at most 1000000");
      } else {
        report_(value, name + '.' + std::string(member.str()), "unknown key: a disk has path and weight");
      }
    }
    if (!table->contains("path")) report_(node, name, "expected a path: {path = \"/disk1\", weight = 1}");
    return disk;
  }

  // Whether it is 0, or within the bounds.
  static bool read_rate_number(const toml::node& at, std::uint32_t most, std::uint32_t& out) {
    const auto number = at.value_exact<std::int64_t>();
    if (!number || *number < 0 || *number > std::int64_t{most}) return false;
    out = std::uint32_t(*number);
    return true;
  }
  static bool read_rate_bytes(const toml::node& at, byte_size& out) {
    const auto size = size_in(at);
    if (!size || (size->bytes != 0 && (size->bytes < rate_bytes_min || size->bytes > rate_bytes_max))) return false;
    out = *size;
    return true;
  }

  rate_limit read_rate(const toml::node& node, const std::string& name) const {
    rate_limit rate;
    std::size_t parties = 0;
    const auto* table = node.as_table();
    if (!table) {
      report_(node, name, "expected a table such as {key = \"*\", requests_per_second = 100}, got " + shown(node));
      return rate;
    }
    for (const auto& [member, value] : *table) {
      const auto full = name + '.' + std::string(member.str());
      const auto wanted = [&, at = &value](bool good, const char* what) {
        if (!good) report_(*at, full, std::string("expected ") + what + ", got " + shown(*at));
      };
      bool names_party = false;
      for (const auto& [kind, of] : names_of(rate_of{})) {
        if (member != kind) continue;
        names_party = true;
        ++parties;
        rate.of = of;
        rate.name = value.value_exact<std::string>().value_or("");
        wanted(is_rate_name(rate), "\"*\", or the name of one; an address may have a prefix: \"10.0.0.0/8\"");
      }
      if (names_party) continue;
      if (member == "requests_per_second")
        wanted(read_rate_number(value, rate_requests_max, rate.requests_per_second), "an integer, 0 to 1000000");
      else if (member == "transfers")
        wanted(read_rate_number(value, rate_transfers_max, rate.transfers), "an integer, 0 to 1000000");
      else if (member == "bytes_per_second")
        wanted(read_rate_bytes(value, rate.bytes_per_second), "a size, 0 or 1KiB to 1TiB");
      else
        report_(value, full,
                "unknown key: a rate has key, bucket or address, and requests_per_second, bytes_per_second, transfers");
    }
    if (parties != 1) report_(node, name, "expected one of key, bucket and address");
    return rate;
  }

  static bool read_audiences(const toml::node& at, std::vector<std::string>& out) {
    const auto* list = at.as_array();
    if (!list || list->empty() || list->size() > oidc_audiences_max) return false;
    for (const auto& element : *list) {
      auto text = element.value_exact<std::string>();
      if (!text || !is_path(*text, oidc_text_bytes_max)) return false;
      out.push_back(std::move(*text));
    }
    return true;
  }

  oidc_issuer read_issuer(const toml::node& node, const std::string& name) const {
    constexpr std::uint64_t path_bytes_max = 4095;
    oidc_issuer issuer;
    const auto* table = node.as_table();
    if (!table) {
      report_(node, name, "expected a table such as {issuer = \"https://idp.example.org\", audiences = [\"cairn\"]}");
      return issuer;
    }
    for (const auto& [member, value] : *table) {
      const auto full = name + '.' + std::string(member.str());
      const auto text = value.value_exact<std::string>().value_or("");
      const auto take = [&, at = &value](std::string& into, bool good, const char* what) {
        into = text;
        if (!good) report_(*at, full, std::string("expected ") + what + ", got " + shown(*at));
      };
      if (member == "issuer")
        take(issuer.issuer, is_issuer_url(text),
             "a URL such as \"https://idp.example.org/team\", its host in lower case; http only on this machine");
      else if (member == "jwks_url")
        take(issuer.jwks_url, is_https_url(text), "a https URL; http only on this machine");
      else if (member == "ca_file")
        take(issuer.ca_file, is_path(text, path_bytes_max), "the path of a PEM file");
      else if (member != "audiences")
        report_(value, full, "unknown key: an issuer has issuer, audiences, ca_file and jwks_url");
      else if (!read_audiences(value, issuer.audiences))
        report_(value, full, "expected an array of 1 to 16 strings, got " + shown(value));
    }
    if (!table->contains("issuer") || !table->contains("audiences"))
      report_(node, name, "expected both issuer and audiences");
    return issuer;
  }

  const key& key_;
  const toml::node& node_;
  report report_;
};

const key* find_key(std::string_view section, std::string_view name) {
  for (const auto& k : keys())
    if (k.section == section && k.name == name) return &k;
  return nullptr;
}

// Whether the section has keys in a sub-table of this name: "tls" of "tls.ca".
bool is_group(std::string_view section, std::string_view name) {
  return std::any_of(keys().begin(), keys().end(), [&](const key& k) {
    return k.section == section && k.name.size() > name.size() && k.name.starts_with(name) &&
           k.name[name.size()] == '.';
  });
}

bool is_section(std::string_view name) {
  return std::any_of(sections().begin(), sections().end(), [name](const auto& s) { return s.name == name; });
}

// Whether the key's value is a string in TOML: `--set` accepts such values without quotes, whatever they contain.
bool takes_text(const key& k) {
  settings example;
  const auto slot = k.slot(example);
  return !std::holds_alternative<bool*>(slot) && !std::holds_alternative<std::uint32_t*>(slot) &&
         !std::holds_alternative<double*>(slot) && !std::holds_alternative<std::vector<std::string>*>(slot) &&
         !std::holds_alternative<std::vector<disk_settings>*>(slot) &&
         !std::holds_alternative<std::vector<rate_limit>*>(slot) &&
         !std::holds_alternative<std::vector<oidc_issuer>*>(slot);
}

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? "" : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

class loader {
public:
  explicit loader(std::string_view file_name) : file_(file_name) {}

  void read_text(std::string_view text) {
    if (const auto bad = check_shape(text)) {
      file_unreadable_ = true;
      out_.problems.push_back({file_, bad->line, bad->column, "", std::string(bad->text)});
      return;
    }
    try {
      const auto root = toml::parse(text);
      for (const auto& [name, node] : root) read_top(name, node);
    } catch (const toml::parse_error& failure) {
      file_unreadable_ = true;
      const auto at = failure.source().begin;
      out_.problems.push_back({file_, at.line, at.column, "", std::string(failure.description())});
    }
    // toml++ iterates over a table in the order of names; problems are reported in file order.
    std::stable_sort(out_.problems.begin(), out_.problems.end(), [](const problem& a, const problem& b) {
      return std::pair(a.line, a.column) < std::pair(b.line, b.column);
    });
  }

  void read_override(std::string_view text) {
    const auto equals = text.find('=');
    const auto name = trimmed(text.substr(0, equals));
    if (equals == std::string_view::npos || name.empty())
      return complain({}, "", "expected key=value, got " + toml_quoted(text.substr(0, shown_bytes_max)));
    const auto dot = name.find('.');
    const auto section = name.substr(0, dot);
    const auto* k = dot == std::string_view::npos ? nullptr : find_key(section, name.substr(dot + 1));
    if (!k) return complain({}, std::string(name), "unknown key, " + suggest_key(name));
    const auto table = parse_override(*k, trimmed(text.substr(equals + 1)));
    if (!table) return complain({}, k->full_name(), "expected " + expected_text(*k) + ", got a value that is not TOML");
    bad_.erase(k->full_name());
    read_value(*k, *table->get("v"), true);
  }

  loaded finish() {
    const auto readable = [this](std::string_view k) { return !bad_.contains(k); };
    if (!file_unreadable_) {
      for (const auto& broken : broken_rules(out_.value, readable)) {
        problem p{"", 0, 0, std::string(broken.keys.front()), broken.text};
        for (const auto& name : broken.keys) {
          const auto found = places_.find(name);
          if (found == places_.end()) continue;
          std::tie(p.file, p.line, p.column) = found->second;
          break;
        }
        out_.problems.push_back(std::move(p));
      }
    }
    return std::move(out_);
  }

private:
  using place = std::tuple<std::string, std::uint32_t, std::uint32_t>; // file, line, column

  void read_top(const toml::key& name, const toml::node& node) {
    const auto section = name.str();
    const auto* table = node.as_table();
    if (!is_section(section)) {
      const bool looks_like_key = !table;
      return complain(name.source().begin, std::string(section),
                      looks_like_key ? "unknown key, " + suggest_key(section)
                                     : "unknown section, " + suggest_section(section));
    }
    if (!table)
      return complain(node.source().begin, std::string(section),
                      "expected the section [" + std::string(section) + "], got " + shown(node));
    for (const auto& [member, value] : *table) read_member(section, std::string(member.str()), member, value);
  }

  // `name` is relative to the section: "tls.ca" for a key of a sub-table.
  void read_member(std::string_view section, const std::string& name, const toml::key& written,
                   const toml::node& value) {
    const auto* table = value.as_table();
    if (const auto* k = find_key(section, name)) {
      read_value(*k, value, false);
    } else if (table && is_group(section, name)) {
      for (const auto& [member, inner] : *table)
        read_member(section, name + '.' + std::string(member.str()), member, inner);
    } else {
      const auto full = std::string(section).append(".").append(name);
      complain(written.source().begin, full, "unknown key, " + suggest_key(full));
    }
  }

  void read_value(const key& k, const toml::node& node, bool is_override) {
    const auto full = k.full_name();
    const auto where = [is_override](const toml::node& n) {
      return is_override ? toml::source_position{} : n.source().begin;
    };
    const auto at = where(node);
    places_[full] = {is_override ? "--set" : file_, at.line, at.column};
    bool elements_good = true;
    const value_reader reader(k, node, [&](const toml::node& n, const std::string& name, std::string text) {
      elements_good = false;
      complain(where(n), name, std::move(text));
    });
    const bool good = std::visit(reader, k.slot(out_.value));
    if (!good) complain(at, full, "expected " + expected_text(k) + (k.secret ? "" : ", got " + shown(node)));
    if (!good || !elements_good) bad_.insert(full);
  }

  // "v = <the value>"; nullopt if the value is not TOML, neither as it is nor quoted.
  static std::optional<toml::table> parse_override(const key& k, std::string_view value) {
    const bool is_quoted = value.starts_with('"') || value.starts_with('\'');
    if (is_quoted || !takes_text(k)) {
      auto table = parse_single("v = " + std::string(value));
      if (table || is_quoted || value.starts_with('[') || value.starts_with('{')) return table;
    }
    return parse_single("v = " + toml_quoted(value));
  }

  static std::optional<toml::table> parse_single(const std::string& text) {
    if (check_shape(text)) return std::nullopt;
    try {
      auto table = toml::parse(text);
      // A line break in the value could add a second key.
      if (table.size() == 1 && table.contains("v")) return table;
    } catch (const toml::parse_error&) {
      // The caller tries it quoted, or reports the problem.
    }
    return std::nullopt;
  }

  // Line 0: the problem is in an override.
  void complain(toml::source_position at, const std::string& key, std::string text) {
    out_.problems.push_back({at.line == 0 ? "--set" : file_, at.line, at.column, key, std::move(text)});
  }

  std::string file_;
  loaded out_;
  std::set<std::string, std::less<>> bad_;
  std::map<std::string, place, std::less<>> places_;
  bool file_unreadable_ = false;
};

} // namespace

std::string to_string(const problem& p) {
  std::string out = p.file;
  if (p.line > 0) out += ':' + std::to_string(p.line) + ':' + std::to_string(p.column);
  for (const auto& part : {p.key, p.text})
    if (!part.empty()) out.append(out.empty() ? "" : ": ").append(part);
  return out;
}

loaded load(std::string_view text, std::string_view file_name, std::span<const std::string> overrides) {
  loader l(file_name);
  l.read_text(text);
  for (const auto& o : overrides) l.read_override(o);
  return l.finish();
}

} // namespace cairn::config
