#include "actors/runtime/cluster_member.hpp"

#include "actors/members/admin_service.hpp"
#include "actors/members/cluster_report.hpp"
#include "actors/runtime/member_wiring.hpp"
#include "base/files/applied_record.hpp"
#include "base/files/small_file.hpp"
#include "base/log.hpp"
#include "cluster/raft/log/older_log.hpp"

#include <algorithm>
#include <future>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;
namespace raft = cluster::raft;
using namespace std::chrono_literals;

constexpr std::chrono::seconds join_timeout = 2min, join_pause = 1s, join_time = 10s;
constexpr std::chrono::milliseconds transfer_timeout = 1500ms, transfer_pause = 10ms, record_time = 5s;
constexpr std::uint64_t peers_share = 4; // of limits.memory: what peers send
constexpr std::size_t log_queue_max = 64, log_read_queue_max = 1024, transfer_queue_max = 256;

std::string text_of(const config::endpoint& e) {
  return config::format(e);
}

// Other members count on what this one has acknowledged, so its log is not fetched from them.
error damaged_log(const error& why) {
  if (why.code != errc::corrupt) return why;
  return {why.code, why.text + ". If `cairn cluster recover` was interrupted, run it again. Otherwise remove this node "
                               "(cairn cluster remove), and start it with an empty data directory, as a new one"};
}

bool is_retriable(errc code) {
  return code == errc::connection_lost || code == errc::no_leader || code == errc::timeout || code == errc::busy;
}

} // namespace

result<std::unique_ptr<cluster_member>> cluster_member::open(member_services services) {
  std::unique_ptr<cluster_member> m{new cluster_member{std::move(services)}};
  if (auto good = m->check_refusal(); !good) return good.error();
  if (auto good = m->open_links(); !good) return good.error();
  if (auto good = m->find_cluster(); !good) return good.error();
  if (auto good = m->open_log(); !good) return good.error();
  return m;
}

cluster_member::~cluster_member() {
  if (links_) links_->stop();
}

// ── permanent refusal ──

// The grammar of `data_dir`/refused: "cairn-refused 1 ", the reason, a line feed.
constexpr std::string_view refused_grammar = "cairn-refused 1 ";

result<void> cluster_member::check_refusal() const {
  const auto& dir = services_.settings->node.data_dir;
  auto text = read_small_file(*services_.files, dir + "/refused");
  if (!text) return text.error().code == errc::not_found ? result<void>{} : text.error();
  while (text->ends_with('\n')) text->pop_back();
  return error{errc::precondition_failed, dir + " was refused by its cluster, permanently: " +
                                              text->substr(std::min(text->size(), refused_grammar.size())) +
                                              ". Start with an empty data directory, as a new node"};
}

void cluster_member::remember_refusal(const std::string& why) const {
  std::string line{refused_grammar};
  for (const char c : why) line += c == '\n' ? ' ' : c;
  const auto path = services_.settings->node.data_dir + "/refused";
  if (auto kept = replace_small_file(*services_.files, path, line + '\n'); !kept)
    log::error("the cluster's refusal of this node could not be stored", {{"error", to_string(kept.error())}});
}

std::optional<std::string> cluster_member::refused_by_peers() const {
  for (const auto& l : links_->links())
    if (!l.status.up && l.status.fault_code == errc::precondition_failed) return l.status.fault;
  return std::nullopt;
}

meta::new_node cluster_member::self() const {
  const auto& s = *services_.settings;
  std::string address = s.cluster.advertise;
  if (address.empty()) address = text_of(links_ ? links_->local_endpoint() : s.cluster.listen);
  return {services_.node.id, address, s.node.zone, s.node.weight, services_.node.incarnation};
}

result<std::shared_ptr<link::tls_identity>>
cluster_member::read_identity(const config::cluster_tls_settings& files) const {
  auto material = link::read_tls_files(*services_.files, files.ca, files.cert, files.key);
  if (!material) return material.error();
  auto made = link::tls_identity::make(*material);
  if (made && (*made)->node() != services_.node.id)
    return error{errc::invalid_argument, files.cert + " was issued for node " + cairn::to_string((*made)->node()) +
                                             ", but this node is " + cairn::to_string(services_.node.id) +
                                             ": issue one with `cairn cluster certs issue`"};
  return made;
}

