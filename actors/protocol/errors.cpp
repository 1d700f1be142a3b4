#include "actors/protocol/errors.hpp"

#include "base/third_party/caf.hpp"

namespace cairn::actors {

namespace {

constexpr auto category = caf::atom("cairn");

} // namespace

caf::error to_caf(const error& e) {
  const auto code = static_cast<std::uint8_t>(e.code);
  if (e.text.empty()) return {code, category};
  return {code, category, caf::make_message(e.text)};
}

error from_caf(const caf::error& e) {
  if (!e) return {errc::io_error, "an error without a code"};
  if (e.category() == category) {
    error out{static_cast<errc>(e.code())};
    if (e.context().match_elements<std::string>()) out.text = e.context().get_as<std::string>(0);
    return out;
  }
  if (e == caf::sec::request_timeout) return {errc::timeout, "no answer in time"};
  if (e == caf::sec::request_receiver_down || e.category() == caf::atom("exit"))
    return {errc::stopping, caf::to_string(e)};
  return {errc::io_error, caf::to_string(e)};
}

bool is_fault(errc code) {
  switch (code) {
    case errc::not_found: // a chunk or a row that something names
    case errc::corrupt:
    case errc::io_error:
    case errc::read_only:
    case errc::timeout:
    case errc::cancelled:
    case errc::content_mismatch:
    case errc::locked:
    case errc::quarantined:
    case errc::connection_lost:
    case errc::no_leader:
    case errc::no_quorum:
    case errc::secret_sealed:
    case errc::chunk_lost: return true;
    default: return false;
  }
}

} // namespace cairn::actors
