#include "cli/serve_command.hpp"

#include "actors/runtime/asio_scheduler.hpp"
#include "actors/runtime/io_shards.hpp"
#include "actors/runtime/storage_node.hpp"
#include "base/log.hpp"
#include "base/sockets/service_notifier.hpp"
#include "base/third_party/asio.hpp"
#include "cli/admin/admin_token.hpp"
#include "cli/admin/config_command.hpp"
#include "cli/certificate_watch.hpp"
#include "cli/issuer_fetcher.hpp"
#include "cli/machine/open_files.hpp"
#include "cli/sealing_watch.hpp"
#include "cli/service_watchdog.hpp"
#include "cli/trace_sender.hpp"
#include "cli/version.hpp"
#include "config/reload.hpp"
#include "net/admin/admin_server.hpp"
#include "net/admin/metrics_page.hpp"
#include "net/gateway/routes/operation_table.hpp"
#include "net/gateway/s3_gateway.hpp"
#include "net/logs/line_log.hpp"
#include "net/wire/http_server.hpp"

#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <future>
#include <iostream>
#include <thread>

namespace cairn::cli {

namespace {

constexpr std::chrono::seconds refused_grace{5};
constexpr std::chrono::seconds disks_stop_max{10}; // after node.stop_timeout

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string_view{} : value;
}

void set_up_log(const config::log_settings& settings) {
  log::set_up(static_cast<log::level>(settings.level), settings.format == config::log_format::json);
}

// A running node with its sockets. Members in the order in which they start; they end in the opposite one.
class running_node {
public:
  running_node(config::settings settings, const config_options& options)
      : settings_(std::move(settings)),
        options_(options),
        shards_(settings_.node.shards, settings_.node.threads),
        config_(shards_.contexts()) {
    await_signal();
    signals_thread_ = std::thread{[this] { signals_context_.run(); }};
  }
  ~running_node() { end_signals(); }

  result<void> start();
  int wait_for_stop(); // applies SIGHUPs meanwhile; the exit status
  void stop();

private:
  result<void> open_logs();
  result<void> open_traces();
  result<void> open_admin();
  actors::node_status status() const;
  result<void> make_first_bucket();
  void announce() const;
  void await_signal();
  void end_refused();
  void request_stop(int exit_status); // any thread; the first request counts
  void watch_certificates();
  void watch_sealing();
  void look_at_certificates();
  void note_certificates();
  void end_signals();
  void reload();
  void reload_for_service_manager();

