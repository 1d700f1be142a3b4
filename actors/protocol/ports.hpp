// What the actors need of an HTTP connection, as two small interfaces: net/ implements them over a Beast session, the
// simulator over a slow, failing, virtual socket. Methods are called from one actor at a time, never block and never
// call back on the same stack; the implementation posts to its own executor. Replies travel as messages
// (interfaces.hpp). After gone_atom was handled no method is called any more; calls made before it was may still
// arrive.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "storage/metadata/read/lifecycle_rules.hpp"

#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace cairn::actors {

struct byte_range {
  std::uint64_t offset = 0, length = 0; // of the object
};

// What an answer consists of. Decided by the HTTP layer from the object's row and its bucket's (conditions, ranges,
// multipart/byteranges).
struct download_plan {
  std::string head;                                        // status line and headers, ready for the wire
  std::vector<std::variant<std::string, byte_range>> body; // literal bytes and ranges, in order; empty for HEAD and 304
};

class download_client {
public:
  virtual ~download_client() = default;
  // Whose share of the memory the download uses; null: the node's own. Called once.
  virtual storage::account_ptr payer() const { return nullptr; }
  // Pure decision, called once, on the streamer's thread.
  virtual download_plan plan(const found_object& object) = 0;
  // No byte was sent yet: answer this error instead. The last call.
  virtual void fail(const error& reason) = 0;
  // Write these in order: `text` (head or literal) first, then the slice when it has an owner. Answered by
  // written_atom `number` once the socket took it. Several may be queued; the streamer bounds them by its window.
  virtual void write(std::uint64_t number, std::string text, storage::slice bytes) = 0;
  // The answer is whole. Called after the last written_atom. The last call.
  virtual void finish() = 0;
  // Bytes were sent and the rest cannot be: close the connection. The last call.
  virtual void abort(const error& reason) = 0;
};

using kept_headers = std::vector<std::pair<std::string, std::string>>;

// Proves a body beside its MD5, on the digest executor: called by one thread at a time, in the order of the bytes. An
// error refuses the upload, before anything is committed.
class body_check {
public:
  virtual ~body_check() = default;
  virtual result<void> update(storage::bytes_view bytes) = 0;
  virtual result<void> finish() = 0; // the body was complete, and all of it was given
  // After finish(): headers to keep with the object, beside those of the request. Names are lower case.
  virtual kept_headers proven() const { return {}; }
};

struct put_request {
  std::string bucket, key;
  std::optional<std::uint64_t> length; // announced Content-Length; nothing for chunked uploads
  storage::metadata::object_headers headers;
  storage::metadata::write_condition condition;
  std::shared_ptr<body_check> check{}; // null: nothing to prove
  storage::metadata::object_extras extras{};
  storage::metadata::authority by{};
  // What commits the upload, made of the command that would commit it as an object; its bytes are never kept in the
  // row. Null: that command itself.
  std::function<storage::metadata::command(storage::metadata::put_object)> commit_as{};
  storage::account_ptr payer{}; // whose share of the memory it uses; null: the node's own
  // When buffers are granted: ahead of the bytes, for a client that has them all; or one for each want_atom, so that
  // one that sends nothing holds nothing. `first`: the first is wanted already.
  enum class granting : std::uint8_t { ahead, on_demand, on_demand_first };
  granting grants = granting::ahead;
};
struct put_outcome {
  storage::metadata::etag etag;
  storage::log_index version = 0;
  std::uint64_t size = 0;
  kept_headers proven{};                                     // of the request's check
  std::optional<storage::metadata::version_id> version_id{}; // nothing: the bucket never was versioned
  std::optional<expiry> expires{};                           // by the bucket's rules
};

class upload_client {
public:
  virtual ~upload_client() = default;
  // An empty buffer to fill from the body: read min(fill_bytes, what is left) bytes into its front and send body_atom
  // with exactly these (its capacity may be larger than fill_bytes). Grants are filled in the order they came. The
  // first grant means that the upload may go on (send 100-continue now). Granted ahead, a body of 0 bytes gets a grant
  // too, to be dropped.
  virtual void grant(storage::buffer_ptr empty, std::uint32_t fill_bytes) = 0;
  // Granted on demand, and nothing is wanted yet: the upload may go on.
  virtual void go_on() {}
  // Stored durably, or refused. The last call, and not made after gone_atom. After an error the rest of the body is not
  // wanted; drop unused grants.
  virtual void done(result<put_outcome> outcome) = 0;
};

} // namespace cairn::actors
