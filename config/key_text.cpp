#include "base/codec.hpp"
#include "config/keys.hpp"

#include <array>
#include <charconv>
#include <type_traits>

namespace cairn::config {

namespace {

template <class T>
constexpr bool is_list = std::is_same_v<T, std::vector<std::string>> || std::is_same_v<T, std::vector<disk_settings>> ||
                         std::is_same_v<T, std::vector<rate_limit>> || std::is_same_v<T, std::vector<oidc_issuer>>;

struct type_names {
  const char *short_name, *with_article;
};

template <class T>
type_names names_of_type() {
  if constexpr (std::is_same_v<T, bool>) return {"boolean", "true or false"};
  if constexpr (std::is_same_v<T, std::uint32_t>) return {"integer", "an integer"};
  if constexpr (std::is_same_v<T, double>) return {"number", "a number"};
  if constexpr (std::is_same_v<T, byte_size>) return {"size", "a size"};
  if constexpr (std::is_same_v<T, std::optional<byte_size>>) return {"size", "\"auto\" or a size"};
  if constexpr (std::is_same_v<T, duration>) return {"duration", "a duration"};
  if constexpr (std::is_same_v<T, endpoint>)
    return {"address", "an address and port such as \"127.0.0.1:9000\", \"[::1]:9000\" or \"0.0.0.0:9000\""};
  if constexpr (std::is_same_v<T, std::string>) return {"string", "a string"};
  if constexpr (std::is_same_v<T, std::vector<std::string>>) return {"strings", "an array of host names"};
  if constexpr (std::is_same_v<T, std::vector<disk_settings>>)
    return {"disks", "an array of {path = \"…\", weight = 1} or of paths"};
  if constexpr (std::is_same_v<T, std::vector<rate_limit>>)
    return {"rates", "an array of {key = \"*\", requests_per_second = 100}, also with bucket or address"};
  if constexpr (std::is_same_v<T, std::vector<oidc_issuer>>)
    return {"issuers", "an array of {issuer = \"https://idp.example.org\", audiences = [\"cairn\"]}"};
  if constexpr (std::is_enum_v<T>) return {"choice", "one of"};
}

// A number of the key's unit, as an operator writes it.
template <class T>
std::string bound(std::uint64_t n) {
  if constexpr (std::is_same_v<T, byte_size> || std::is_same_v<T, std::optional<byte_size>>)
    return format(byte_size{n});
  else if constexpr (std::is_same_v<T, duration>)
    return format(duration{duration::rep(n)});
  else
    return std::to_string(n);
}

template <class T>
std::string bounds_of(const key& k) {
  if constexpr (std::is_enum_v<T>) {
    std::string out;
    for (const auto& [name, value] : names_of(T{})) out.append(out.empty() ? "" : ", ").append(name);
    return out;
  } else if constexpr (std::is_same_v<T, std::string>) {
    return k.least > 0 ? "not empty" : "";
  } else if constexpr (is_list<T>) {
    return "at most " + std::to_string(k.most);
  } else if constexpr (std::is_same_v<T, bool> || std::is_same_v<T, endpoint>) {
    return {};
  } else {
    auto out = bound<T>(k.least) + " to " + bound<T>(k.most);
    if (k.step > 1) out += ", a multiple of " + bound<T>(k.step);
    return out;
  }
}

// Calls f with the pointer in the key's slot, for its type only.
template <class F>
auto with_type(const key& k, F f) {
  settings example;
  return std::visit(f, k.slot(example));
}

// "1" and "2.5": the shortest digits that read back as the same number.
std::string number_text(double value) {
  std::array<char, 32> digits{};
  const auto done = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::fixed);
  if (done.ec == std::errc{}) return {digits.data(), done.ptr};
  const auto shorter =
      std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::scientific);
  return {digits.data(), shorter.ptr};
}