  config::settings settings_;
  const std::uint64_t descriptors_ = raise_descriptor_limit();
  const config_options& options_;
  node_metrics metrics_;
  actors::io_shards shards_;
  actors::node_actor_config config_;
  std::unique_ptr<executor> audit_writer_, access_writer_;
  net::gateway_logs logs_{.slow = std::make_shared<net::slow_requests>(system_clock(), metrics_)};
  std::unique_ptr<caf::actor_system> system_;
  std::unique_ptr<actors::storage_node> node_;
  std::shared_ptr<net::identity_providers> providers_; // of web identities
  std::unique_ptr<net::http_server> http_;
  std::unique_ptr<net::admin_server> admin_;
  std::atomic<actors::storage_node*> open_node_{nullptr}; // null while it starts, which takes minutes when it joins
  boost::asio::io_context signals_context_{1};
  boost::asio::steady_timer certificate_check_{signals_context_}, sealing_check_{signals_context_},
      refused_{signals_context_};
  certificate_watch certificates_;
  const std::shared_ptr<sealing_watch> sealing_ = std::make_shared<sealing_watch>();
  std::atomic<wall_ms> http_certificate_end_{0}, admin_certificate_end_{0};
  boost::asio::signal_set signals_{signals_context_, SIGTERM, SIGINT, SIGHUP};
  std::thread signals_thread_;
  std::atomic<bool> stop_requested_{false};
  std::promise<int> exit_status_;
  const sockets::service_notifier service_manager_{environment("NOTIFY_SOCKET")};
  service_watchdog watchdog_{signals_context_, shards_.contexts(),
                             watchdog_period(environment("WATCHDOG_USEC"), environment("WATCHDOG_PID"), ::getpid()),
                             [this] { service_manager_.notify("WATCHDOG=1"); }};
};

result<void> running_node::start() {
  system_ = std::make_unique<caf::actor_system>(config_);
  shards_.start();
  if (auto opened = open_logs(); !opened) return opened;
  if (auto listening = open_admin(); !listening) return listening;
  auto node = actors::storage_node::open(settings_, *system_, metrics_, shards_.contexts(), [this] { end_refused(); });
  if (!node) return node.error();
  node_ = std::move(*node);
  if (options_.file.empty() && node_->is_new())
    if (auto made = make_first_bucket(); !made) return made;
  const auto fitting = fitted(settings_, descriptors_);
  auto services = node_->handles();
  auto memory = services.buffers;
  providers_ = std::make_shared<net::identity_providers>(settings_.auth.oidc, make_issuer_fetcher(), system_clock());
  auto gateway = std::make_shared<net::s3_gateway>(fitting, std::move(services), net::s3_operations, metrics_, logs_,
                                                   system_clock(), system_random(), providers_);
  http_ =
      std::make_unique<net::http_server>(shards_.contexts(), fitting, std::move(gateway), std::move(memory), metrics_);
  if (auto listening = http_->listen(); !listening) return listening;
  http_->start();
  net::object_port objects{http_->adopting(), net::s3_operations, settings_.auth.region, http_->local_endpoint().port,
                           !settings_.http.tls.cert.empty()};
  admin_->open_node(
      {{node_->handles(), &system_random(), &system_clock()}, node_->admin_service(), std::move(objects)});
  note_certificates();
  open_node_ = node_.get();
  announce();
  boost::asio::post(signals_context_, [this] {
    watch_certificates();
    watch_sealing();
    watchdog_.start();
  });
  return {};
}

actors::node_status running_node::status() const {
  const auto* node = open_node_.load();
  if (node == nullptr) {
    actors::node_status starting;
    starting.reason = "the node starts";
    return starting;
  }
  auto out = node->status();
  if (logs_.audit) out.audit_problem = logs_.audit->problem();
  if (!out.audit_problem.empty() && out.ready) {
    out.ready = false;
    out.reason = "the audit log takes no lines: " + out.audit_problem;
  }
  if (auto problem = sealing_->problem(); !problem.empty() && out.ready) {
    out.ready = false;
    out.reason = std::move(problem);
  }
  const auto add = [&out](const char* use, wall_ms ends) {
    if (ends != 0) out.certificates.push_back({use, ends});
  };
  add("http", http_certificate_end_.load());
  add("admin", admin_certificate_end_.load());
  return out;
}

// `writer`: a thread of its own, so that no log waits for the file of another one.
result<std::shared_ptr<net::line_log>> open_log(std::unique_ptr<executor>& writer, line_log_metrics& metrics,
                                                const char* thread, net::line_log_options options) {
  constexpr std::size_t queue_max = 16; // the log has one job at a time
  if (options.path.empty()) return std::shared_ptr<net::line_log>{};
  writer = make_thread_executor(thread, 1, queue_max);
  return net::line_log::open(posix_file_system(), *writer, system_clock(), metrics, std::move(options));
}

result<void> running_node::open_logs() {
  const auto& wanted = settings_.audit;
  auto audit = open_log(audit_writer_, metrics_.audit, "audit",
                        {.name = "audit log", .path = wanted.file, .durable = wanted.durable});
  if (!audit) return audit.error();
  logs_.audit = std::move(*audit);
  auto access = open_log(access_writer_, metrics_.access, "access",
                         {.name = "access log", .path = settings_.access_log.file, .kept_bytes_max = 1 << 20});
  if (!access) return access.error();
  logs_.access = std::move(*access);
  return open_traces();
}

result<void> running_node::open_traces() {
  if (settings_.trace.endpoint.empty()) return {};
  auto sender = make_trace_sender(settings_.trace.endpoint);
  if (!sender) return sender.error();
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  const net::trace_resource node{version_number(),
                                 std::string{host.data()} + ":" + std::to_string(settings_.http.listen.port)};
  logs_.traces = std::make_shared<net::span_exporter>(node, std::move(*sender), metrics_, system_clock());
  return {};
}

// Probes are answered from the beginning.
result<void> running_node::open_admin() {
  net::admin_options admin{
      [this] { return status(); },
      [this] { return net::metrics_page(metrics_, status(), net::s3_operations, version_number()); }};
  admin.clustered = !settings_.cluster.listen.host.empty();
  admin.token = settings_.admin.token;
  if (admin.token.empty()) {
    auto own = own_admin_token(settings_.node.data_dir, system_random());
    if (!own) return own.error();
    admin.token = std::move(*own);
  }
  admin.root_access_key = settings_.auth.root_access_key;
  admin.root_secret_key = settings_.auth.root_secret_key;
  admin.version = version_number();
  admin.counters = &metrics_;
  admin.audit = logs_.audit;
  admin.slow = logs_.slow;
  admin_ = std::make_unique<net::admin_server>(*shards_.contexts().front(), settings_.admin, std::move(admin));
  if (auto listening = admin_->listen(); !listening) return listening;
  admin_->start();
  return {};
}

result<void> running_node::make_first_bucket() {
  namespace metadata = storage::metadata;
  std::promise<result<actors::committed>> answered;
  actors::command_box box =
      std::make_shared<const metadata::command>(metadata::create_bucket{"files", system_clock().wall()});
  actors::ask_metadata<actors::committed>(
      node_->handles(), [&answered](result<actors::committed> a) { answered.set_value(std::move(a)); },
      actors::commit_atom_v, box);
  const auto answer = answered.get_future().get();
  if (!answer && answer.error().code != errc::bucket_exists) return answer.error();
  return {};
}

void running_node::announce() const {
  const std::string url =
      (settings_.http.tls.cert.empty() ? "http://" : "https://") + config::format(http_->local_endpoint());
  const std::string admin_url =
      (settings_.admin.tls.cert.empty() ? "http://" : "https://") + config::format(admin_->local_endpoint());
  log::info("serving",
            {{"http", url}, {"admin", admin_url}, {"data", settings_.node.data_dir}, {"version", version_text()}});
  std::cout << "Cairn serves " << url << "  (console: " << admin_url << "/console/, metrics: " << admin_url
            << "/metrics)\n"
            << "Try it:\n"
            << "  curl -T FILE " << url << "/files/FILE\n"
            << "  curl -o COPY " << url << "/files/FILE\n"
            << "  curl '" << url << "/files?list-type=2'\n"
            << std::flush;
  service_manager_.notify("READY=1\nSTATUS=serves " + url);
}

void running_node::reload() {
  const auto fresh = config::load_file(options_.file, overrides_in_effect(options_));
  if (!fresh.problems.empty()) {
    for (const auto& p : fresh.problems) log::error("reload refused", {{"problem", config::to_string(p)}});
    return;
  }
  const auto change = config::reload(settings_, fresh.value);
  for (const auto& p : change.problems) log::error("reload refused", {{"problem", config::to_string(p)}});
  if (!change.problems.empty()) return;
  settings_ = change.value;
  set_up_log(settings_.log);
  if (auto applied = node_->apply(settings_); !applied)
    log::error("cluster.tls stays as it was", {{"problem", to_string(applied.error())}});
  if (auto applied = admin_->apply(settings_.admin); !applied)
    log::error("admin.tls stays as it was", {{"problem", to_string(applied.error())}});
  if (auto applied = http_->apply(fitted(settings_, descriptors_)); !applied)
    log::error("http.tls stays as it was", {{"problem", to_string(applied.error())}});
  for (const auto& what : change.applied) log::info("setting changed", {{"change", what}});
  for (const auto& key : change.needs_restart) log::warn("setting needs a restart", {{"key", key}});
  note_certificates();
  look_at_certificates();
  log::info("configuration re-read", {{"changed", change.applied.size()}});
}

void running_node::reload_for_service_manager() {
  const auto since_boot = system_clock().now().time_since_epoch();
  const auto usec = std::chrono::duration_cast<std::chrono::microseconds>(since_boot).count();
  service_manager_.notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(usec));
  reload();
  service_manager_.notify("READY=1");
}

