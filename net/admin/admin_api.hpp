// Answers the requests of the admin port, and decides who may ask what:
// - /health/…: everybody
// - /metrics, /cluster, /console/…, /v1/… (api_table.hpp): under a Host name that DNS rebinding cannot produce
//   (net/wire/grammar/host_check.hpp), or with the token
// - /cluster/command, /keys/command: the same commands as paths of older builds; with the token only
//
// A request is the operator's with the node's admin token (header Cairn-Token), or with the cookie of a session that
// the root key or the token began. Sessions of other access keys see what the key may see, and change nothing; the key
// is looked up again for each request, so a deleted key's session ends at once. Changes by a session need its CSRF
// token in the header Cairn-CSRF and an Origin that is this port's.
// - /v1/s3/…: a session's requests about objects (objects/object_request.hpp). Signed with the session's access key,
//   they continue at the server of the S3 port, which judges them; the admin token has no rights on objects.
//
// Thread-safe; handlers of the API run on the caller's thread, or on an actor's after a look-up.
#pragma once

#include "actors/protocol/node_status.hpp"
#include "base/metrics.hpp"
#include "config/config.hpp"
#include "net/admin/admin_http.hpp"
#include "net/admin/api_table.hpp"
#include "net/admin/console_sessions.hpp"
#include "net/admin/keys_page.hpp"
#include "net/logs/audit_entry.hpp"
#include "net/logs/line_log.hpp"
#include "net/logs/slow_requests.hpp"
#include "net/s3/operation.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <string>

namespace cairn::net {

struct admin_times {
  // Of each: the TLS handshake and the head; the answer's way to the client.
  std::chrono::milliseconds client{10'000};
  // Of the node's work in between. Longer than any actor takes to answer: a command of the cluster 20 s, of a key 30 s.
  std::chrono::milliseconds work{40'000};
};

struct admin_options {
  std::function<actors::node_status()> status; // cheap, thread-safe
  std::function<std::string()> metrics;        // returns the metrics page
  bool clustered = false;                      // the node is a member of a cluster
  std::string token = {};                      // admin.token, or the generated one; empty: no changes allowed
  admin_times times = {};
  std::string root_access_key = {}, root_secret_key = {}; // empty: there is none
  std::string version = {};                               // the program's
  node_metrics* counters = nullptr;                       // null: none are kept
  std::shared_ptr<line_log> audit = {};                   // of changes; null: none
  std::shared_ptr<slow_requests> slow = {};               // null: none
};

// The S3 port of the node.
struct object_port {
  adopt_connection adopt = {};
  std::span<const s3_operation> operations = {}; // the table
  std::string region = {};                       // that signatures name
  std::uint16_t port = 0;
  bool encrypted = false;
};

// The parts of an open node that handle the requests.
struct admin_targets {
  key_page_services keys;
  actors::admin_service_actor admin_service; // null: a standalone node
  object_port objects = {};
};

// What handlers of the API use.
struct api_services {
  const config::admin_settings& settings;
  const admin_options& options;
  const cairn::clock& clock;
  console_sessions& sessions;
  std::string cookie; // the name of the console's
  bool encrypted = false;
  std::shared_ptr<const admin_targets> node; // null: not open
  wall_ms started = 0;
  std::shared_ptr<audit_entry> record = {}; // of a change, until it is answered; null: it gets no line
};

struct api_caller {
  bool is_operator = false;
  std::shared_ptr<const storage::metadata::access_key_row> key; // of a session of another key than the root key
  std::optional<console_session> session;
  std::string session_id;
};

// Who asks, as the audit log says it.
std::string_view audit_name_of(const api_caller& caller);

struct api_call {
  const api_row& row;
  const admin_request& request; // until the handler returns
  request_target target;
  std::string subject; // what the path names
  api_caller caller;
  answer_format format = answer_format::json;
  std::string address = {}; // of the client's socket
};

class admin_api {
public:
  admin_api(config::admin_settings settings, admin_options options, const cairn::clock& clock, random_source& random);

  // `asked` and this object must live until `done` is called. `address`: of the client's socket.
  void answer(const admin_request& asked, bool encrypted, const std::string& address, admin_done done);

  void open_node(admin_targets targets) { node_ = std::make_shared<const admin_targets>(std::move(targets)); }
  void close_node() { node_.store(nullptr); }
  void set_stopping() { stopping_ = true; }
  const admin_options& options() const { return options_; }

private:
  api_services make_services(bool encrypted);
  bool may_read(const admin_request& asked) const;
  bool has_token(const admin_request& asked) const;
  admin_response health(std::string_view path) const;
  void page(const admin_request& asked, const request_target& target, bool encrypted, const admin_done& done);
  void older_command(const admin_request& asked, const request_target& target, bool encrypted,
                     const std::string& address, admin_done done);
  void api(const admin_request& asked, request_target target, bool encrypted, const std::string& address,
           admin_done done);
  void objects(const admin_request& asked, request_target target, bool encrypted, admin_done done);
  // Makes the record of a change, and `done` write its line before the answer. False: it was answered, because there
  // can be no line.
  bool begin_audit(api_services& services, audit_entry entry, bool must_wait, answer_format format, admin_done& done);
  void with_session(api_services services, api_call call, admin_done done);

  const config::admin_settings settings_;
  const admin_options options_;
  const cairn::clock& clock_;
  console_sessions sessions_;
  const wall_ms started_;
  std::atomic<std::shared_ptr<const admin_targets>> node_; // null: the node is not open
  std::atomic<bool> stopping_{false};
};

} // namespace cairn::net
