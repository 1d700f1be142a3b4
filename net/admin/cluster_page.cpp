#include "net/admin/cluster_page.hpp"

#include "base/digest.hpp"
#include "base/json.hpp"
#include "base/text_table.hpp"
#include "config/keys.hpp"
#include "net/admin/cluster_reasons.hpp"

#include <algorithm>
#include <charconv>
#include <span>

namespace cairn::net {

namespace {

using actors::admin_command;
using actors::admin_verb;
using actors::cluster_node_status;
using actors::cluster_status;
using actors::verb_subject;
using actors::verb_value;
using storage::metadata::node_state;

const char* name_of(node_state s) {
  switch (s) {
    case node_state::active: return "active";
    case node_state::draining: return "draining";
    case node_state::out: return "out";
    case node_state::removed: return "removed";
  }
  return "?";
}

const char* name_of(actors::metadata_role r) {
  switch (r) {
    case actors::metadata_role::none: return "none";
    case actors::metadata_role::standby: return "standby";
    case actors::metadata_role::voter: return "voter";
  }
  return "?";
}

json_array array_of(const std::vector<node_number>& nodes) {
  return json_array(nodes.begin(), nodes.end());
}

json_value node_json(const cluster_node_status& n) {
  return json_object{{"number", n.number},
                     {"id", cairn::to_string(n.id)},
                     {"address", n.address},
                     {"zone", n.zone},
                     {"weight", n.weight},
                     {"state", name_of(n.state)},
                     {"up", n.up},
                     {"since_ms", n.since},
                     {"role", name_of(n.role)},
                     {"partitions_owned", n.partitions_owned},
                     {"partitions_incoming", n.partitions_incoming},
                     {"used_bytes", n.used_bytes},
                     {"capacity_bytes", n.capacity_bytes},
                     {"data_bytes", n.data_bytes},
                     {"applied_index", n.applied_index},
                     {"closed_disks", n.closed_disks},
                     {"fault", n.fault.empty() ? json_value{} : json_value(n.fault)},
                     {"certificate_end_ms", n.certificate_end}};
}

json_value auto_out_json(const cluster::out_decision& a) {
  return json_object{
      {"paused", a.paused == cluster::out_pause::none ? json_value{} : json_value(cluster::to_string(a.paused))},
      {"waiting", array_of(a.waiting)},
      {"because", array_of(a.because)}};
}

json_value waiting_json(const actors::waiting_status& w) {
  return json_object{{"id", cairn::to_string(w.id)}, {"address", w.address}};
}

// ── text for operators ──

std::string state_text(const cluster_node_status& n, wall_ms now) {
  std::string out = name_of(n.state);
  out += n.up ? ", up" : ", DOWN";
  if (n.since > 0 && n.since <= now) out += ' ' + short_time(now - n.since);
  if (!n.fault.empty()) out += ", log failed: " + n.fault;
  if (n.closed_disks > 0)
    out += ", " + std::to_string(n.closed_disks) + (n.closed_disks == 1 ? " disk" : " disks") + " closed";
  return out;
}

table_row node_row(const cluster_node_status& n, const cluster_status& s) {
  const auto role = s.leader == n.number ? "leader" : n.role == actors::metadata_role::none ? "-" : name_of(n.role);
  const auto used = n.capacity_bytes == 0 ? "-" : short_bytes(n.used_bytes) + " of " + short_bytes(n.capacity_bytes);
  return {std::to_string(n.number) + (n.number == s.self ? "*" : ""),
          ascii_only(n.address),
          n.zone.empty() ? "-" : ascii_only(n.zone),
          std::to_string(n.weight),
          state_text(n, s.now),
          role,
          std::to_string(n.partitions_owned) +
              (n.partitions_incoming == 0 ? "" : " +" + std::to_string(n.partitions_incoming)),
          n.capacity_bytes == 0 ? "-" : short_bytes(n.data_bytes),
          used,
          std::to_string(n.applied_index),
          cairn::to_string(n.id)};
}

std::string votes_text(const cluster_status& s) {
  if (s.voters.empty()) return {};
  const auto count = s.voters.size();
  return (count == 1 ? "Voter: " : "Voters: ") + node_list(s.voters) +
         (count == 1 ? "." : "; " + std::to_string(count / 2 + 1) + " of them must be up.") +
         (s.voters_next.empty() ? "\n" : " This is being changed to " + node_list(s.voters_next) + ".\n");
}

// ── commands ──

// "add, drain, … or deletions"
std::string verb_names() {
  std::string out;
  for (const auto& v : actors::admin_verbs)
    out.append(out.empty() ? "" : &v == &actors::admin_verbs.back() ? " or " : ", ").append(v.name);
  return out;
}

std::vector<std::string> split(std::string_view text, char by) {
  std::vector<std::string> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(by, begin), text.size());
    out.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return out;
}

std::optional<std::uint32_t> number_in(std::string_view text, std::uint32_t most) {
  std::uint32_t n = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (failed != std::errc{} || end != text.data() + text.size() || n > most) return std::nullopt;
  return n;
}

result<void> read_value(admin_command& c, verb_value kind, const std::string& value) {
  const auto wrong = [&value](const char* what) {
    return error{errc::invalid_argument, std::string("expected ") + what + ", got \"" + value + "\""};
  };
  switch (kind) {
    case verb_value::none: return {};
    case verb_value::weight: {
      const auto n = number_in(value, storage::metadata::node_weight_max);
      if (!n) return wrong("a weight, 0 to 1000000000");
      c.number = *n;
      return {};
    }
    case verb_value::hold_or_release:
      if (value != "hold" && value != "release") return wrong("hold or release");
      c.number = value == "hold";
      return {};
    case verb_value::seconds: {
      const auto seconds = number_in(value, invitation_seconds_max);
      if (!seconds || *seconds == 0) return wrong("seconds, 1 to 2592000");
      c.number = *seconds;
      return {};
    }
    case verb_value::zone: {
      const bool ascii = std::all_of(value.begin(), value.end(), [](char ch) { return ch > 0x20 && ch < 0x7f; });
      if (!ascii || value.size() > storage::metadata::node_zone_bytes_max)
        return error{errc::invalid_argument, "expected a zone of at most 64 visible ASCII characters"};
      c.zone = value;
      return {};
    }
  }
  return {};
}

} // namespace