void running_node::note_certificates() {
  http_certificate_end_ = http_->certificate_end();
  admin_certificate_end_ = admin_->certificate_end();
}

void running_node::watch_certificates() {
  look_at_certificates();
  certificate_check_.expires_after(std::chrono::minutes{10});
  certificate_check_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) watch_certificates();
  });
}

void running_node::watch_sealing() {
  sealing_->look(node_->handles());
  sealing_check_.expires_after(std::chrono::seconds{10});
  sealing_check_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) watch_sealing();
  });
}

void running_node::look_at_certificates() { // on the signals' thread, as whatever reloads them
  constexpr wall_ms hour_ms = 3600 * 1000;
  const auto now = system_clock().wall();
  for (const auto& c : certificates_.due(status().certificates, now))
    log::warn("a certificate ends soon: issue a new one, then SIGHUP",
              {{"use", c.use}, {"hours_left", std::to_string((c.ends - now) / hour_ms)}});
}

void running_node::await_signal() {
  signals_.async_wait([this](boost::system::error_code failed, int signal) {
    if (failed) return;
    if (signal == SIGHUP) {
      for (const auto& log : {logs_.audit, logs_.access})
        if (log) log->reopen();
      if (open_node_.load()) reload_for_service_manager();
      return await_signal();
    }
    log::info("stopping", {{"signal", signal}});
    if (!open_node_.load()) {
      service_manager_.notify("STOPPING=1");
      std::_Exit(0); // nothing was served or acknowledged: the disks are as after a crash
    }
    signals_.clear(); // a second Ctrl-C ends the process at once: nothing acknowledged depends on a clean stop
    request_stop(0);
  });
}

