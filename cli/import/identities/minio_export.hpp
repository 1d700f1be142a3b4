// The identities in MinIO's export, which its admin API answers as a zip archive and `mc admin cluster iam export`
// keeps: policies.json, users.json, groups.json, svcaccts.json, user_mappings.json, group_mappings.json and
// stsuser_mappings.json. A user's name is its access key there; a service account is a further key of its parent,
// unless it is limited in a way that Cairn's keys are not. MinIO's own policies are taken only where somebody has them.
// Source of the format: MinIO, cmd/admin-handlers-users.go (ExportIAM); madmin-go.
#pragma once

#include "base/error.hpp"
#include "base/json.hpp"
#include "cli/import/identities/identity_set.hpp"

#include <functional>

namespace cairn::cli {

// Answers the object in a file, "users.json"; an empty one when there is no such file.
using minio_file = std::function<result<json_object>(const std::string& name)>;
result<identity_set> read_minio_identities(const minio_file& file);

// From a folder, or its folder iam-assets. invalid_argument: it has no users.json; corrupt: a file is not JSON.
result<identity_set> read_minio_export(const std::string& folder);

// From the archive. corrupt: it cannot be read, or lacks one of the files.
result<identity_set> read_minio_archive(std::string bytes);

} // namespace cairn::cli
