#include "storage/metadata/rows/bucket_policy.hpp"

#include "storage/policy/policy.hpp"

#include <algorithm>
#include <mutex>
#include <optional>
#include <vector>

namespace cairn::storage::metadata {

struct stored_policy::shared_form {
  std::string text;
  policy::owner_kind of{};
  std::once_flag once;
  std::optional<policy::policy> compiled;

  static std::shared_ptr<shared_form> find(std::string text, policy::owner_kind of);
};

// The forms that were used last, the latest one first.
std::shared_ptr<stored_policy::shared_form> stored_policy::shared_form::find(std::string text, policy::owner_kind of) {
  constexpr std::size_t kept_max = 256;
  static std::mutex mutex;
  static std::vector<std::shared_ptr<shared_form>> kept;
  const std::lock_guard lock(mutex);
  auto at =
      std::find_if(kept.begin(), kept.end(), [&](const auto& form) { return form->of == of && form->text == text; });
  if (at == kept.end()) {
    if (kept.size() == kept_max) kept.pop_back();
    at = kept.insert(kept.end(), std::make_shared<shared_form>());
    (*at)->text = std::move(text);
    (*at)->of = of;
  }
  std::rotate(kept.begin(), at, at + 1);
  return kept.front();
}

stored_policy::stored_policy(std::string text, policy::owner_kind of) {
  if (!text.empty()) shared_ = shared_form::find(std::move(text), of);
}

bucket_policy::bucket_policy(std::string text) : stored_policy(std::move(text), policy::owner_kind::bucket) {}

identity_policy::identity_policy(std::string text) : stored_policy(std::move(text), policy::owner_kind::identity) {}

trust_policy::trust_policy(std::string text) : stored_policy(std::move(text), policy::owner_kind::trust) {}

const std::string& stored_policy::text() const {
  static const std::string none;
  return shared_ ? shared_->text : none;
}

const policy::policy* stored_policy::compiled() const {
  std::call_once(shared_->once, [this] {
    if (auto made = policy::policy::compile(shared_->text, shared_->of)) shared_->compiled = std::move(*made);
  });
  return shared_->compiled ? &*shared_->compiled : nullptr;
}

} // namespace cairn::storage::metadata