// Not at once: an operator's command on this node may be what removed it, and is to be answered.
void running_node::end_refused() {
  boost::asio::post(signals_context_, [this] {
    refused_.expires_after(refused_grace);
    refused_.async_wait([this](const boost::system::error_code& cancelled) {
      if (cancelled) return;
      log::error("stopping: the cluster has refused this node permanently");
      request_stop(1);
    });
  });
}

void running_node::request_stop(int exit_status) {
  if (stop_requested_.exchange(true)) return;
  service_manager_.notify("STOPPING=1");
  exit_status_.set_value(exit_status);
}

int running_node::wait_for_stop() {
  const int status = exit_status_.get_future().get();
  end_signals(); // nobody reloads any more
  return status;
}

void running_node::end_signals() {
  signals_context_.stop();
  if (signals_thread_.joinable()) signals_thread_.join();
}

// A stop whose disks do not answer is ended without them: nothing acknowledged depends on a clean stop.
class stop_limit {
public:
  explicit stop_limit(std::chrono::microseconds most)
      : thread_([this, most] {
          if (done_.get_future().wait_for(most) == std::future_status::ready) return;
          log::error("the node has not stopped in time: its disks do not answer; ending without them");
          std::_Exit(1);
        }) {}
  ~stop_limit() {
    done_.set_value();
    thread_.join();
  }
  stop_limit(const stop_limit&) = delete;
  stop_limit& operator=(const stop_limit&) = delete;

private:
  std::promise<void> done_;
  std::thread thread_;
};

// Of the requests that have ended; not for long, because its file may be a pipe that nobody reads.
void await_lines(net::line_log& log) {
  constexpr std::chrono::seconds patience{2};
  const auto written = std::make_shared<std::promise<void>>();
  log.append({}, [written](bool) { written->set_value(); });
  (void)written->get_future().wait_for(patience);
}

void running_node::stop() {
  const auto delay = settings_.cluster.listen.host.empty() ? config::duration{0} : settings_.node.stop_delay;
  const stop_limit limit{delay + settings_.node.stop_timeout + disks_stop_max};
  end_signals();
  if (admin_) admin_->set_stopping();
  if (node_) node_->transfer_leadership(); // first, so that the others' writes need not wait for this node's clients
  if (providers_) providers_->stop();
  if (http_) {
    http_->announce_stop();
    std::this_thread::sleep_for(delay);
    http_->stop_accepting();
    std::promise<void> drained;
    http_->drain(settings_.node.stop_timeout, [&drained] { drained.set_value(); });
    drained.get_future().wait();
  }
  if (admin_) {
    admin_->stop();
    admin_->close_node();
  }
  if (node_) node_->stop();
  http_.reset();
  system_.reset();
  shards_.stop();
  if (logs_.access) await_lines(*logs_.access);
  if (logs_.traces) logs_.traces->stop();
  for (const auto& writer : {audit_writer_.get(), access_writer_.get()})
    if (writer) writer->stop();
  log::info("stopped");
}

int serve(const config_options& options) {
  auto settings = load_for_command(options, std::cerr);
  if (!settings) return exit_wrong_config;
  set_up_log(settings->log);
  running_node node{std::move(*settings), options};
  const auto started = node.start();
  if (!started) {
    log::error("cannot start", {{"error", to_string(started.error())}});
    std::cerr << "cairn: cannot start: " << to_string(started.error()) << "\n";
    node.stop();
    return 1;
  }
  const int status = node.wait_for_stop();
  node.stop();
  return status;
}

} // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  auto* command =
      app.add_subcommand("serve", "Runs a node until SIGTERM or Ctrl-C.\n"
                                  "Example: cairn serve --config cairn.toml --set http.listen=127.0.0.1:8080");
  auto options = std::make_shared<config_options>();
  add_config_options(*command, *options);
  command->callback([options, &exit_code] { exit_code = serve(*options); });
}

} // namespace cairn::cli