json_array nodes_json(const cluster_status& s) {
  json_array nodes;
  for (const auto& n : s.nodes) nodes.push_back(node_json(n));
  return nodes;
}

json_object cluster_object(const cluster_status& s) {
  json_array waiting;
  for (const auto& w : s.waiting) waiting.push_back(waiting_json(w));
  return json_object{{"name", s.name},
                     {"id", cairn::to_string(s.id)},
                     {"replicas", s.replicas},
                     {"write_quorum", s.write_quorum},
                     {"epoch", s.epoch},
                     {"leader", s.leader ? json_value(*s.leader) : json_value{}},
                     {"term", s.term},
                     {"self", s.self},
                     {"repairs_waiting", s.repairs_waiting},
                     {"deletions_held", s.deletions_held},
                     {"bytes_to_move", s.bytes_to_move},
                     {"partitions_under_replicated", s.partitions_under_replicated},
                     {"chunks_lost", s.chunks_lost},
                     {"voters", array_of(s.voters)},
                     {"voters_next", array_of(s.voters_next)},
                     {"auto_out", auto_out_json(s.auto_out)},
                     {"waiting", std::move(waiting)},
                     {"nodes", nodes_json(s)},
                     {"reasons", reasons_json(cluster_reasons(s))}};
}

json_object moves_object(const actors::cluster_status& s) {
  json_array nodes;
  std::uint64_t incoming = 0;
  for (const auto& n : s.nodes) {
    incoming += n.partitions_incoming;
    nodes.push_back(json_object{{"number", n.number},
                                {"address", n.address},
                                {"state", name_of(n.state)},
                                {"up", n.up},
                                {"partitions_owned", n.partitions_owned},
                                {"partitions_incoming", n.partitions_incoming}});
  }
  return {{"bytes_to_move", s.bytes_to_move},
          {"partitions_incoming", incoming},
          {"partitions_under_replicated", s.partitions_under_replicated},
          {"repairs_waiting", s.repairs_waiting},
          {"chunks_lost", s.chunks_lost},
          {"nodes", std::move(nodes)},
          {"reasons", reasons_json(cluster_reasons(s))}};
}