result<void> cluster_member::reload_certificate(const config::cluster_tls_settings& files) {
  if (!tls_ && files.cert.empty()) return {};
  if (!tls_ || files.cert.empty())
    return error{errc::invalid_argument, "turning cluster.tls on or off needs a restart"};
  auto made = read_identity(files);
  if (!made) return made.error();
  tls_->take(**made);
  certificate_end_->store(tls_->ends());
  return {};
}

result<void> cluster_member::open_links() {
  const auto& s = services_.settings->cluster;
  if (!s.tls.cert.empty()) {
    auto made = read_identity(s.tls);
    if (!made) return made.error();
    tls_ = *made;
    certificate_end_->store(tls_->ends());
  }
  link::hello h;
  h.cluster_name = s.name;
  h.node = services_.node.id;
  h.incarnation = services_.node.incarnation;
  h.feature_level = meta::feature_level;
  hello_ = std::make_shared<local_handshake>(std::move(h));
  link_peers_settings settings;
  settings.listen = s.listen;
  settings.insecure = s.insecure;
  settings.bulk_connections = s.bulk_connections;
  links_ = std::make_shared<link_peers>(
      settings, link_peers_services{.contexts = services_.contexts, .tls = tls_, .own = hello_, .service = service_});
  return links_->listen();
}

result<void> cluster_member::find_cluster() {
  const auto& data_dir = services_.settings->node.data_dir;
  auto known = cluster::load_cluster_identity(*services_.files, data_dir);
  if (!known) return known.error();
  const auto log_dir = log_directory();
  auto listed = services_.files->list(log_dir);
  const bool has_log = listed && !listed->empty();
  if (*known && !has_log)
    return error{errc::precondition_failed,
                 log_dir + " is missing, but this node is a member of a cluster and may have voted. "
                           "Start with an empty data directory, as a new node, and remove this one"};
  // Opened before the identity is stored: a stored identity without a log means that the log was lost.
  if (auto opened = open_log_files(); !opened) return opened;
  if (*known) {
    identity_ = std::move(**known);
    if (identity_.name != services_.settings->cluster.name)
      return error{errc::invalid_argument, "this node is a member of the cluster \"" + identity_.name +
                                               "\", cluster.name says \"" + services_.settings->cluster.name + "\""};
  } else {
    if (auto good = check_that_it_is_new(); !good) return good;
    if (auto good = services_.settings->cluster.join.empty() ? found() : join(); !good) return good;
  }
  hello_->set_cluster(identity_.id, identity_.name);
  layout_ = std::make_shared<layout_holder>(identity_.self);
  layout_->learn(identity_.members);
  return {};
}

// Without the file `cluster` a member would found or join a cluster over the metadata, or with the vote, of the one to
// which it belongs.
result<void> cluster_member::check_that_it_is_new() {
  const auto& settings = *services_.settings;
  const auto record = read_small_file(*services_.files, settings.node.data_dir + "/applied"); // only members have it
  if (!record && record.error().code != errc::not_found) return record.error();
  auto view = services_.store->read();
  if (!view) return unreadable(view.error());
  const auto row = (*view)->cluster();
  if (!row && row.error().code != errc::not_found) return unreadable(row.error());
  const auto log = log_files_->load_what_is_there();
  if (!log) return log.error();
  if (!record && !row && !log->snapshot && log->entries.empty()) return {};
  return error{errc::precondition_failed,
               settings.node.data_dir + "/cluster is missing, but this node is a member of a cluster" +
                   (row ? " (\"" + row->name + "\")" : std::string{}) +
                   ". Put the file back. If it is lost, start with an empty data directory, as a new node, and remove "
                   "this one; if this is the cluster's only node, or a restore was interrupted, run `cairn cluster "
                   "recover --majority-lost`"};
}

