// `cairn bucket usage` and `quota`, `cairn user usage` and `quota`: what buckets, or the buckets of a user together,
// hold and may hold; through the admin port of any node.
#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/admin/admin_client.hpp"

#include <string>

namespace CLI {
class App;
}

namespace cairn::cli {

// What has a quota.
struct quota_kind {
  const char *list, *one, *set, *remove; // rows of the admin API; `list` is also the member that has the values
  const char *title, *argument, *help;   // of the first column; of the command line
  bool has_buckets = false;              // how many is shown, too
};
constexpr quota_kind bucket_quotas{"buckets", "bucket", "setQuota", "removeQuota", "BUCKET", "BUCKET", "The bucket"};
constexpr quota_kind user_quotas{"users",
                                 "user",
                                 "setUserQuota",
                                 "removeUserQuota",
                                 "USER",
                                 "NAME",
                                 "The user, or an access key that belongs to nobody",
                                 true};

// `kind` must outlive the parsing of the command line.
void add_usage_command(CLI::App& to, const quota_kind& kind, const std::string& help, int& exit_code);
void add_quota_command(CLI::App& to, const quota_kind& kind, const std::string& help, int& exit_code);

// The value of this name that the row answers. io_error: it has another form.
result<json_object> read_value(const admin_address& node, const char* row, const std::string& name);

} // namespace cairn::cli
