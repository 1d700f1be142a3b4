// Identity providers: issuers of web identities that IAM's API makes.
#include "storage/metadata/apply/identities.hpp"

#include "base/units.hpp"

#include <algorithm>

namespace cairn::storage::metadata {

namespace {

using policy::action;

std::optional<error> bad_provider(const provider_row& row) {
  const auto over = [](std::string_view quota, std::size_t limit) {
    return error{errc::too_large, "Cannot exceed quota for " + std::string{quota} + ": " + std::to_string(limit)};
  };
  if (!config::is_provider_name(row.name)) return error{errc::invalid_argument, "not a valid URL of a provider"};
  if (row.client_ids.size() > provider_client_ids_max)
    return over("ClientIdsPerOpenIdConnectProvider", provider_client_ids_max);
  if (row.thumbprints.size() > provider_thumbprints_max)
    return over("ThumbprintsPerOpenIdConnectProvider", provider_thumbprints_max);
  if (!std::all_of(row.client_ids.begin(), row.client_ids.end(), valid_client_id))
    return error{errc::invalid_argument, "not a valid client id"};
  if (!std::all_of(row.thumbprints.begin(), row.thumbprints.end(), valid_thumbprint))
    return error{errc::invalid_argument, "not a valid thumbprint"};
  return bad_tags(row.tags);
}

void add_client_ids(std::vector<std::string>& to, const std::vector<std::string>& ids) {
  for (const auto& id : ids)
    if (std::find(to.begin(), to.end(), id) == to.end()) to.push_back(id);
}

} // namespace

std::optional<provider_row> identity_ledger::provider(std::string_view name) {
  if (!config::is_provider_name(name)) return std::nullopt; // could exceed the engine's key size
  return b_.load<provider_row>(table::identities, b_.keys.identity(identity_kind::provider, identity_key(name)),
                               decode_provider);
}

void identity_ledger::put(const provider_row& row) {
  b_.put_identity(b_.keys.identity(identity_kind::provider, identity_key(row.name)), encode(row));
}

std::optional<error> identity_ledger::change_provider(const change_identity& c) {
  if (c.what == action::iam_create_open_id_connect_provider) return create_provider(c);
  auto row = provider(c.name);
  if (auto refused = lapsed(c, "oidc-provider/" + c.name)) return refused;
  if (!row || row->name != c.name)
    return error{errc::no_such_identity, "OpenIDConnect Provider not found for arn " + policy::provider_arn(c.name)};
  switch (c.what) {
    case action::iam_delete_open_id_connect_provider: erase(identity_kind::provider, row->name); return std::nullopt;
    case action::iam_add_client_id_to_open_id_connect_provider: add_client_ids(row->client_ids, c.client_ids); break;
    case action::iam_remove_client_id_from_open_id_connect_provider:
      for (const auto& id : c.client_ids) std::erase(row->client_ids, id);
      break;
    case action::iam_update_open_id_connect_provider_thumbprint: row->thumbprints = c.thumbprints; break;
    case action::iam_tag_open_id_connect_provider:
    case action::iam_untag_open_id_connect_provider:
      if (auto bad = change_tags(row->tags, c, c.what == action::iam_tag_open_id_connect_provider)) return bad;
      break;
    default: return error{errc::invalid_argument, "no action that changes something"};
  }
  if (auto bad = bad_provider(*row)) return bad;
  put(*row);
  return std::nullopt;
}

std::optional<error> identity_ledger::create_provider(const change_identity& c) {
  provider_row row{.name = c.name, .created = c.now, .client_ids = {}, .thumbprints = c.thumbprints, .tags = c.tags};
  add_client_ids(row.client_ids, c.client_ids);
  if (auto refused = lapsed(c, resource_of(row))) return refused;
  if (auto bad = bad_provider(row)) return bad;
  if (provider(c.name)) return error{errc::identity_exists, "Provider with url https://" + c.name + " already exists."};
  if (is_full(identity_kind::provider, providers_max))
    return error{errc::too_large,
                 "Cannot exceed quota for OpenIdConnectProvidersPerAccount: " + std::to_string(providers_max)};
  put(row);
  return std::nullopt;
}

} // namespace cairn::storage::metadata
