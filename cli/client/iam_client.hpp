// The Query API of IAM and STS as the commands ask for it: POST / with a form, which the signature covers. The client
// signs for the service iam, or sts. The server is not trusted. Errors: no_such_identity, identity_exists, unsupported
// (the server has no such action), slow_down, corrupt, else io_error, with the server's code and message as text; those
// of the connection.
#pragma once

#include "cli/client/http_client.hpp"
#include "net/s3/xml/xml_reader.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace cairn::cli {

using iam_parameters = std::vector<std::pair<std::string, std::string>>; // without Action and Version

bool is_of_sts(std::string_view action);

// The element "…Result" of the answer, which may be empty.
result<net::xml_element> ask_iam(http_client& client, const std::string& action, const iam_parameters& parameters);

// The members of the answer's element `list`, of all pages.
result<std::vector<net::xml_element>> list_iam(http_client& client, const std::string& action,
                                               const iam_parameters& parameters, std::string_view list);

} // namespace cairn::cli
