#include "actors/metadata/command_facts.hpp"

#include <concepts>

namespace cairn::actors {

namespace {

namespace meta = storage::metadata;

template <class... Handlers>
struct overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
overloaded(Handlers...) -> overloaded<Handlers...>;

constexpr std::size_t row_bytes = 512, repair_bytes = 96, part_bytes = 160;

std::size_t bytes_of_pairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::size_t sum = 0;
  for (const auto& [name, value] : pairs) sum += name.size() + value.size() + 8;
  return sum;
}

// Of what a policy is asked.
std::size_t bytes_asked(const meta::authority& by) {
  std::size_t sum = by.session ? meta::packed_bytes(by.session->policy, by.session->tags) + row_bytes : 0;
  if (!by.asked) return sum;
  for (const auto& v : by.asked->with.values) {
    sum += v.name.size() + 8;
    for (const auto& text : v.values) sum += text.size() + 8;
  }
  return sum;
}

} // namespace

std::vector<row_name> changed_rows(const meta::command& c) {
  using names = std::vector<row_name>;
  return std::visit(overloaded{
                        [](const meta::put_object& p) {
                          return names{{p.bucket, p.key}};
                        },
                        [](const meta::delete_object& d) {
                          return names{{d.bucket, d.key}};
                        },
                        [](const meta::complete_upload& u) {
                          return names{{u.upload.bucket, u.upload.key}};
                        },
                        [](const meta::copy_object& copy) {
                          return names{{copy.bucket, copy.key}};
                        },
                        [](const meta::rename_object& r) {
                          return names{{r.source.bucket, r.source.key}, {r.source.bucket, r.key}};
                        },
                        [](const meta::set_extras& e) {
                          return names{{e.bucket, e.key}};
                        },
                        [](const meta::set_bucket& b) {
                          return names{{b.name, {}}};
                        },
                        [](const meta::set_bucket_access& b) {
                          return names{{b.name, {}}};
                        },
                        [](const meta::set_bucket_quota& b) {
                          return names{{b.name, {}}};
                        },
                        [](const meta::set_object_lock& l) {
                          return names{{l.bucket, l.key}};
                        },
                        [](const meta::set_bucket_lock& b) {
                          return names{{b.name, {}}};
                        },
                        [](const meta::create_bucket& b) {
                          names changed{{b.name, {}}};
                          if (!b.owner.empty()) changed.push_back({{}, b.owner});
                          return changed;
                        },
                        [](const meta::delete_bucket& b) {
                          return names{{b.name, {}}};
                        },
                        [](const meta::create_key& k) {
                          return names{{{}, k.id}};
                        },
                        [](const meta::delete_key& k) {
                          return names{{{}, k.id}};
                        },
                        [](const meta::change_key& k) {
                          return names{{{}, k.id}};
                        },
                        [](const meta::seal_keys& s) {
                          names changed;
                          for (const auto& key : s.keys) changed.push_back({{}, key.id});
                          return changed;
                        },
                        [](const meta::change_identity&) {
                          return names{row_name{}}; // of all access keys
                        },
                        [](const meta::renew_token_key&) { return names{row_name{}}; },
                        [](const auto&) { return names{}; },
                    },
                    c);
}

bool adds_something(const meta::command& c) {
  return std::visit(overloaded{
                        [](const meta::put_object&) { return true; },
                        [](const meta::create_bucket&) { return true; },
                        [](const meta::create_key&) { return true; },
                        [](const meta::change_identity& i) {
                          const bool is_provider =
                              i.what == storage::policy::action::iam_create_open_id_connect_provider;
                          return !i.id.empty() || !i.text.empty() || is_provider;
                        },
                        [](const meta::renew_token_key&) { return true; },
                        [](const meta::begin_upload&) { return true; },
                        [](const meta::put_part&) { return true; },
                        [](const meta::copy_part&) { return true; },
                        [](const meta::complete_upload&) { return true; },
                        [](const meta::copy_object&) { return true; },
                        [](const meta::set_extras& e) { return e.tags && !e.tags->empty(); },
                        [](const meta::set_bucket& b) { return b.cors && !b.cors->empty(); },
                        [](const meta::set_bucket_access& b) { return b.policy && !b.policy->empty(); },
                        [](const auto&) { return false; },
                    },
                    c);
}

bool changes_layout(const meta::command& c) {
  return std::visit(overloaded{
                        [](const meta::create_cluster&) { return true; },
                        [](const meta::add_node&) { return true; },
                        [](const meta::set_node&) { return true; },
                        [](const meta::remove_node&) { return true; },
                        [](const meta::set_targets&) { return true; },
                        [](const meta::moved&) { return true; },
                        [](const meta::note_down&) { return true; }, // since when it is down
                        [](const meta::note_up&) { return true; },
                        [](const meta::begin_session&) { return true; },       // the incarnation
                        [](const meta::raise_feature_level&) { return true; }, // read with the layout
                        [](const auto&) { return false; },
                    },
                    c);
}