result<void> cluster_member::found() {
  if (services_.settings->node.weight == 0)
    return error{errc::invalid_argument, "the first node of a cluster needs a node.weight above 0"};
  identity_ = {make_uuid(*services_.random), services_.settings->cluster.name, 0, {}};
  log::info("founding a cluster", {{"cluster", cairn::to_string(identity_.id)}, {"name", identity_.name}});
  return cluster::save_cluster_identity(*services_.files, services_.settings->node.data_dir, identity_);
}

result<void> cluster_member::join() {
  auto view = services_.store->read();
  if (!view) return view.error();
  if ((*view)->applied() != 0)
    return error{errc::precondition_failed, "this node already stores data; a node that joins a cluster starts with an "
                                            "empty data directory"};
  auto answer = ask_to_join();
  if (!answer) return answer.error();
  identity_ = {answer->cluster, answer->name, answer->number, std::move(answer->members)};
  log::info("joined", {{"cluster", cairn::to_string(identity_.id)}, {"number", identity_.self}});
  return cluster::save_cluster_identity(*services_.files, services_.settings->node.data_dir, identity_);
}

result<join_answer> cluster_member::ask_to_join() {
  const auto& token = services_.settings->cluster.join_token;
  join_request asked{self(), services_.settings->cluster.name, {}};
  if (!token.empty()) asked.proof = cluster::prove_token(cluster::hash_of_token(token), asked.node.id);
  std::string bytes(1, char(peer_request::join));
  bytes += encode(asked);
  auto until = services_.clock->now() + join_timeout;
  error last{errc::no_leader, "no member was asked"};
  while (services_.clock->now() < until) {
    for (const auto& address : services_.settings->cluster.join) {
      auto target = config::parse_host_port(address);
      if (!target) return target.error();
      auto answered = std::make_shared<std::promise<result<link::answer>>>();
      links_->ask_member(*target, bytes, join_time,
                         [answered](result<link::answer> a) { answered->set_value(std::move(a)); });
      auto a = answered->get_future().get();
      if (a) return decode_join_answer(a->bytes);
      if (!is_retriable(a.error().code)) return a.error();
      // busy: the member waits for an operator's approval, which may take any time.
      if (a.error().code == errc::busy) until = services_.clock->now() + join_timeout;
      if (a.error().code != last.code || a.error().text != last.text)
        log::info("waiting to join", {{"asked", address}, {"answer", to_string(a.error())}});
      last = a.error();
    }
    block_thread(join_pause); // nothing else runs on this thread at start-up
  }
  return last;
}

// The error for metadata that cannot be read on a node that knows no other member: such a node cannot fetch the state.
error cluster_member::unreadable(const error& why) const {
  if (why.code != errc::corrupt && why.code != errc::quarantined) return why;
  return {why.code, why.text + ". This node knows no other member from which it could fetch its metadata. Set it aside "
                               "with `cairn cluster rejoin`, then restore a backup with `cairn cluster restore`"};
}

// Stores the members of a cluster that this node founded, so that a founder whose metadata is lost does not found it
// again.
result<void> cluster_member::remember_members() {
  const auto is_other = [this](const auto& m) { return m.number != identity_.self; };
  if (std::ranges::any_of(identity_.members, is_other)) return {};
  auto view = services_.store->read();
  if (!view) return unreadable(view.error());
  const auto row = (*view)->cluster();
  if (!row && row.error().code != errc::not_found) return unreadable(row.error());
  if (!row || !identity_.members.empty()) return {};
  const auto nodes = (*view)->nodes();
  if (!nodes) return nodes.error();
  for (const auto& n : *nodes)
    if (n.state != meta::node_state::removed) identity_.members.push_back({n.number, n.id, n.address});
  return cluster::save_cluster_identity(*services_.files, services_.settings->node.data_dir, identity_);
}

std::string cluster_member::log_directory() const {
  return services_.settings->metadata_dir() + "/log";
}

