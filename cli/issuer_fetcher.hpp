// Fetches the documents of issuers of web identities: a GET and a connection for each, without redirects.
#pragma once

#include "net/web_identity/identity_provider.hpp"

#include <optional>
#include <string_view>

namespace cairn::cli {

// Errors: those of http_client, too_large, and io_error for an answer other than 200. Takes 17 seconds at most, of
// which seven are for the look-up of the host's name.
net::document_fetcher make_issuer_fetcher();

// "public, max-age=3600" → an hour; nullopt: it does not say.
std::optional<std::chrono::seconds> max_age_of(std::string_view cache_control);

} // namespace cairn::cli
