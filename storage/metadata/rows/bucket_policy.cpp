#include "storage/metadata/rows/bucket_policy.hpp"

#include "storage/policy/policy.hpp"

#include <mutex>
#include <optional>

namespace cairn::storage::metadata {

struct bucket_policy::shared_form {
  std::string text;
  std::once_flag once;
  std::optional<policy::policy> compiled;
};

bucket_policy::bucket_policy(std::string text) {
  if (text.empty()) return;
  shared_ = std::make_shared<shared_form>();
  shared_->text = std::move(text);
}

const std::string& bucket_policy::text() const {
  static const std::string none;
  return shared_ ? shared_->text : none;
}

const policy::policy* bucket_policy::compiled() const {
  std::call_once(shared_->once, [this] {
    if (auto made = policy::policy::compile(shared_->text, policy::owner_kind::bucket))
      shared_->compiled = std::move(*made);
  });
  return shared_->compiled ? &*shared_->compiled : nullptr;
}

} // namespace cairn::storage::metadata
