#include "cluster/raft/raft_message.hpp"

#include <algorithm>

namespace cairn::cluster::raft {

namespace {

constexpr std::uint8_t message_version = 1, configuration_version = 1;
constexpr std::size_t header_bytes_max = 64; // of an append request without its entries

enum class kind : std::uint8_t {
  vote_request = 1,
  vote_answer,
  append_request,
  append_answer,
  snapshot_offer,
  timeout_now,
  read_round,
  read_echo,
};

struct writer {
  byte_writer& w;

  void begin(kind k) const { w.u8(message_version).u8(static_cast<std::uint8_t>(k)); }
  void operator()(const vote_request& m) const {
    begin(kind::vote_request);
    w.varint(m.term).varint(m.last_index).varint(m.last_term).boolean(m.disrupt_leader).boolean(m.pre_vote);
  }
  void operator()(const vote_answer& m) const {
    begin(kind::vote_answer);
    w.varint(m.term).boolean(m.granted).boolean(m.pre_vote);
  }
  void operator()(const append_request& m) const {
    begin(kind::append_request);
    w.varint(m.term).varint(m.previous).varint(m.previous_term).varint(m.commit).varint(m.entries.size());
    for (const auto& e : m.entries) write_entry(w, e);
  }
  void operator()(const append_answer& m) const {
    begin(kind::append_answer);
    w.varint(m.term).varint(m.rejected).varint(m.last);
  }
  void operator()(const snapshot_offer& m) const {
    begin(kind::snapshot_offer);
    w.varint(m.term).varint(m.index).varint(m.index_term);
  }
  void operator()(const timeout_now& m) const {
    begin(kind::timeout_now);
    w.varint(m.term).varint(m.last_index).varint(m.last_term);
  }
  void operator()(const read_round& m) const {
    begin(kind::read_round);
    w.varint(m.term).varint(m.sequence);
  }
  void operator()(const read_echo& m) const {
    begin(kind::read_echo);
    w.varint(m.term).varint(m.sequence);
  }
};

append_request read_append(byte_reader& r) {
  append_request m;
  m.term = r.varint();
  m.previous = r.varint();
  m.previous_term = r.varint();
  m.commit = r.varint();
  const std::size_t count = r.count(3);
  if (count > message_entries_max) r.fail();
  for (std::size_t i = 0; i < count && r.ok(); ++i) m.entries.push_back(read_entry(r));
  return m;
}

// Braced initialization evaluates its initializers in order, so the fields are read in the order of the grammar.
std::optional<message> read_fields(byte_reader& r, kind k) {
  switch (k) {
    case kind::vote_request: return vote_request{r.varint(), r.varint(), r.varint(), r.boolean(), r.boolean()};
    case kind::vote_answer: return vote_answer{r.varint(), r.boolean(), r.boolean()};
    case kind::append_request: return read_append(r);
    case kind::append_answer: return append_answer{r.varint(), r.varint(), r.varint()};
    case kind::snapshot_offer: return snapshot_offer{r.varint(), r.varint(), r.varint()};
    case kind::timeout_now: return timeout_now{r.varint(), r.varint(), r.varint()};
    case kind::read_round: return read_round{r.varint(), r.varint()};
    case kind::read_echo: return read_echo{r.varint(), r.varint()};
  }
  return std::nullopt;
}

bool is_number(std::uint64_t n) {
  return n <= number_max;
}

const char* wrong(const append_request& m) {
  if (!is_number(m.previous) || !is_number(m.commit)) return "an index out of range";
  if ((m.previous == 0) != (m.previous_term == 0)) return "a previous index without its term";
  if (m.previous_term > m.term) return "a previous entry of a later term";
  if (m.entries.size() > message_entries_max) return "too many entries";
  term_t before = m.previous_term;
  index_t index = m.previous;
  for (const auto& e : m.entries) {
    ++index;
    if (e.term == 0 || e.term > m.term || e.term < before) return "an entry's term out of order";
    before = e.term;
    if (!e.bytes || e.bytes->size() > entry_bytes_max) return "an entry without bytes, or above the size limit";
    switch (e.kind) {
      case entry_kind::command:
      case entry_kind::barrier:
        if (index == 1) return "a log that does not begin with a configuration";
        break;
      case entry_kind::change:
        if (!decode_configuration(*e.bytes)) return "a configuration that does not decode";
        break;
      default: return "an entry of an unknown kind";
    }
  }
  return nullptr;
}

const char* wrong_numbers(const message& m) {
  if (const auto* v = std::get_if<vote_request>(&m)) {
    if (!is_number(v->last_index) || v->last_term > v->term) return "the candidate's last entry is out of range";
    if ((v->last_index == 0) != (v->last_term == 0)) return "the candidate's last entry without its term";
  }
  if (const auto* a = std::get_if<append_answer>(&m)) {
    if (!is_number(a->rejected) || !is_number(a->last)) return "an index out of range";
  }
  if (const auto* o = std::get_if<snapshot_offer>(&m)) {
    if (o->index == 0 || !is_number(o->index) || o->index_term == 0 || o->index_term > o->term)
      return "the index or term of an offer is out of range";
  }
  if (const auto* t = std::get_if<timeout_now>(&m)) {
    if (!is_number(t->last_index) || t->last_term > t->term) return "the leader's last entry is out of range";
  }
  return nullptr;
}

} // namespace

const server* configuration::find(server_id id) const {
  const auto found = std::ranges::find(servers, id, &server::id);
  return found == servers.end() ? nullptr : &*found;
}

bool configuration::is_voter(server_id id) const {
  const auto* found = find(id);
  return found != nullptr && found->role == server_role::voter;
}

std::size_t configuration::voters() const {
  return static_cast<std::size_t>(std::ranges::count(servers, server_role::voter, &server::role));
}

void write_entry(byte_writer& w, const entry& e) {
  w.varint(e.term).u8(static_cast<std::uint8_t>(e.kind)).string(e.view());
}

entry read_entry(byte_reader& r) {
  entry e;
  e.term = r.varint();
  const std::uint8_t k = r.u8();
  if (k < 1 || k > 3) r.fail();
  e.kind = static_cast<entry_kind>(k);
  e.bytes = share(std::string{r.string(entry_bytes_max)});
  return e;
}

std::size_t encoded_bytes_max(const entry& e) {
  return e.view().size() + 24;
}

std::string encode(const message& m) {
  std::size_t expected = header_bytes_max;
  if (const auto* a = std::get_if<append_request>(&m))
    for (const auto& e : a->entries) expected += encoded_bytes_max(e);
  byte_writer w{expected};
  std::visit(writer{w}, m);
  CAIRN_ASSERT(w.view().size() <= message_bytes_max);
  return w.take();
}

result<message> decode_message(std::string_view bytes) {
  if (bytes.size() > message_bytes_max) return error{errc::corrupt, "a consensus message of more than 1 MiB"};
  byte_reader r{bytes};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > message_version) return error{errc::unsupported, "a consensus message of a newer version"};
  if (version != message_version) r.fail();
  auto m = read_fields(r, static_cast<kind>(r.u8()));
  if (!m || !r.finished()) return error{errc::corrupt, "a consensus message does not decode"};
  return std::move(*m);
}

