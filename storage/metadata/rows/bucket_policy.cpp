#include "storage/metadata/rows/bucket_policy.hpp"

#include "storage/policy/policy.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

namespace cairn::storage::metadata {

struct bucket_policy::shared_form {
  std::string text;
  std::once_flag once;
  std::optional<policy::policy> compiled;

  static std::shared_ptr<shared_form> of(std::string text);
};

// The forms that were used last, the latest one first.
std::shared_ptr<bucket_policy::shared_form> bucket_policy::shared_form::of(std::string text) {
  constexpr std::size_t kept_max = 64;
  static std::mutex mutex;
  static std::vector<std::shared_ptr<shared_form>> kept;
  const std::lock_guard lock(mutex);
  auto at = std::find_if(kept.begin(), kept.end(), [&text](const auto& form) { return form->text == text; });
  if (at == kept.end()) {
    if (kept.size() == kept_max) kept.pop_back();
    at = kept.insert(kept.end(), std::make_shared<shared_form>());
    (*at)->text = std::move(text);
  }
  std::rotate(kept.begin(), at, at + 1);
  return kept.front();
}

bucket_policy::bucket_policy(std::string text) {
  if (!text.empty()) shared_ = shared_form::of(std::move(text));
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