result<void> cluster_member::open_log_files() {
  const auto directory = log_directory();
  auto& files = *services_.files;
  log_damage_ = std::make_shared<storage::kv_damage>(directory, &services_.metrics->metadata_damaged);
  if (auto converted = raft::convert_older_log(files, directory, *services_.random); !converted) return converted;
  log_files_ =
      std::make_shared<raft::raft_log>(files, directory, *services_.random, raft::log_options{.damage = log_damage_});
  auto opened = log_files_->open();
  return opened ? opened : damaged_log(opened.error());
}

result<void> cluster_member::open_log() {
  if (auto remembered = remember_members(); !remembered) return remembered;
  log_writes_ = make_thread_executor("log-write", 1, log_queue_max);
  log_reads_ = make_thread_executor("log-read", 1, log_read_queue_max);
  transfers_ = make_thread_executor("transfer", 1, transfer_queue_max);
  const auto& data_dir = services_.settings->node.data_dir;
  const auto before = load_applied_record(*services_.files, data_dir, identity_.id);
  if (!before) return before.error();
  const auto metadata_dir = services_.settings->metadata_dir();
  auto log = open_member_log({
      .log = log_files_,
      .store = services_.store,
      .identity = &identity_,
      .self = self(),
      .replicas = std::uint8_t(services_.settings->cluster.replicas),
      .write_quorum = std::uint8_t(services_.settings->cluster.write_quorum),
      .writes = log_writes_.get(),
      .reads = log_reads_.get(),
      .transfer = {services_.engine, services_.files, metadata_dir + "/transfer", transfers_.get()},
      .network = links_.get(),
      .clock = services_.clock,
      .random = services_.random,
      .has_room =
          [files = services_.files, metadata_dir, reserve = services_.settings->storage.reserve.bytes] {
            const auto space = files->space_of(metadata_dir);
            return space && has_room_again(reserve, *space);
          },
      .damage = services_.damage,
      .log_damage = log_damage_,
      .repaired = &services_.metrics->metadata_repaired,
      .state = state_,
      .applied_before = *before,
  });
  if (!log) return damaged_log(log.error());
  log_ = std::move(*log);
  if (log_->applied <= *before) return {};
  return save_applied_record(*services_.files, data_dir, identity_.id, log_->applied);
}

std::shared_ptr<const chunk_router> cluster_member::serve_chunks(caf::actor_system& system,
                                                                 std::shared_ptr<const store_router> local,
                                                                 std::shared_ptr<buffer_pool> buffers,
                                                                 std::size_t servers, bool disk_closed) {
  service_->count_in(*services_.metrics);
  auto chunks = open_member_chunks(
      system,
      {.local = std::move(local),
       .layouts = layout_,
       .network = links_,
       .buffers = std::move(buffers),
       .peer_buffers = std::make_shared<buffer_pool>(services_.settings->limits.memory.bytes / peers_share),
       .metrics = services_.metrics,
       .clock = services_.clock,
       .servers = servers,
       .disk_closed = disk_closed},
      *service_);
  chunk_service_ = std::move(chunks.service);
  return chunks.router;
}

std::shared_ptr<replicated_log_services> cluster_member::log_services() {
  return std::move(log_);
}