std::string cluster_text(const cluster_status& s) {
  std::string out = "Cluster " + s.name + " (" + cairn::to_string(s.id) + "): " + std::to_string(s.replicas) +
                    (s.replicas == 1 ? " replica" : " replicas") + ", layout " + std::to_string(s.epoch) + ", term " +
                    std::to_string(s.term) + (s.leader ? "" : ", NO LEADER") + "\n\n";
  std::vector<table_row> rows{
      {"NODE", "ADDRESS", "ZONE", "WEIGHT", "STATE", "METADATA", "PARTITIONS", "DATA", "USED", "APPLIED", "ID"}};
  for (const auto& n : s.nodes) rows.push_back(node_row(n, s));
  out += text_table(rows, further_columns::left);
  out += "\nRepairs waiting: " + std::to_string(s.repairs_waiting) + ". To move: " + short_bytes(s.bytes_to_move) +
         ". Partitions with too few replicas: " + std::to_string(s.partitions_under_replicated) + ".\n";
  out += votes_text(s);
  for (const auto& n : cluster_notices(s)) out += n.label + ": " + n.text + '\n';
  if (s.deletions_held) out += "Deletion is held: `cairn cluster deletions release` resumes it.\n";
  return out + "* the node that was asked\n";
}

std::string join_text(const cluster_status& s) {
  constexpr std::size_t named_max = 3;
  std::string join;
  std::size_t named = 0;
  for (const bool up : {true, false})
    for (const auto& n : s.nodes)
      if (n.up == up && named < named_max) join.append(named++ == 0 ? "" : ", ").append(config::toml_quoted(n.address));
  return "# The configuration of a new node of the cluster " + s.name +
         ". In an empty data directory on it, or for it:\n"
         "#   cairn cluster certs issue --dir CERTS --data-dir /var/lib/cairn NEW-NODE\n"
         "# where CERTS has the cluster's ca.key. It prints the paths below. Without TLS: leave [cluster.tls] out.\n"
         "[node]\n"
         "data_dir = \"/var/lib/cairn\"\n"
         "zone = \"\"                      # what it fails together with: its rack, say\n"
         "\n"
         "[cluster]\n"
         "listen = \"0.0.0.0:9100\"\n"
         "advertise = \"NEW-NODE:9100\"\n"
         "name = " +
         config::toml_quoted(s.name) + "\njoin = [" + join +
         "]\n"
         "join_token = \"JOIN-TOKEN\"     # once: not needed any more when the node is a member\n"
         "\n"
         "[cluster.tls]\n"
         "ca = \"/var/lib/cairn/ca.crt\"\n"
         "cert = \"/var/lib/cairn/node.crt\"\n"
         "key = \"/var/lib/cairn/node.key\"\n";
}

result<admin_command> make_admin_command(const actors::admin_verb_row& verb, const verb_arguments& given) {
  const std::string name{verb.name};
  admin_command c;
  c.kind = verb.verb;
  const bool of_cluster = verb.subject == verb_subject::cluster;
  if (of_cluster == (given.node != nullptr))
    return error{errc::invalid_argument, name + (of_cluster ? " is not about one node" : ": expected node=")};
  if (verb.subject == verb_subject::node) c.names = {*given.node};
  if (verb.subject == verb_subject::nodes) c.names = split(*given.node, ',');
  if (given.id && c.kind == admin_verb::add) {
    const auto parsed = parse_uuid(*given.id);
    if (!parsed || *parsed == uuid{}) return error{errc::invalid_argument, "expected id=UUID"};
    c.invited = *parsed;
  }
  const bool valued = verb.value != verb_value::none;
  if (valued != (given.value != nullptr))
    return error{errc::invalid_argument, name + (valued ? ": expected value=" : " takes no value")};
  if (given.value)
    if (auto read = read_value(c, verb.value, *given.value); !read) return read.error();
  return c;
}

result<admin_command> parse_admin_command(const request_target& asked) {
  const auto* kind = asked.find("kind");
  const auto* verb = kind ? actors::find_verb(*kind) : nullptr;
  if (!verb) return error{errc::invalid_argument, "expected kind=" + verb_names()};
  return make_admin_command(*verb, {asked.find("node"), asked.find("value"), asked.find("id")});
}

result<void> may_command(const std::optional<std::string_view>& sent, std::string_view token) {
  if (!sent || sent->empty()) return error{errc::invalid_argument, "the header Cairn-Token is missing"};
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span{text.data(), text.size()}); };
  if (!token.empty() && equal_in_constant_time(bytes(*sent), bytes(token))) return {};
  return error{errc::invalid_argument, "the token is not the node's admin token"};
}

} // namespace cairn::net