std::optional<session_id> session_of_chunks(const meta::command& c) {
  const meta::written_content* content = nullptr;
  if (const auto* put = std::get_if<meta::put_object>(&c)) content = &put->content;
  if (const auto* part = std::get_if<meta::put_part>(&c)) content = &part->content;
  const auto* written = content ? std::get_if<meta::written_blob>(content) : nullptr;
  return written ? std::optional{written->blob.session} : std::nullopt;
}

std::optional<wall_ms> session_end(const meta::command& c) {
  return std::visit(
      [](const auto& one) -> std::optional<wall_ms> {
        if constexpr (requires { one.by.session; })
          if (one.by.session) return one.by.session->expires;
        return std::nullopt;
      },
      c);
}

std::size_t bytes_of(const meta::command& c) {
  return std::visit(
      overloaded{
          [](const meta::put_object& p) {
            const auto* bytes = std::get_if<std::string>(&p.content);
            const auto* written = std::get_if<meta::written_blob>(&p.content);
            return row_bytes + p.key.size() + (bytes ? bytes->size() : 0) +
                   (written ? written->unconfirmed.size() * repair_bytes : 0) + p.headers.content_type.size() +
                   bytes_of_pairs(p.headers.standard) + bytes_of_pairs(p.headers.user) + bytes_of_pairs(p.extras.tags) +
                   bytes_of(p.extras.grants) + bytes_asked(p.by);
          },
          [](const meta::delete_object& d) { return row_bytes + d.key.size() + bytes_asked(d.by); },
          [](const meta::put_part& p) {
            const auto* written = std::get_if<meta::written_blob>(&p.content);
            return row_bytes + p.upload.key.size() + (written ? written->unconfirmed.size() * repair_bytes : 0) +
                   bytes_asked(p.by);
          },
          [](const meta::complete_upload& u) {
            return row_bytes + u.upload.key.size() + u.parts.size() * part_bytes + bytes_asked(u.by);
          },
          [](const meta::reap& r) { return row_bytes + r.blobs.size() * sizeof(meta::buried_blob); },
          [](const meta::confirm_replicas& r) { return row_bytes + r.repairs.size() * repair_bytes; },
          [](const meta::give_up_chunks& g) { return row_bytes + g.chunks.size() * repair_bytes; },
          [](const meta::set_targets& t) { return row_bytes + t.targets.size() * sizeof(meta::partition_target); },
          [](const meta::moved& m) { return row_bytes + m.partitions.size() * sizeof(partition_id); },
          [&](const auto&) { return row_bytes + meta::encode(c).size(); }, // rare commands
      },
      c);
}

void stamp(meta::command& c, session_id session, std::uint64_t& next_sequence, std::uint64_t acknowledged_below,
           std::uint8_t level) {
  const auto fill = [&](meta::commit_stamp& s) {
    if (s.session == 0) s.session = session;
    if (s.sequence == 0) {
      s.sequence = next_sequence++;
      s.acknowledged_below = acknowledged_below;
    }
  };
  std::visit(
      [&](auto& one) {
        using kind = std::decay_t<decltype(one)>;
        if constexpr (std::is_same_v<kind, meta::create_bucket> || std::is_same_v<kind, meta::delete_bucket>)
          if (level < meta::feature_level_of_stamped_buckets) return;
        if constexpr (requires { one.stamp; }) fill(one.stamp);
      },
      c);
}

void drop_object_owners(meta::command& c) {
  const auto drop = [](meta::object_extras& extras) {
    meta::settle_list(extras);
    if (extras.grants != storage::policy::public_read_write()) return;
    extras.grants.reset();
    extras.public_read = true;
  };
  meta::object_extras list;
  std::visit(overloaded{
                 [&](meta::set_extras& set) {
                   if (!set.grants) return;
                   list.grants = set.grants;
                   drop(list);
                   set.grants = list.grants;
                   if (!set.grants) set.public_read = list.public_read;
                 },
                 [&](meta::copy_object& copy) {
                   if (copy.extras) drop(*copy.extras);
                 },
                 [&](meta::put_object& put) { drop(put.extras); },
                 [&](meta::begin_upload& begun) { drop(begun.extras); },
                 [](auto&) {},
             },
             c);
}

void drop_authority(meta::command& c) {
  std::visit(
      [](auto& one) {
        if constexpr (requires {
                        { one.by } -> std::same_as<meta::authority&>;
                      })
          one.by = {};
      },
      c);
  if (auto* const part = std::get_if<meta::put_part>(&c)) part->source.reset();
}

void drop_asked(meta::command& c) {
  std::visit(
      [](auto& one) {
        if constexpr (requires { one.by.asked; }) one.by.asked.reset();
      },
      c);
}

void drop_bypass(meta::command& c) {
  if (auto* const removal = std::get_if<meta::delete_object>(&c)) removal->bypasses_governance = false;
}

} // namespace cairn::actors
