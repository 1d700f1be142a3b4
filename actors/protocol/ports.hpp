// What the actors need of an HTTP connection, as two small interfaces. net/ implements them over a Beast session, the
// simulator over a slow or failing virtual socket. One actor calls the methods, one call at a time. A method does not
// block and does not call the actor back on the same stack: the implementation posts to its own executor and answers by
// messages (interfaces.hpp). Once gone_atom has been handled no method is called any more; calls that were made before
// may still arrive.
#pragma once

#include "actors/protocol/interfaces.hpp"
#include "actors/protocol/values/transfers.hpp"

#include <memory>
#include <string>

namespace cairn::actors {

class download_client {
public:
  virtual ~download_client() = default;
  // The account that the download's memory is charged to; null: the node's own. Called once.
  virtual account_ptr payer() const { return nullptr; }
  // A pure decision. Called once, on the streamer's thread.
  virtual download_plan plan(const found_object& object) = 0;
  // No byte was sent yet: answer this error instead. The last call to the client.
  virtual void fail(const error& reason) = 0;
  // Write in this order: `text` (head or literal), then the slice when it has an owner. The client answers
  // written_atom `number` once the socket has taken both. Several writes may be queued; the streamer's window bounds
  // them.
  virtual void write(std::uint64_t number, std::string text, slice bytes) = 0;
  // The response is complete. Called after the last written_atom. The last call to the client.
  virtual void finish() = 0;
  // Bytes were sent and the rest cannot be: close the connection. The last call to the client.
  virtual void abort(const error& reason) = 0;
};

class upload_client {
public:
  virtual ~upload_client() = default;
  // An empty buffer for the next bytes of the body: read min(fill_bytes, the rest of the body) bytes into its front and
  // send body_atom with exactly these (its capacity may be larger than fill_bytes). Fill the buffers in the order of
  // their grants. The first grant means that the upload is accepted so far (send 100-continue now). With `ahead` a body
  // of 0 bytes gets a grant too; drop it.
  virtual void grant(buffer_ptr empty, std::uint32_t fill_bytes) = 0;
  // With `on_demand`: the upload is accepted so far, and no buffer was wanted yet.
  virtual void upload_accepted() {}
  // Stored durably, or refused. The last call to the client; not made after gone_atom. After an error do not send the
  // rest of the body, and drop unused grants.
  virtual void done(result<put_outcome> outcome) = 0;
};

} // namespace cairn::actors
