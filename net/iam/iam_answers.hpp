// The answers of IAM's actions: from rows of the metadata to the contents of the result element. Pure.
#pragma once

#include "net/iam/iam_actions.hpp"

namespace cairn::net {

// The rows that the answer lists, in addition to the one that the request is about.
std::variant<std::vector<storage::metadata::identity_query>, s3_error>
listings_of(const iam_action& action, const iam_query& query, const storage::metadata::identity_page* subject);

// Of an action that reads. `subject`: null only if the action has none. `listed`: a page for each of listings_of.
// NoSuchEntity, ValidationError.
std::variant<std::string, s3_error> read_answer(const iam_action& action, const iam_query& query,
                                                const storage::metadata::identity_page* subject,
                                                const std::vector<storage::metadata::identity_page>& listed);

// Of an action that changed something. `version`: of a managed policy that the command made.
std::string change_answer(const storage::metadata::change_identity& done, std::uint64_t version);

// SimulatePrincipalPolicy and SimulateCustomPolicy (iam_simulation.cpp). `of`: null: the policies of the request.
std::variant<std::string, s3_error> simulation_answer(const iam_query& query, const storage::metadata::identity* of,
                                                      wall_ms now);

} // namespace cairn::net