template <class List, class F>
std::string list_text(const List& list, F item) {
  std::string out = "[";
  for (const auto& element : list) out.append(out.size() == 1 ? "" : ", ").append(item(element));
  return out + ']';
}

std::string rate_text(const rate_limit& rate) {
  std::string out = "{";
  for (const auto& [name, of] : names_of(rate_of{}))
    if (of == rate.of) out.append(name).append(" = ").append(toml_quoted(rate.name));
  if (rate.requests_per_second > 0) out += ", requests_per_second = " + std::to_string(rate.requests_per_second);
  if (rate.bytes_per_second.bytes > 0) out += ", bytes_per_second = " + toml_quoted(format(rate.bytes_per_second));
  if (rate.transfers > 0) out += ", transfers = " + std::to_string(rate.transfers);
  return out + '}';
}

std::string issuer_text(const oidc_issuer& one) {
  std::string out = "{issuer = " + toml_quoted(one.issuer) + ", audiences = " + list_text(one.audiences, toml_quoted);
  if (!one.ca_file.empty()) out += ", ca_file = " + toml_quoted(one.ca_file);
  if (!one.jwks_url.empty()) out += ", jwks_url = " + toml_quoted(one.jwks_url);
  return out + '}';
}

struct value_writer {
  std::string operator()(const bool* v) const { return *v ? "true" : "false"; }
  std::string operator()(const std::uint32_t* v) const { return std::to_string(*v); }
  std::string operator()(const double* v) const { return number_text(*v); }
  std::string operator()(const byte_size* v) const { return toml_quoted(format(*v)); }
  std::string operator()(const std::optional<byte_size>* v) const { return toml_quoted(*v ? format(**v) : "auto"); }
  std::string operator()(const duration* v) const { return toml_quoted(format(*v)); }
  std::string operator()(const endpoint* v) const { return v->host.empty() ? "\"\"" : toml_quoted(format(*v)); }
  std::string operator()(const std::string* v) const { return toml_quoted(*v); }
  std::string operator()(const std::vector<std::string>* v) const { return list_text(*v, toml_quoted); }
  std::string operator()(const std::vector<disk_settings>* v) const {
    return list_text(*v, [](const disk_settings& d) {
      return "{path = " + toml_quoted(d.path) + ", weight = " + number_text(d.weight) + '}';
    });
  }
  std::string operator()(const std::vector<rate_limit>* v) const { return list_text(*v, rate_text); }
  std::string operator()(const std::vector<oidc_issuer>* v) const { return list_text(*v, issuer_text); }
  template <class E>
  requires std::is_enum_v<E> std::string operator()(const E* v) const {
    for (const auto& [name, value] : names_of(E{}))
      if (value == *v) return toml_quoted(name);
    CAIRN_ASSERT(!"every value of the enum has a name");
    return {};
  }
};

} // namespace

std::string type_text(const key& k) {
  return with_type(k, []<class T>(T*) { return std::string(names_of_type<T>().short_name); });
}

std::string bounds_text(const key& k) {
  return with_type(k, [&k]<class T>(T*) { return bounds_of<T>(k); });
}

std::string expected_text(const key& k) {
  return with_type(k, [&k]<class T>(T*) {
    const std::string article =
        k.form == text_form::host_and_port
            ? (is_list<T> ? "an array of \"host:port\"" : "a host and a port such as \"node-2:9100\"")
            : names_of_type<T>().with_article;
    const auto bounds = bounds_of<T>(k);
    if (bounds.empty()) return article;
    return article + (std::is_enum_v<T> ? " " : ", ") + bounds;
  });
}

std::string value_text(const key_slot& slot) {
  return std::visit([](const auto* v) { return value_writer{}(v); }, slot);
}

std::string toml_quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20 || byte == 0x7F) {
      out.append("\\u00").append(upper_hex_of(byte));
    } else {
      out += c;
    }
  }
  return out + '"';
}

} // namespace cairn::config
