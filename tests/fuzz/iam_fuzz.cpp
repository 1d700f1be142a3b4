// The body of a request of IAM's API, which is read before it is known who sends it: never a crash, and what becomes a
// command is one that a log can hold.
#include "net/iam/iam_actions.hpp"
#include "storage/metadata/commands/commands.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cairn;
  auto read = net::iam_query::read({reinterpret_cast<const char*>(data), size});
  auto* const query = std::get_if<net::iam_query>(&read);
  if (query == nullptr) return 0;
  const storage::policy::user_facts ann{.name = "ann", .id = "AIDA1"};
  query->set("Version", std::string{net::iam_version});
  const auto found = net::read_action(*query, &ann);
  const auto* const* action = std::get_if<const net::iam_action*>(&found);
  if (action == nullptr) return 0;
  static_cast<void>(net::subject_of(**action, *query));
  static_cast<void>(net::resource_of(**action, *query, nullptr));
  if (!(*action)->changes()) return 0;
  const auto change = net::read_change(**action, *query);
  const auto* const command = std::get_if<storage::metadata::change_identity>(&change);
  if (command == nullptr) return 0;
  const auto bytes = storage::metadata::encode(*command);
  const auto again = storage::metadata::decode_command(bytes);
  if (!again || storage::metadata::encode(*again) != bytes) std::abort();
  return 0;
}
