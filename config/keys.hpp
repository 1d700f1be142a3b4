// The table of configuration keys: one row a member of `settings`, with its bounds and its documentation. Loading,
// `cairn config show|defaults`, reloading and docs/configuration.md all walk this table, so a key can't be in one and
// missing in another. A test counts the rows against the struct.
//
// Bounds are in the key's unit: bytes, microseconds, the number itself, or for texts and lists the length.
#pragma once

#include "config/config.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace cairn::config {

using key_slot =
    std::variant<bool*, std::uint32_t*, byte_size*, duration*, endpoint*, std::string*, std::vector<std::string>*,
                 std::vector<disk_settings>*, anonymous_access*, log_format*, log_level*>;

// What a text or the elements of a list have to look like.
enum class text_form : std::uint8_t { any, host_and_port };

// A name with a dot is in a table of its own in the section: `tls.ca` of `cluster` may be written in [cluster.tls].
struct key {
  std::string_view section, name;
  key_slot (*slot)(settings&); // the member of this settings value
  std::uint64_t least, most, step;
  bool reloadable; // SIGHUP applies it
  std::string_view text;
  bool secret = false; // never shown: not in messages, not by `cairn config show`
  text_form form = text_form::any;

  std::string full_name() const { return std::string(section).append(".").append(name); }
};

struct section_doc {
  std::string_view name, text;
};

constexpr double disk_weight_max = 1e6;

std::span<const section_doc> sections();
std::span<const key> keys(); // grouped by section, in the order of sections()

// The names of an enum's values in TOML, in the enum's order.
std::span<const std::pair<std::string_view, anonymous_access>> names_of(anonymous_access);
std::span<const std::pair<std::string_view, log_format>> names_of(log_format);
std::span<const std::pair<std::string_view, log_level>> names_of(log_level);

std::string type_text(const key& k);     // "size"
std::string bounds_text(const key& k);   // "64KiB to 16MiB, a multiple of 64KiB"; empty: any value of the type
std::string expected_text(const key& k); // "a size, 64KiB to 16MiB, a multiple of 64KiB"

// The value as TOML, which loads back to the same value. `slot` is only read.
std::string value_text(const key_slot& slot);

// A TOML basic string with everything escaped that has to be.
std::string toml_quoted(std::string_view text);

} // namespace cairn::config
