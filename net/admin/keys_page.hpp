// Access keys and their rights (`cairn key`, `cairn bucket`), as commands in the parameters of a request. The admin API
// (api_handlers.hpp) makes them of its paths; nodes and commands of older builds use POST /keys/command. The admin port
// checks first who may.
//
//   ?kind=create[&label=TEXT][&create_buckets=yes]          the only answer that tells a secret
//   ?kind=list
//   ?kind=seal                                              the secrets that the node's first sealing key did not seal
//   ?kind=delete&key=ID
//   ?kind=allow|deny&key=ID[&bucket=NAME&rights=read,write,owner][&create_buckets=yes]
//   ?kind=public-read&bucket=NAME&value=on|off
//   &format=json                                            else text for people
// create → {"access_key", "secret_key"}; list → [{"access_key", "label", "created_ms", "creates_buckets",
// "grants": [{"bucket", "read", "write", "owner"}]}]; the others → {"done"}: a sentence.
#pragma once

#include "actors/protocol/node.hpp"
#include "base/json.hpp"
#include "net/wire/grammar/uri.hpp"

#include <functional>
#include <map>

namespace cairn::net {

enum class key_request : std::uint8_t { create, list, seal, remove, allow, deny, public_read };

struct key_command {
  key_request kind = key_request::list;
  std::string key, label, bucket;
  std::uint8_t rights = 0;
  bool creates_buckets = false; // create, allow, deny: the right to create buckets
  bool on = false;              // public_read
  bool json = false;
};

std::optional<key_request> key_request_of(std::string_view kind);
// A command whose kind, format and subject (the key, or the bucket of public_read) are known: the request's parameters
// have the rest. invalid_argument.
result<key_command> complete_key_command(key_command c, const request_target& asked);
result<key_command> parse_key_command(const request_target& asked); // all of it in parameters; invalid_argument
std::string new_access_key(random_source& random);                  // the id of a key that `create` makes

using bucket_names = std::map<bucket_id, std::string>;
std::string keys_answer(const std::vector<storage::metadata::access_key_row>& keys, const bucket_names& names,
                        bool json);
json_array keys_json(const std::vector<storage::metadata::access_key_row>& keys, const bucket_names& names);
void add_rights(json_object& to, std::uint8_t rights); // "read", "write", "owner"

struct key_page_services {
  actors::services node;
  random_source* random = nullptr;
  const cairn::clock* clock = nullptr;
};
struct key_page {
  std::vector<storage::metadata::access_key_row> keys;
  bucket_names names;
  std::string next; // the last key, if there may be more
};
// At most `max` keys behind `after`, by id; 0: all of them. Calls `done` once, on an actor's thread, as the following.
void list_keys(const key_page_services& services, std::string after, std::uint32_t max,
               std::function<void(result<key_page>)> done);
// One key, and the names of the buckets that it has rights on.
void name_grants(const key_page_services& services, std::shared_ptr<const storage::metadata::access_key_row> key,
                 std::function<void(result<key_page>)> done);
// All keys, without any names.
void read_keys(const key_page_services& services, std::function<void(result<key_page>)> done);
// Executes the command. Calls `done` once with the answer's body, on an actor's thread.
void run_key_command(const key_page_services& services, key_command c, std::function<void(result<std::string>)> done);

} // namespace cairn::net