std::string encode(const configuration& c) {
  byte_writer w{2 + c.servers.size() * 8};
  w.u8(configuration_version).varint(c.servers.size());
  for (const auto& s : c.servers) w.varint(s.id).u8(static_cast<std::uint8_t>(s.role));
  return w.take();
}

result<configuration> decode_configuration(std::string_view bytes) {
  byte_reader r{bytes};
  const std::uint8_t version = r.u8();
  if (r.ok() && version > configuration_version) return error{errc::unsupported, "a configuration of a newer version"};
  if (version != configuration_version) r.fail();
  configuration c;
  const std::size_t count = r.count(2);
  if (count > servers_max) r.fail();
  for (std::size_t i = 0; i < count && r.ok(); ++i) {
    const server_id id = r.varint();
    const bool voter = r.boolean();
    if (id <= (c.servers.empty() ? 0 : c.servers.back().id)) r.fail();
    c.servers.push_back({id, voter ? server_role::voter : server_role::standby});
  }
  if (!r.finished() || c.voters() == 0)
    return error{errc::corrupt, "a configuration of consensus servers does not decode"};
  return c;
}

term_t term_of(const message& m) {
  return std::visit([](const auto& body) { return body.term; }, m);
}

const char* what_is_wrong(const message& m, term_t current_term) {
  const term_t term = term_of(m);
  if (term == 0 || !is_number(term) || (term > current_term && term - current_term > term_step_max))
    return "a term out of range";
  if (const auto* a = std::get_if<append_request>(&m)) return wrong(*a);
  return wrong_numbers(m);
}

std::vector<append_request> split(append_request&& request) {
  std::vector<append_request> parts;
  append_request head = request;
  head.entries.clear();
  std::size_t bytes = header_bytes_max;
  parts.push_back(head);
  for (auto& e : request.entries) {
    const std::size_t more = encoded_bytes_max(e);
    if (!parts.back().entries.empty() &&
        (bytes + more > message_bytes_max || parts.back().entries.size() == message_entries_max)) {
      head.previous += parts.back().entries.size();
      head.previous_term = parts.back().entries.back().term;
      parts.push_back(head);
      bytes = header_bytes_max;
    }
    bytes += more;
    parts.back().entries.push_back(std::move(e));
  }
  return parts;
}

} // namespace cairn::cluster::raft
