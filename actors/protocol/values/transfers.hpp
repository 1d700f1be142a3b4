// What a download sends and what an upload is to do: values that the HTTP layer decides and the actors carry out
// (actors/protocol/ports.hpp).
#pragma once

#include "base/error.hpp"
#include "base/file_system.hpp"
#include "base/memory/buffer_pool.hpp"
#include "base/trace/spans.hpp"
#include "storage/metadata/commands/commands.hpp"
#include "storage/metadata/read/lifecycle_rules.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace cairn::actors {

struct byte_range {
  std::uint64_t offset = 0, length = 0; // of the object
};

// What a response consists of. The HTTP layer decides it from the rows of the object and its bucket (conditions,
// ranges, multipart/byteranges).
struct download_plan {
  std::string head;                                        // status line and headers, ready for the wire
  std::vector<std::variant<std::string, byte_range>> body; // literal bytes and ranges, in order; empty for HEAD and 304
};

using kept_headers = std::vector<std::pair<std::string, std::string>>;

// A check of the body in addition to its MD5, on the digest executor: one thread at a time calls it, with the bytes in
// order. An error refuses the upload before anything is committed.
class body_check {
public:
  virtual ~body_check() = default;
  virtual result<void> update(bytes_view bytes) = 0;
  virtual result<void> finish() = 0; // the body is complete and update() has had all of it
  // After finish(): headers to store with the object, in addition to those of the request. Names are lower case.
  virtual kept_headers proven() const { return {}; }
};

struct put_request {
  std::string bucket, key;
  std::optional<std::uint64_t> length; // announced Content-Length; nullopt: chunked upload
  storage::metadata::object_headers headers;
  storage::metadata::write_condition condition;
  std::shared_ptr<body_check> check{}; // null: no check
  storage::metadata::object_extras extras{};
  storage::metadata::authority by{};
  // Makes the command that commits the upload from the command that would commit it as an object. The body's bytes are
  // never stored inline then. Null: put_object itself is committed.
  std::function<storage::metadata::command(storage::metadata::put_object)> commit_as{};
  account_ptr payer{}; // the account that its memory is charged to; null: the node's own
  // When buffers are granted. `ahead`: before the bytes arrive, for a client that has them all. `on_demand`: one for
  // each want_atom, so a client that sends nothing holds no buffer. `on_demand_first`: the first want is implied.
  enum class granting : std::uint8_t { ahead, on_demand, on_demand_first };
  granting grants = granting::ahead;
  trace_scope trace{};
};
struct put_outcome {
  storage::metadata::etag etag;
  log_index version = 0;
  std::uint64_t size = 0;
  kept_headers proven{};                                     // body_check::proven
  std::optional<storage::metadata::version_id> version_id{}; // nullopt: the bucket was never versioned
  std::optional<storage::metadata::expiry> expires{};        // by the bucket's lifecycle rules
};

} // namespace cairn::actors