result<void> cluster_member::start(caf::actor_system& system, membership_services services,
                                   const metadata_actor& metadata) {
  services.layout = layout_;
  services.state = state_;
  services.network = links_.get();
  services.self = self();
  services.cluster_name = identity_.name;
  services.metadata = metadata;
  services.controller.out_after =
      std::chrono::duration_cast<std::chrono::milliseconds>(services_.settings->cluster.down_out_after);
  services.founding.window =
      std::chrono::duration_cast<std::chrono::milliseconds>(services_.settings->cluster.founding_window);
  services.certificate_end = [end = certificate_end_] { return end->load(); };
  services.refusal = [this] { return refused_by_peers(); };
  services.feature_level = [hello = hello_](std::uint8_t level) { hello->set_feature_active(level); };
  services.remember_refusal = [this](const std::string& why) {
    remember_refusal(why);
    if (services_.refused) services_.refused();
  };
  services.remembered = identity_.members;
  services.remember_members = [files = services_.files, dir = services_.settings->node.data_dir,
                               identity = identity_](const std::vector<cluster::known_member>& members) {
    auto of_now = identity;
    of_now.members = members;
    return cluster::save_cluster_identity(*files, dir, of_now);
  };
  services.remember_applied = [this, pace = applied_record_pace{0}](log_index applied) mutable {
    if (!pace.due(applied, services_.clock->now())) return;
    auto job = [files = services_.files, dir = services_.settings->node.data_dir, cluster = identity_.id,
                applied](bool) {
      if (const auto kept = save_applied_record(*files, dir, cluster, applied); !kept)
        log::warn("how far the metadata has come was not kept", {{"error", to_string(kept.error())}});
    };
    (void)transfers_->post(services_.clock->now() + record_time, std::move(job)); // or the next time
  };
  if (!services_.settings->cluster.join.empty())
    services.ask_configured = [this](std::string request, link::reply_callback reply) {
      const auto& join = services_.settings->cluster.join;
      const auto target = config::parse_host_port(join[configured_asked_[request.front()]++ % join.size()]);
      if (!target) return reply(target.error());
      links_->ask_member(*target, std::move(request), join_time, std::move(reply));
    };
  metadata_->set(metadata);
  admin_services admin_service{
      .metadata = metadata,
      .store = services.store,
      .reads = services.reads,
      .layout = layout_,
      .state = state_,
      .network = links_.get(),
      .clock = services.clock,
      .cluster_name = identity_.name,
      .random = services_.random,
      .down_after = services.controller.down_after,
  };
  admin_service.membership = spawn_membership(system, std::move(services));
  membership_->set(admin_service.membership);
  admin_service_->set(spawn_admin_service(system, std::move(admin_service)));
  serve_members(*service_, metadata_, membership_, admin_service_);
  links_->start();
  return {};
}

namespace {

template <class Answer, class... Message>
std::optional<Answer> ask_and_wait(caf::actor_system& system, const metadata_actor& target, Message... message) {
  auto answered = std::make_shared<std::promise<std::optional<Answer>>>();
  system.spawn([=](caf::event_based_actor* self) {
    self->request(target, caf::infinite, message...)
        .then([answered](const Answer& a) { answered->set_value(a); },
              [answered](const caf::error&) { answered->set_value(std::nullopt); });
  });
  return answered->get_future().get();
}

} // namespace

void cluster_member::transfer_leadership(caf::actor_system& system) {
  const auto until = services_.clock->now() + transfer_timeout;
  std::optional<node_number> to;
  const auto metadata = metadata_->get();
  while (metadata && services_.clock->now() < until) {
    const auto log = ask_and_wait<log_status_ptr>(system, metadata, status_atom_v);
    const auto layout = layout_->get();
    if (!log || !layout || !(*log)->leads) break;
    if (!to) {
      to = successor(**log, *layout, [this](const cluster::member& m) { return links_->up(m.id); });
      if (!to) return; // no other node could take over
    }
    ask_and_wait<std::uint8_t>(system, metadata, transfer_atom_v, *to); // may be repeated until it has happened
    block_thread(transfer_pause);
  }
  if (to) log::info("leadership transferred", {{"to", *to}});
}

void cluster_member::stop() {
  if (chunk_service_) chunk_service_->stop();
  if (const auto admin_service = admin_service_->get())
    caf::anon_send_exit(admin_service, caf::exit_reason::user_shutdown);
  if (const auto membership = membership_->get()) caf::anon_send_exit(membership, caf::exit_reason::user_shutdown);
  admin_service_->set({});
  membership_->set({});
  metadata_->set({});
  if (log_writes_) log_writes_->stop();
  if (log_reads_) log_reads_->stop();
  if (transfers_) transfers_->stop();
  links_->stop();
}

} // namespace cairn::actors
