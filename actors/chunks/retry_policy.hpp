// What to do when the read of a slice failed: ask the same place again after a pause, ask another place, or give up. A
// plain class, one a slice. Places are what read_route (chunk_router.hpp) names, in its order.
//
// - Alone: the disks of this node in the order of their rank for the chunk. A chunk lies on the first of them that took
//   writes when it was written, so `not_found` and `quarantined` go on to the next place, while a late or stumbling
//   disk is asked again. Bytes that fail their checksum are elsewhere or nowhere.
// - In a cluster: replicas. Whatever fails, the next one is asked at once; after the last, those whose failure may pass
//   are asked for another round, after a pause. A round in which one of them was busy does not count: it has the chunk,
//   and no memory to send it just now. How long that may go on is the caller's to say. That a copy is damaged is the
//   reason only when no replica failed in a way that may pass.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace cairn::actors {

// Of the failures of several places, that with the greater weight says most about the chunk: corrupt before io_error
// and the like before busy and timeout before not_found. 0: no failure.
int weight_of(errc code) noexcept;

class retry_policy {
public:
  static constexpr std::uint32_t attempts_max = 4; // at one place; rounds over replicas
  static constexpr std::chrono::milliseconds first_pause{10}, longest_pause{160};
  enum class kind : std::uint8_t { disks, replicas };

  explicit retry_policy(std::size_t places, kind k = kind::disks) : places_(places), kind_(k) {}

  std::size_t place() const noexcept { return place_; }
  // The place that would be asked now if place() failed, without a pause: another replica of this round.
  std::optional<std::size_t> alternative() const noexcept;
  // Nothing: give up, with reason(). Otherwise ask place() after the pause.
  std::optional<std::chrono::milliseconds> failed(error why);
  // In the round of replicas that ended last, one was busy.
  bool all_busy() const noexcept { return all_busy_; }
  // Of the places' last answers the one that says most.
  const error& reason() const noexcept;

private:
  std::optional<std::chrono::milliseconds> next_disk(errc code);
  std::optional<std::chrono::milliseconds> next_replica(errc code);
  int weight(errc code) const noexcept;
  bool given_up(std::size_t place) const noexcept { return place < 64 && (given_up_ >> place & 1) != 0; }

  const std::size_t places_;
  const kind kind_;
  std::size_t place_ = 0;
  std::uint32_t attempts_ = 0;           // at place_; rounds that are over and count
  std::uint32_t rounds_ = 0;             // that are over
  bool busy_ = false, all_busy_ = false; // a replica was, in this round; in the one before
  std::uint64_t given_up_ = 0;           // replicas that need not be asked again; those beyond the 64th are
  error here_, elsewhere_;               // the last answer of place_, the heaviest of the places before
};

} // namespace cairn::actors
