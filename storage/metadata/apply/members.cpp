#include "storage/metadata/apply/members.hpp"

#include "base/files/node_identity.hpp"
#include "storage/metadata/apply/repairs.hpp"

#include <algorithm>
#include <map>

namespace cairn::storage::metadata {

namespace {

std::optional<error> bad_text(const std::optional<std::string>& address, const std::optional<std::string>& zone) {
  if (address && (address->empty() || address->size() > node_address_bytes_max))
    return error{errc::invalid_argument, "not a valid address of a node"};
  if (zone && zone->size() > node_zone_bytes_max) return error{errc::invalid_argument, "the zone's name is too long"};
  return std::nullopt;
}

bool valid_weight(std::uint32_t weight) {
  return weight <= node_weight_max;
}

std::optional<error> malformed(const new_node& n) {
  if (auto bad = bad_text(n.address, n.zone)) return bad;
  if (n.id == uuid{}) return error{errc::invalid_argument, "a node needs an id"};
  if (!valid_weight(n.weight)) return error{errc::invalid_argument, "not a valid weight"};
  return std::nullopt;
}

std::optional<error> malformed(const create_cluster& c) {
  if (c.id == uuid{} || c.name.size() > cluster_name_bytes_max)
    return error{errc::invalid_argument, "not a valid id or name of a cluster"};
  if (c.replicas == 0 || c.replicas > owners_max || c.write_quorum > c.replicas)
    return error{errc::invalid_argument, "not valid numbers of replicas"};
  if (c.first.weight == 0) return error{errc::invalid_argument, "the first node holds everything: it needs a weight"};
  return malformed(c.first);
}

std::optional<error> malformed(const set_node& c) {
  if (auto bad = bad_text(c.address, c.zone)) return bad;
  if (c.weight && !valid_weight(*c.weight)) return error{errc::invalid_argument, "not a valid weight"};
  if (c.state && (*c.state < node_state::active || *c.state >= node_state::removed))
    return error{errc::invalid_argument, "not a state that can be set"};
  return std::nullopt;
}

node_row row_of(const new_node& n, node_number number) {
  return {.number = number,
          .id = n.id,
          .address = n.address,
          .zone = n.zone,
          .weight = n.weight,
          .incarnation = n.incarnation};
}

template <class Items, class Partition>
bool is_ascending(const Items& items, Partition partition_of_item) {
  const auto out_of_order = [&](const auto& a, const auto& b) { return partition_of_item(a) >= partition_of_item(b); };
  return std::adjacent_find(items.begin(), items.end(), out_of_order) == items.end() &&
         (items.empty() || partition_of_item(items.back()) < partition_count);
}

} // namespace

std::optional<cluster_row> member_ledger::cluster() {
  return b_.load<cluster_row>(table::cluster, b_.keys.cluster(), decode_cluster);
}

layout_epoch member_ledger::epoch() {
  const auto row = cluster();
  return row ? row->epoch : 0;
}

std::optional<node_row> member_ledger::node(node_number n) {
  return b_.load<node_row>(table::nodes, b_.keys.node(n), decode_node);
}

std::optional<node_number> member_ledger::number_of(const uuid& id) {
  const auto number = b_.load_u64(table::nodes, b_.keys.node_id(id));
  if (!number) return std::nullopt;
  return static_cast<node_number>(*number);
}

bool member_ledger::is_removed(const uuid& id) {
  const auto number = number_of(id);
  return number && !may_own(*number);
}

bool member_ledger::note_start(const uuid& id, std::uint64_t incarnation) {
  const auto number = number_of(id);
  auto row = number ? node(*number) : std::nullopt;
  if (!row || row->incarnation == incarnation) return true;
  if (!is_later_start(incarnation, row->incarnation)) return false;
  row->incarnation = incarnation;
  put(*row);
  return true;
}

bool member_ledger::may_own(node_number n) {
  const auto row = node(n);
  return row && row->state != node_state::removed;
}

std::optional<node_row> member_ledger::find(node_number n, command_result& refused) {
  auto row = node(n);
  if (!row) refused = refuse(errc::not_found, "no such node");
  if (row && row->state == node_state::removed) {
    refused = refuse(errc::precondition_failed, "the node was removed");
    return std::nullopt;
  }
  return row;
}

void member_ledger::put(const node_row& row) {
  b_.put(table::nodes, b_.keys.node(row.number), encode(row));
}

command_result member_ledger::raise_epoch(cluster_row& row) {
  ++row.epoch;
  b_.put(table::cluster, b_.keys.cluster(), encode(row));
  return {.version = row.epoch};
}

command_result member_ledger::unchanged() {
  return {.version = epoch()};
}

command_result member_ledger::create(const create_cluster& c) {
  if (auto bad = malformed(c)) return {.refused = std::move(bad)};
  if (const auto present = cluster()) {
    if (present->id == c.id) return {.version = present->epoch};
    return refuse(errc::precondition_failed, "a cluster already exists: " + present->name);
  }
  cluster_row row{
      .id = c.id, .name = c.name, .replicas = c.replicas, .write_quorum = c.write_quorum, .nodes = 1, .created = c.now};
  const command_result answer = raise_epoch(row);
  put(row_of(c.first, 0));
  b_.put(table::nodes, b_.keys.node_id(c.first.id), byte_writer{8}.u64(0).view());
  owners_page page;
  page.fill({.epoch = row.epoch, .current = {0}, .target = {0}});
  const std::string bytes = encode(page);
  for (std::uint16_t n = 0; n < owners_page_count; ++n) b_.put(table::owners, b_.keys.owners(n), bytes);
  return answer;
}

command_result member_ledger::refound(const create_cluster& c) {
  auto row = cluster();
  if (!row) return create(c);
  if (auto bad = malformed(c)) return {.refused = std::move(bad)};
  row->id = c.id;
  row->name = c.name;
  b_.put(table::cluster, b_.keys.cluster(), encode(*row));
  auto added = add({c.first});
  if (added.refused) return added;
  const auto number = static_cast<node_number>(added.more);
  auto present = node(number);
  if (!present) return refuse(errc::corrupt, "the row of a node is missing");
  present->address = c.first.address;
  // Otherwise no member would hold chunks, and nothing could move away from the lost members.
  present->state = node_state::active;
  if (present->weight == 0) present->weight = c.first.weight;
  present->down_since = 0;
  put(*present);
  for (std::uint32_t n = 0; n < row->nodes; ++n) {
    auto other = node(static_cast<node_number>(n));
    if (n == number || !other || other->state != node_state::active) continue;
    other->state = node_state::out;
    put(*other);
  }
  row = cluster();
  command_result answer = raise_epoch(*row);
  answer.more = number;
  return answer;
}

command_result member_ledger::add(const add_node& c) {
  if (auto bad = malformed(c.node)) return {.refused = std::move(bad)};
  auto row = cluster();
  if (!row) return refuse(errc::not_found, "there is no cluster");
  if (const auto number = number_of(c.node.id)) {
    command_result refused;
    if (!find(*number, refused)) return refused;
    return {.version = row->epoch, .more = *number};
  }
  if (auto full = member_limit_error(*row)) return {.refused = std::move(full)};
  if (c.invited)
    if (auto refused = consume(*c.invited, c.node.id)) return {.refused = std::move(refused)};
  const auto number = static_cast<node_number>(row->nodes++);
  put(row_of(c.node, number));
  b_.put(table::nodes, b_.keys.node_id(c.node.id), byte_writer{8}.u64(number).view());
  command_result answer = raise_epoch(*row);
  answer.more = number;
  return answer;
}

std::optional<error> member_ledger::member_limit_error(const cluster_row& row) {
  if (row.nodes >= nodes_max) return error{errc::too_large, "the maximum number of nodes is reached"};
  if (b_.feature_level() < feature_level_of_invitations) return std::nullopt;
  std::size_t members = 0;
  for (std::uint32_t n = 0; n < row.nodes; ++n) members += may_own(static_cast<node_number>(n));
  if (members < members_max) return std::nullopt;
  return error{errc::too_large, "the cluster has " + std::to_string(members) + " members, the maximum"};
}

std::optional<error> member_ledger::consume(const used_invitation& by, const uuid& node) {
  const std::string key = b_.keys.invitation(by.token, by.node);
  const auto row = b_.load<invitation>(table::nodes, key, decode_invitation);
  if (!row || row->expires <= by.now || (row->node != uuid{} && row->node != node))
    return error{errc::invalid_argument, "the invitation was used before, has expired, or is another node's"};
  b_.erase(table::nodes, key);
  return std::nullopt;
}

command_result member_ledger::invite(const invite_node& c) {
  if (!cluster()) return refuse(errc::not_found, "there is no cluster");
  if (c.what.expires <= c.now) return refuse(errc::invalid_argument, "the invitation has already expired");
  if (c.what.node != uuid{} && is_removed(c.what.node))
    return refuse(errc::precondition_failed, "the node was removed from the cluster: its identity is refused for ever");
  const std::string own = b_.keys.invitation(c.what.token, c.what.node), prefix = b_.keys.invitations();
  std::vector<std::string> expired;
  std::size_t others = 0;
  const auto cursor = b_.kv.cursor(id_of(table::nodes));
  for (auto found = cursor->seek(prefix); found && found->key.starts_with(prefix); found = cursor->next()) {
    const auto row = b_.unwrap(decode_invitation(found->value));
    if (!row) return {};
    if (row->expires <= c.now)
      expired.emplace_back(found->key);
    else
      others += found->key != own;
  }
  for (const std::string& key : expired) b_.erase(table::nodes, key);
  if (others >= invitations_max)
    return refuse(errc::too_large,
                  std::to_string(others) + " invitations are open, the maximum: wait until some are used or expire");
  b_.put(table::nodes, own, encode(c.what));
  b_.put(table::nodes, b_.keys.founded(), presence);
  return unchanged();
}

command_result member_ledger::set(const set_node& c) {
  if (auto bad = malformed(c)) return {.refused = std::move(bad)};
  command_result refused;
  const auto before = find(c.node, refused);
  auto row = cluster();
  if (!before || !row) return refused;
  node_row after = *before;
  if (c.address) after.address = *c.address;
  if (c.zone) after.zone = *c.zone;
  if (c.weight) after.weight = *c.weight;
  if (c.state) after.state = *c.state;
  if (after == *before) return unchanged();
  put(after);
  return raise_epoch(*row);
}

command_result member_ledger::remove(const remove_node& c, std::optional<uuid>& removed) {
  auto before = node(c.node);
  auto row = cluster();
  if (!before || !row) return refuse(errc::not_found, "no such node");
  if (before->state == node_state::removed) return unchanged();
  if (owns_something(c.node))
    return refuse(errc::precondition_failed, "the node still owns partitions: drain it first");
  before->state = node_state::removed;
  put(*before);
  removed = before->id;
  return raise_epoch(*row);
}

command_result member_ledger::note(const note_down& c) {
  command_result refused;
  auto row = find(c.node, refused);
  if (!row) return refused;
  if (c.now <= 0) return refuse(errc::invalid_argument, "not a time");
  if (row->down_since == 0) {
    row->down_since = c.now;
    put(*row);
  }
  return unchanged();
}

command_result member_ledger::note(const note_up& c) {
  command_result refused;
  auto row = find(c.node, refused);
  if (!row) return refused;
  if (!may_start_as(c.incarnation, row->incarnation))
    return refuse(errc::precondition_failed, "the node's data directory is older than the one the cluster knows");
  row->incarnation = c.incarnation;
  row->down_since = 0;
  put(*row);
  return unchanged();
}

std::optional<owners_page> member_ledger::load_page(std::uint16_t page) {
  auto loaded = b_.load<owners_page>(table::owners, b_.keys.owners(page), decode_owners);
  if (!loaded) b_.fail({errc::corrupt, "owners of partitions are missing"});
  return loaded;
}

bool member_ledger::owns_something(node_number n) {
  for (std::uint16_t number = 0; number < owners_page_count; ++number) {
    const auto page = load_page(number);
    if (!page) return true;
    for (const partition_owners& owners : *page)
      if (owners.current.contains(n) || owners.target.contains(n)) return true;
  }
  return false;
}

template <class Items, class Partition, class Change>
bool member_ledger::change_owners(const Items& items, Partition partition_of_item, Change change) {
  bool any = false;
  for (auto item = items.begin(); item != items.end();) {
    const auto number = static_cast<std::uint16_t>(partition_of_item(*item) / owners_page_partitions);
    auto page = load_page(number);
    if (!page) return any;
    bool page_changed = false;
    for (; item != items.end() && partition_of_item(*item) / owners_page_partitions == number; ++item)
      page_changed |= change((*page)[partition_of_item(*item) % owners_page_partitions], *item);
    if (page_changed) b_.put(table::owners, b_.keys.owners(number), encode(*page));
    any |= page_changed;
  }
  return any;
}

command_result member_ledger::set_targets(const metadata::set_targets& c) {
  auto row = cluster();
  if (!row) return refuse(errc::not_found, "there is no cluster");
  if (c.epoch != row->epoch + 1)
    return refuse(errc::precondition_failed, "the layout is at epoch " + std::to_string(row->epoch));
  const auto partition = [](const partition_target& t) { return t.partition; };
  if (!is_ascending(c.targets, partition)) return refuse(errc::invalid_argument, "partitions are not ascending");
  std::map<node_number, bool> known;
  for (const partition_target& t : c.targets) {
    if (t.target.empty()) return refuse(errc::invalid_argument, "a partition without owners");
    for (const node_number n : t.target) {
      const auto [found, fresh] = known.try_emplace(n, false);
      if (fresh) found->second = may_own(n);
      if (!found->second) return refuse(errc::invalid_argument, "an owner is not a node of the cluster");
    }
  }
  const bool any = change_owners(c.targets, partition, [&](partition_owners& owners, const partition_target& t) {
    if (owners.target == t.target) return false;
    owners.target = t.target;
    owners.epoch = c.epoch;
    return true;
  });
  return any ? raise_epoch(*row) : unchanged();
}

command_result member_ledger::move(const moved& c) {
  auto row = cluster();
  if (!row) return refuse(errc::not_found, "there is no cluster");
  const auto partition = [](partition_id p) { return p; };
  if (!is_ascending(c.partitions, partition)) return refuse(errc::invalid_argument, "partitions are not ascending");
  if (c.epoch > row->epoch) return refuse(errc::invalid_argument, "there is no such epoch yet");
  const layout_epoch compared = std::min(c.epoch, acknowledged());
  std::uint64_t skipped = 0;
  // A new owner with an open repair lacks chunks, so the move is not finished. The same for remaining owners, if the
  // move drops replicas from live owners. If all dropped owners are out, the remaining ones are not waited for: there
  // is no other source from which they could get the chunks.
  repair_ledger repairs{b_};
  std::map<node_number, std::optional<std::vector<bool>>> lacking;
  const auto whole = [&](node_number n, partition_id p) {
    const auto [found, fresh] = lacking.try_emplace(n);
    if (fresh) found->second = repairs.lacking(n);
    return found->second && !(*found->second)[p];
  };
  const bool judges_all = b_.feature_level() >= feature_level_of_whole_moves;
  std::map<node_number, bool> out;
  const auto is_out = [&](node_number n) {
    const auto [found, fresh] = out.try_emplace(n, false);
    if (fresh) {
      const auto who = node(n);
      found->second = who && who->state == node_state::out;
    }
    return found->second;
  };
  const bool any = change_owners(c.partitions, partition, [&](partition_owners& owners, partition_id p) {
    if (owners.target == owners.current) return false;
    const bool of_all = judges_all && std::any_of(owners.current.begin(), owners.current.end(), [&](node_number n) {
                          return !owners.target.contains(n) && !is_out(n);
                        });
    const bool arrived = std::all_of(owners.target.begin(), owners.target.end(), [&](node_number n) {
      return (owners.current.contains(n) && !of_all) || whole(n, p);
    });
    if (owners.epoch > compared || !arrived) {
      ++skipped;
      return false;
    }
    owners.current = owners.target;
    owners.epoch = row->epoch + 1;
    return true;
  });
  command_result answer = any ? raise_epoch(*row) : unchanged();
  answer.more = skipped;
  return answer;
}

bool member_ledger::durable(const written_blob& written) {
  if (written.unconfirmed.empty()) return true;
  const auto row = cluster();
  if (!row) return true;
  const bool counts = b_.feature_level() >= feature_level_of_counted_commits;
  std::vector<std::pair<std::uint32_t, node_number>> lacking; // (index, node)
  for (const missing_chunks& m : written.unconfirmed)
    for (std::uint32_t i = 0; i < m.count; ++i) lacking.emplace_back(m.first + i, m.node);
  std::sort(lacking.begin(), lacking.end());
  std::map<std::uint16_t, owners_page> pages;
  for (auto first = lacking.begin(); first != lacking.end();) {
    const auto end = std::find_if(first, lacking.end(), [&](const auto& l) { return l.first != first->first; });
    const partition_id p = partition_of({written.blob, first->first});
    const auto [page, fresh] = pages.try_emplace(static_cast<std::uint16_t>(p / owners_page_partitions));
    if (fresh) {
      auto loaded = load_page(page->first);
      if (!loaded) return false;
      page->second = *loaded;
    }
    const owner_list& current = page->second[p % owners_page_partitions].current;
    const auto confirmed = std::count_if(current.begin(), current.end(), [&](node_number n) {
      return std::none_of(first, end, [n](const auto& l) { return l.second == n; });
    });
    if (std::size_t(confirmed) < (counts ? write_quorum(current.size(), row->write_quorum) : 1)) return false;
    first = end;
  }
  return true;
}

// The lowest epoch that a live session has acknowledged; the largest number if no session is live.
layout_epoch member_ledger::acknowledged() {
  layout_epoch lowest = ~layout_epoch{0};
  const std::string live = b_.keys.live_sessions();
  const auto cursor = b_.kv.cursor(id_of(table::sessions));
  for (auto found = cursor->seek(live); found && found->key.starts_with(live); found = cursor->next()) {
    byte_reader r{found->value};
    const session_row* const session = b_.session(r.u64());
    if (session == nullptr || !r.finished()) {
      b_.fail({errc::corrupt, "a live session has no row"});
      return 0;
    }
    lowest = std::min(lowest, session->acknowledged_epoch);
  }
  return lowest;
}

} // namespace cairn::storage::metadata
