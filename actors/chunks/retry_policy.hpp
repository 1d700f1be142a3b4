// What to do when the read of a slice failed: ask the same place again after a pause, ask another place, or give up. A
// plain class, one per slice. Places are those of read_route (chunk_router.hpp), in its order.
//
// - Standalone: the local disks in the order of their rank for the chunk. A chunk is on the first of them that took
//   writes when it was written, so `not_found` and `quarantined` go on to the next disk. A disk with a transient
//   failure (busy, timeout, io_error, …) is asked again. A checksum failure is not retried on the same disk.
// - In a cluster: the replicas. After any failure the next replica is asked at once. After the last one, the replicas
//   with a transient failure are asked in another round, after a pause. A round in which a replica was busy does not
//   count towards the limit of rounds: that replica has the chunk, but no memory to send it; the caller limits the
//   time. Damage is the reason only when no replica had a transient failure.
#pragma once

#include "base/error.hpp"

#include <chrono>
#include <cstdint>
#include <optional>

namespace cairn::actors {

// Which of several places' failures says most about the chunk, the greatest weight first: corrupt, then io_error and
// the like, then busy and timeout, then not_found. 0: no failure.
int weight_of(errc code) noexcept;

class retry_policy {
public:
  static constexpr std::uint32_t attempts_max = 4; // at one place; rounds over replicas
  static constexpr std::chrono::milliseconds first_pause{10}, longest_pause{160};
  enum class kind : std::uint8_t { disks, replicas };

  explicit retry_policy(std::size_t places, kind k = kind::disks) : places_(places), kind_(k) {}

  std::size_t place() const noexcept { return place_; }
  // The place that would be asked without a pause if place() failed now: another replica of this round.
  std::optional<std::size_t> alternative() const noexcept;
  // nullopt: give up, with reason(). Otherwise ask place() after the pause.
  std::optional<std::chrono::milliseconds> failed(error why);
  // A replica was busy in the round that ended last.
  bool all_busy() const noexcept { return all_busy_; }
  // The failure with the greatest weight, of all places.
  const error& reason() const noexcept;

private:
  std::optional<std::chrono::milliseconds> next_disk(errc code);
  std::optional<std::chrono::milliseconds> next_replica(errc code);
  int weight(errc code) const noexcept;
  bool given_up(std::size_t place) const noexcept { return place < 64 && (given_up_ >> place & 1) != 0; }

  const std::size_t places_;
  const kind kind_;
  std::size_t place_ = 0;
  std::uint32_t attempts_ = 0;           // disks: at place_; replicas: rounds that count
  std::uint32_t rounds_ = 0;             // ended rounds
  bool busy_ = false, all_busy_ = false; // a replica was busy: in this round; in the one before
  std::uint64_t given_up_ = 0;           // replicas that are not asked again, of the first 64
  error current_error_;                  // of place_: its permanent failure, else the transient one of greatest weight
  error earlier_error_;                  // of the places before, the one with the greatest weight
};

} // namespace cairn::actors
