// MinIO's admin API, as far as an import asks it: the export of identities, as `mc admin cluster iam export` gets it,
// and the quotas of buckets. All other settings of a bucket that MinIO's own export has are told by S3's API. Requests
// are signed like S3's, for the service s3; answers are not encrypted, and errors are JSON. Sources: MinIO,
// cmd/admin-router.go and cmd/admin-bucket-handlers.go; madmin-go, iam-migrate.go and quota-commands.go.
#pragma once

#include "cli/import/documents/bucket_settings.hpp"

namespace cairn::cli {

http_request minio_identities_request(); // answered with a zip archive; needs the right admin:ExportIAM
http_request minio_quota_request(std::string_view bucket); // needs the right admin:GetBucketQuota

// As failure_of(), with MinIO's own code and message.
error minio_failure(const http_response& response, std::string_view what);

// What the answer to a quota's request says. nullopt: there is no quota. Carrying it over takes Cairn's admin port, so
// the outcome names the command that sets it for `target`, the bucket's name in Cairn.
std::optional<setting_outcome> read_minio_quota(const http_response& response, std::string_view target);

} // namespace cairn::cli
