// The operations of clients on keys with their answers, and the check whether one order of all operations explains the
// answers: each operation takes effect at one moment between its begin and its end (linearizability for each key by
// itself, which is sufficient: Herlihy and Wing 1990). A write with an unknown outcome may take effect at any moment
// after its begin, or never.
//
// The check is Wing and Gong's search (1993) over the orders, with Lowe's set of visited configurations (2017). It is
// exponential only in the number of concurrent operations and of unknown writes. An operation that agrees with the
// present content and changes nothing is placed at once; this loses no solution. The search ends without a verdict
// after steps_max configurations.
#pragma once

#include "sim/world/object_model.hpp"

#include <optional>
#include <vector>

namespace cairn::sim {

struct operation {
  enum class condition : std::uint8_t { none, if_absent, if_match };
  enum class outcome : std::uint8_t { open, done, refused, unknown }; // refused: its condition did not hold

  bool write = false;
  content_number value = absent; // written or read
  condition when = condition::none;
  content_number match = absent; // of if_match; `absent`: any object
  outcome what = outcome::open;
  std::uint64_t began = 0, ended = 0; // moments
};
std::string to_string(const operation& o);

class history {
public:
  using number = std::size_t;
  static constexpr std::uint64_t steps_max = 300'000;

  number begin(const std::string& key, operation o);
  void done(number n); // a write
  void seen(number n, content_number value);
  void refused(number n); // precondition_failed
  void unknown(number n);
  // The operation had no effect and will have none: a write that failed for another reason, a read without a result.
  void nothing(number n);
  std::size_t size() const noexcept { return all_.size(); }
  bool open(number n) const { return all_.at(n).o.what == operation::outcome::open; }

  // nullopt: every key's answers are explained. Otherwise the key and its operations.
  std::optional<std::string> unexplained() const;
  std::size_t undecided() const noexcept { return undecided_; } // keys whose search was given up

private:
  struct noted {
    std::string key;
    operation o;
    bool dropped = false;
  };
  std::vector<noted> all_;
  std::uint64_t moment_ = 0;
  mutable std::size_t undecided_ = 0;
};

enum class explained : std::uint8_t { yes, no, given_up };
// `all`: the operations of one key that is absent at first.
explained explain(std::vector<operation> all, std::uint64_t steps_max);

} // namespace cairn::sim
