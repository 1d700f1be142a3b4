// The settings of a bucket: those that Cairn has are sent to the target as the source answers them, as far as Cairn
// takes them: without transitions of a lifecycle, grants to other accounts, tags of the provider. Of all that stays
// behind it is said so by name. A setting that the source does not answer, or that the target refuses, is reported,
// too.
#pragma once

#include "cli/client/http_client.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cairn::cli {

enum class versioning_state : std::uint8_t { none, enabled, suspended };

struct setting_outcome {
  enum class kind : std::uint8_t {
    carried,     // or, in a dry run, would be
    left_behind, // Cairn has no such setting
    unreadable,  // the source did not say
    refused,     // by the target
  };
  std::string setting; // "lifecycle"
  kind what;
  std::string why = {};
};

// A setting of which the source said something.
struct found_setting {
  std::string name, query; // "bucket policy", "policy"
  std::string document;    // as the source answered it, without what Cairn refuses
};

// What an answer to `GET ?query` says about a setting. Nothing: there is none. Both: a part of it stays behind.
struct setting_answer {
  std::optional<found_setting> found;
  std::optional<setting_outcome> outcome;
};
std::vector<std::string_view> setting_queries(); // in the order in which the target takes them
// `account`: of the source, as of policy_document.hpp.
setting_answer read_setting(std::string_view query, const http_response& response, std::string_view account = {});

constexpr std::string_view object_lock_query = "object-lock", website_query = "website";
// Of an answer to `GET ?object-lock`.
bool has_object_lock(const http_response& response);
// Object lock without a default retention, which would lock copies that the source did not lock.
std::string object_lock_xml();

result<versioning_state> parse_versioning(std::string_view xml);
std::string versioning_xml(versioning_state state);
std::string_view to_string(versioning_state state); // "off", "enabled", "suspended"

} // namespace cairn::cli
