#include "cli/sealing_watch.hpp"

#include "base/log.hpp"

namespace cairn::cli {

struct sealing_watch::job {
  actors::services node;
  std::map<std::string, std::size_t> missing{};
};

std::string sealing_problem_of(const std::map<std::string, std::size_t>& missing) {
  std::string text;
  for (const auto& [id, count] : missing) {
    text += text.empty() ? "the secrets of " : ", of ";
    text += std::to_string(count) + (count == 1 ? " access key" : " access keys") + " are sealed with the key " + id;
  }
  return text.empty() ? text : text + ": this node does not have it (auth.sealing_key_file)";
}

void sealing_watch::look(const actors::services& node) {
  if (looking_.exchange(true)) return;
  look_behind(std::make_shared<job>(job{node}), {});
}

void sealing_watch::look_behind(const std::shared_ptr<job>& now, const std::string& after) {
  actors::keys_query query;
  query.after = after;
  actors::ask_metadata<actors::key_list>(
      now->node,
      [self = shared_from_this(), now, max = query.max](const result<actors::key_list>& page) {
        if (!page) {
          self->looking_ = false;
          return;
        }
        for (const auto& key : **page) {
          if (!key.sealed) continue;
          const auto id = secrets::key_id_of(key.secret);
          if (const auto* ring = now->node.sealing.get(); ring == nullptr || !ring->has(id)) ++now->missing[id];
        }
        if ((*page)->size() == max) return self->look_behind(now, (*page)->back().id);
        self->end(*now);
      },
      actors::list_atom_v, query);
}

void sealing_watch::end(const job& done) {
  auto found = sealing_problem_of(done.missing);
  {
    const std::lock_guard lock{mutex_};
    if (found != problem_ && !found.empty()) log::error("requests of access keys are refused", {{"problem", found}});
    if (found.empty() && !problem_.empty()) log::info("the secrets of all access keys can be opened again");
    problem_ = std::move(found);
  }
  looking_ = false;
}

std::string sealing_watch::problem() const {
  const std::lock_guard lock{mutex_};
  return problem_;
}

} // namespace cairn::cli
