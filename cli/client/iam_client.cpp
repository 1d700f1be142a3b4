#include "cli/client/iam_client.hpp"

#include "cli/client/listing_progress.hpp"
#include "cli/client/object_path.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/client/text_body.hpp"

namespace cairn::cli {

namespace {

errc code_of_iam(std::string_view code, unsigned status) {
  if (code == "NoSuchEntity") return errc::no_such_identity;
  if (code == "EntityAlreadyExists") return errc::identity_exists;
  if (code == "InvalidAction" || status == 501 || status == 405) return errc::unsupported;
  return status == 503 || code == "Throttling" ? errc::slow_down : errc::io_error;
}

error refusal_by_iam(const http_response& response, const std::string& action) {
  const auto root = read_answer(response.body, "ErrorResponse");
  const auto* const problem = root ? root->child("Error") : nullptr;
  if (problem == nullptr) {
    auto failure = failure_of(response, action);
    if (response.status == 501 || response.status == 405) failure.code = errc::unsupported;
    return failure;
  }
  return {code_of_iam(problem->text_of("Code"), response.status),
          std::string{problem->text_of("Code")} + ": " + std::string{problem->text_of("Message")}};
}

} // namespace

bool is_of_sts(std::string_view action) {
  return action.starts_with("AssumeRole");
}

result<net::xml_element> ask_iam(http_client& client, const std::string& action, const iam_parameters& parameters) {
  iam_parameters all{{"Action", action}, {"Version", is_of_sts(action) ? "2011-06-15" : "2010-05-08"}};
  all.insert(all.end(), parameters.begin(), parameters.end());
  const auto form = query_text(all);
  http_request request{"POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}}};
  request.payload = form;
  text_body body{form};
  const auto response = client.exchange(request, &body);
  if (!response) return response.error();
  if (!response->ok()) return refusal_by_iam(*response, action);
  const auto root = read_answer(response->body, action + "Response");
  if (!root) return root.error();
  const auto* const found = root->child(action + "Result");
  return found == nullptr ? net::xml_element{} : *found;
}

result<std::vector<net::xml_element>> list_iam(http_client& client, const std::string& action,
                                               const iam_parameters& parameters, std::string_view list) {
  std::vector<net::xml_element> members;
  auto page = parameters;
  listing_progress progress;
  for (;;) {
    const auto answer = ask_iam(client, action, page);
    if (!answer) return answer.error();
    const auto* const listed = answer->child(list);
    if (listed) members.insert(members.end(), listed->children.begin(), listed->children.end());
    if (answer->text_of("IsTruncated") != "true") return members;
    page = parameters;
    page.emplace_back("Marker", answer->text_of("Marker"));
    if (auto goes_on = progress.page(page.back().second, listed && !listed->children.empty()); !goes_on)
      return goes_on.error();
  }
}

} // namespace cairn::cli
