// What the actors need of an HTTP connection, as two small interfaces. net/ implements them over a Beast session, the
// simulator over a slow or failing virtual socket. One actor calls the methods, one call at a time. A method does not
// block and does not call the actor back on the same stack: the implementation posts to its own executor and answers by
// messages (interfaces.hpp). Once gone_atom has been handled no method is called any more; calls that were made before
// may still arrive.
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

// What a response consists of. The HTTP layer decides it from the rows of the object and its bucket (conditions,
// ranges, multipart/byteranges).
struct download_plan {
  std::string head;                                        // status line and headers, ready for the wire
  std::vector<std::variant<std::string, byte_range>> body; // literal bytes and ranges, in order; empty for HEAD and 304
};

class download_client {
public:
  virtual ~download_client() = default;
  // The account that the download's memory is charged to; null: the node's own. Called once.
  virtual storage::account_ptr payer() const { return nullptr; }
  // A pure decision. Called once, on the streamer's thread.
  virtual download_plan plan(const found_object& object) = 0;
  // No byte was sent yet: answer this error instead. The last call to the client.
  virtual void fail(const error& reason) = 0;
  // Write in this order: `text` (head or literal), then the slice when it has an owner. The client answers
  // written_atom `number` once the socket has taken both. Several writes may be queued; the streamer's window bounds
  // them.
  virtual void write(std::uint64_t number, std::string text, storage::slice bytes) = 0;
  // The response is complete. Called after the last written_atom. The last call to the client.
  virtual void finish() = 0;
  // Bytes were sent and the rest cannot be: close the connection. The last call to the client.
  virtual void abort(const error& reason) = 0;
};

using kept_headers = std::vector<std::pair<std::string, std::string>>;

// A check of the body in addition to its MD5, on the digest executor: one thread at a time calls it, with the bytes in
// order. An error refuses the upload before anything is committed.
class body_check {
public:
  virtual ~body_check() = default;
  virtual result<void> update(storage::bytes_view bytes) = 0;
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
  storage::account_ptr payer{}; // the account that its memory is charged to; null: the node's own
  // When buffers are granted. `ahead`: before the bytes arrive, for a client that has them all. `on_demand`: one for
  // each want_atom, so a client that sends nothing holds no buffer. `on_demand_first`: the first want is implied.
  enum class granting : std::uint8_t { ahead, on_demand, on_demand_first };
  granting grants = granting::ahead;
};
struct put_outcome {
  storage::metadata::etag etag;
  storage::log_index version = 0;
  std::uint64_t size = 0;
  kept_headers proven{};                                     // body_check::proven
  std::optional<storage::metadata::version_id> version_id{}; // nullopt: the bucket was never versioned
  std::optional<expiry> expires{};                           // by the bucket's lifecycle rules
};

class upload_client {
public:
  virtual ~upload_client() = default;
  // An empty buffer for the next bytes of the body: read min(fill_bytes, the rest of the body) bytes into its front and
  // send body_atom with exactly these (its capacity may be larger than fill_bytes). Fill the buffers in the order of
  // their grants. The first grant means that the upload is accepted so far (send 100-continue now). With `ahead` a body
  // of 0 bytes gets a grant too; drop it.
  virtual void grant(storage::buffer_ptr empty, std::uint32_t fill_bytes) = 0;
  // With `on_demand`: the upload is accepted so far, and no buffer was wanted yet.
  virtual void go_on() {}
  // Stored durably, or refused. The last call to the client; not made after gone_atom. After an error do not send the
  // rest of the body, and drop unused grants.
  virtual void done(result<put_outcome> outcome) = 0;
};

} // namespace cairn::actors
