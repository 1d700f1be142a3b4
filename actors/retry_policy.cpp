#include "actors/retry_policy.hpp"

namespace cairn::actors {

namespace {

int weight(errc code) {
  if (code == errc{}) return 0; // not asked yet
  switch (code) {
    case errc::corrupt: return 4;
    case errc::busy:
    case errc::timeout: return 2;
    case errc::not_found: return 1;
    default: return 3;
  }
}

bool worth_asking_again(errc code) {
  return code == errc::busy || code == errc::timeout || code == errc::io_error;
}

} // namespace

const error& retry_policy::reason() const noexcept {
  return weight(here_.code) >= weight(elsewhere_.code) ? here_ : elsewhere_;
}

std::optional<std::chrono::milliseconds> retry_policy::failed(error why) {
  const auto code = why.code;
  // Of one place the last answer counts; among stumbles the one that says most.
  if (!worth_asking_again(code) || weight(code) >= weight(here_.code)) here_ = std::move(why);
  if (code == errc::stopping) return std::nullopt;
  if (worth_asking_again(code) && ++attempts_ < attempts_max) return first_pause * (1 << (attempts_ - 1));
  if (place_ + 1 >= places_) return std::nullopt;
  elsewhere_ = reason();
  here_ = {};
  ++place_;
  attempts_ = 0;
  return std::chrono::milliseconds{0};
}

} // namespace cairn::actors
