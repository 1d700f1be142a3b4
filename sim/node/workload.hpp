// Users of a simulated node: each puts, gets, heads, deletes, lists or cancels, one operation after the other, on a few
// shared keys. Acknowledged outcomes go into an object_model, and every answer is checked against it.
#pragma once

#include "sim/node/sim_node.hpp"
#include "sim/node/slow_client.hpp"
#include "sim/node/slow_uploader.hpp"
#include "sim/world/object_model.hpp"

namespace cairn::sim {

struct workload_plan {
  std::size_t keys = 6, users = 4;
  std::uint64_t operations = 60;
  std::uint64_t size_max = 300'000;
  double cancels = 0.1;         // probability that the client leaves during an operation
  microseconds socket_max{500}; // time per slice
  std::set<errc> tolerated;     // failures that this run's faults explain
};

class workload {
public:
  workload(world& w, checks& c, sim_node& node, workload_plan plan);

  void make_bucket(); // waits until the bucket exists
  void begin();       // starts the users
  void crashed();     // requests in progress get no answer
  bool done() const noexcept { return busy_users_ == 0; }
  // While nothing else runs: reads every key, which must have one of the possible contents, exactly.
  void verify_every_key();
  void delete_every_key();
  std::uint64_t chunks_of_objects() const; // that the disks must hold; call after verify_every_key
  std::uint64_t acknowledged_puts() const noexcept { return acknowledged_puts_; }
  std::uint64_t whole_reads() const noexcept { return whole_reads_; }

private:
  struct content {
    std::uint64_t size;
    std::string md5; // ETag
  };
  void next(std::size_t user);
  void later(std::size_t user);
  void put(std::size_t user, const std::string& key);
  void put_ended(std::size_t user, const std::string& key, content_number number, bool conditional, bool wrong_md5,
                 std::optional<result<actors::put_outcome>> outcome);
  void get(std::size_t user, const std::string& key, bool with_body);
  void watch_get(std::size_t user, std::shared_ptr<slow_client> client, std::uint64_t read);
  void get_ended(std::size_t user, const slow_client& client, std::uint64_t read);
  void remove(std::size_t user, const std::string& key);
  void list(std::size_t user);
  void check_listing(const storage::metadata::listing& page,
                     const std::map<std::string, std::uint64_t>& changes_before);
  std::shared_ptr<slow_client> start_get(const std::string& key, bool with_body, bool may_leave);
  content_number new_content(std::uint64_t size);
  void tolerate(const error& why, const char* what);
  template <class Answer>
  std::function<void(result<Answer>)> if_alive(std::function<void(result<Answer>)> then) {
    return [this, life = life_, then = std::move(then)](result<Answer> r) {
      if (life == life_) then(std::move(r));
    };
  }

  world& w_;
  checks& checks_;
  sim_node& node_;
  const workload_plan plan_;
  object_model model_{checks_};
  std::vector<std::string> keys_;
  std::map<content_number, content> contents_;
  std::uint64_t left_ = 0, life_ = 0, acknowledged_puts_ = 0, whole_reads_ = 0;
  std::size_t busy_users_ = 0;
  std::vector<std::weak_ptr<slow_client>> downloads_;
  std::vector<std::weak_ptr<slow_uploader>> uploads_;
};

} // namespace cairn::sim
