// The table of configuration keys: one row per member of `settings`, with bounds and documentation. Loading,
// `cairn config show|defaults`, reloading and docs/configuration.md all iterate over this table, so that none of them
// can lack a key. A test compares the table with the struct.
//
// Bounds are in the key's unit: bytes, microseconds, the number itself, or the length of a string or list.
#pragma once

#include "config/config.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cairn::config {

using key_slot = std::variant<bool*, std::uint32_t*, double*, byte_size*, std::optional<byte_size>*, duration*,
                              endpoint*, std::string*, std::vector<std::string>*, std::vector<disk_settings>*,
                              std::vector<rate_limit>*, std::vector<oidc_issuer>*, anonymous_access*, sigv2_use*,
                              object_ownership*, log_format*, log_level*, access_log_format*>;

// The form that a string or the elements of a list must have.
enum class text_form : std::uint8_t { any, host_and_port };

// A name with a dot belongs to a sub-table of the section: `tls.ca` of `cluster` may be written in [cluster.tls].
struct key {
  std::string_view section, name;
  key_slot (*slot)(settings&); // the member of this settings value
  std::uint64_t least, most, step;
  bool reloadable; // SIGHUP applies it
  std::string_view text;
  bool secret = false; // never shown, neither in messages nor by `cairn config show`
  text_form form = text_form::any;

  std::string full_name() const { return std::string(section).append(".").append(name); }
};

struct section_doc {
  std::string_view name, text;
};

constexpr double disk_weight_max = 1e6;
// Of one entry of auth.oidc.
constexpr std::size_t oidc_audiences_max = 16, oidc_text_bytes_max = 1024;
// Of one entry of limits.rates.
constexpr std::uint32_t rate_requests_max = 1'000'000, rate_transfers_max = 1'000'000;
constexpr std::uint64_t rate_bytes_min = 1 << 10, rate_bytes_max = 1ull << 40;

std::span<const section_doc> sections();
std::span<const key> keys(); // grouped by section, in the order of sections()

// The names of an enum's values in TOML, in the enum's order.
std::span<const std::pair<std::string_view, anonymous_access>> names_of(anonymous_access);
std::span<const std::pair<std::string_view, sigv2_use>> names_of(sigv2_use);
std::span<const std::pair<std::string_view, object_ownership>> names_of(object_ownership);
std::span<const std::pair<std::string_view, rate_of>> names_of(rate_of);
std::span<const std::pair<std::string_view, log_format>> names_of(log_format);
std::span<const std::pair<std::string_view, log_level>> names_of(log_level);
std::span<const std::pair<std::string_view, access_log_format>> names_of(access_log_format);

std::string type_text(const key& k);     // "size"
std::string bounds_text(const key& k);   // "64KiB to 16MiB, a multiple of 64KiB"; empty: any value of the type
std::string expected_text(const key& k); // "a size, 64KiB to 16MiB, a multiple of 64KiB"

// The value as TOML; loading it gives the same value. `slot` is only read.
std::string value_text(const key_slot& slot);

// The text as a TOML basic string, escaped.
std::string toml_quoted(std::string_view text);

} // namespace cairn::config
