// Shared by the object commands: the options for the server and the access key, a client for it, and the report of
// failures.
#pragma once

#include "cli/client/http_client.hpp"

#include <functional>
#include <memory>
#include <string>

namespace CLI {
class App;
}

namespace cairn::cli {

// With an access key requests are signed; its secret comes from an environment variable only, because other users can
// read a command line.
struct s3_endpoint {
  std::string url = "http://127.0.0.1:9000", access_key, region = "us-east-1";
  std::string ca = {}; // PEM file of the authority to trust with https; empty: the system's
  std::string secret_variable = "AWS_SECRET_ACCESS_KEY";
  std::string token_variable = "AWS_SESSION_TOKEN"; // of temporary credentials
  std::string service = "s3";                       // of the signature
};

// Adds --endpoint, --access-key, --region and --ca and returns where their values will be (also from CAIRN_ENDPOINT,
// AWS_ACCESS_KEY_ID, AWS_REGION and CAIRN_CA).
std::shared_ptr<s3_endpoint> add_endpoint_option(CLI::App& command);

result<std::unique_ptr<http_client>> client_for(const std::string& url);
result<std::unique_ptr<http_client>> client_for(const s3_endpoint& endpoint);

// Runs the command's work; prints "cairn: …" and sets 1, or 2 for errc::invalid_argument.
void run_command(int& exit_code, const std::function<result<void>()>& work);

// Sends a request without a body and takes anything but 2xx as a failure of `what`.
result<http_response> ask(http_client& client, const http_request& request, const std::string& what);

// "\"9e10…\"" → "9e10…"; also drops W/.
std::string etag_text(std::string_view header);
// Whether the ETag is the MD5 of the object's bytes (and not of a multipart upload's parts).
bool is_md5(std::string_view etag);

// "Input/output error" of errno after `what`.
error system_failure(const std::string& what);

// For people, several lines: each as printable() makes it (cli/client/object_path.hpp).
std::string terminal_text(std::string_view text);
// Prints the answer to a command, as terminal_text() unless `verbatim` (for scripts), or passes its error on.
result<void> show_answer(const result<std::string>& answer, bool verbatim);

} // namespace cairn::cli
