#include "net/s3/access.hpp"

#include "net/s3/access_context.hpp"
#include "net/s3/xml/s3_xml.hpp"
#include "net/wire/grammar/fields.hpp"

#include <algorithm>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
using metadata::allowed_by;
using metadata::ruling;
using storage::policy::action;

s3_error no_such_bucket() {
  return s3_error_of(error{errc::no_such_bucket});
}

std::uint8_t right_for(need n) {
  switch (n) {
    case need::read: return metadata::rights::read;
    case need::write: return metadata::rights::write;
    default: return metadata::rights::owner;
  }
}

s3_error denied(const request& request, const metadata::verdict& found, std::string_view otherwise) {
  if (!found.why.empty()) return access_denied(denial_text(found));
  return access_denied(request.key ? otherwise : "Anonymous requests may not do this with the bucket.");
}

// What allowed the weakest of the request's actions: a request that public access lets in stays one of anybody.
bool weaken(allowed_by& all, allowed_by one) {
  const auto rank = [](allowed_by by) {
    return by == allowed_by::anybody ? 0 : by == allowed_by::policy || by == allowed_by::identity ? 1 : 2;
  };
  if (rank(one) >= rank(all)) return false;
  all = one;
  return true;
}

bool is_of_user(const std::shared_ptr<const metadata::access_key_row>& key) {
  return key && key->of_user;
}

// The keys of a multi-delete are judged one by one, if a policy may tell them apart.
bool is_judged_later(const request& request, const metadata::bucket_row& bucket) {
  return request.operation->judges_entries && (!bucket.policy.empty() || is_of_user(request.key));
}

// What needs no bucket: the list of all buckets, the creation of one.
std::optional<s3_error> decide_without_bucket(request& request, const metadata::access_key_row& key) {
  request.by.by = allowed_by::identity;
  for (const auto one : request.by.asked->actions) {
    const auto verdict = judge_without_bucket(request.by, one, key, request.target.bucket);
    if (verdict.made != ruling::allowed) return denied(request, verdict, "The policies of the user do not allow this.");
  }
  return std::nullopt;
}

// Whether the sender may learn that an object is missing: who may list it, unless an action that the request needs on
// it is denied explicitly.
bool may_learn(const request& request, const metadata::bucket_row& bucket, const std::string& key,
               std::span<const action> needed) {
  for (const auto one : needed)
    if (!judge(request.by, one, request.key.get(), bucket, {key, nullptr, true}).why.empty()) return false;
  const auto listing = as_listing(request.by, key);
  return judge(listing, action::list_bucket, request.key.get(), bucket, {}).made == ruling::allowed;
}

bool may_learn(const request& request, const metadata::bucket_row& bucket) {
  return may_learn(request, bucket, request.target.key, request.by.asked->actions);
}

// A download that is not allowed is looked up nevertheless by who may learn that the object is missing.
bool is_refused_later(const request& request, const metadata::bucket_row& bucket, const metadata::verdict& found) {
  return request.operation->public_by == publicity::objects && found.why.empty() && may_learn(request, bucket);
}

std::optional<s3_error> decide_source(request& request, const actors::found_access& found, const source_name& source) {
  if (!found.bucket_2) return no_such_bucket();
  request.learns_of_source = may_learn(request, *found.bucket_2, source.key, {&request.by.asked->source, 1});
  const auto read = judge(request.by, request.by.asked->source, found.key.get(), *found.bucket_2,
                          {.key = source.key, .is_source = true});
  if (read.made != ruling::denied) return std::nullopt;
  return denied(request, read, "This access key may not read the source's bucket.");
}

} // namespace

std::optional<s3_error> decide_access(request& request, const actors::found_access& found, const source_name& source) {
  const auto wanted = request.operation->needs;
  const auto& key = found.key;
  request.by.by = key ? allowed_by::key : allowed_by::anybody;
  request.by.key = key ? key->id : std::string{};
  request.by.session = is_of_user(key) ? key->of_user->session : nullptr;
  const bool without_bucket = wanted == need::nothing || wanted == need::create_bucket;
  if (without_bucket && is_of_user(key)) return decide_without_bucket(request, *key);
  if (wanted == need::nothing) return std::nullopt;
  if (wanted == need::create_bucket) {
    if (key && key->creates_buckets) return std::nullopt;
    return access_denied(key ? "This access key may not create buckets."
                             : "Anonymous requests may not create buckets.");
  }
  if (!found.bucket) return no_such_bucket();
  const auto& bucket = *found.bucket;
  auto how = allowed_by::key;
  const bool later = is_judged_later(request, bucket);
  if (later) how = is_of_user(key) ? allowed_by::identity : key ? allowed_by::policy : allowed_by::anybody;
  for (const auto one : request.by.asked->actions) {
    if (later) break;
    const auto verdict = judge(request.by, one, key.get(), bucket, {.key = request.target.key});
    if (verdict.made == ruling::denied && !is_refused_later(request, bucket, verdict)) {
      request.statement = verdict.statement;
      return denied(request, verdict, "This access key may not do this with the bucket.");
    }
    request.waits_for_object = request.waits_for_object || verdict.made != ruling::allowed;
    if (weaken(how, verdict.made == ruling::denied ? allowed_by::anybody : verdict.how))
      request.statement = verdict.statement;
  }
  request.by.by = how;
  request.by.bucket = bucket.id;
  if (how == allowed_by::key) request.by.rights = right_for(wanted);
  if (found.bucket_2) request.by.source = found.bucket_2->id;
  return source.bucket.empty() ? std::nullopt : decide_source(request, found, source);
}

void grant_by_configuration(request& request) {
  request.by.by = allowed_by::configuration;
}

std::optional<s3_error> denied_by_policy(request& request, const metadata::bucket_row& bucket) {
  if (bucket.policy.empty() || is_judged_later(request, bucket)) return std::nullopt;
  for (const auto one : request.by.asked->actions) {
    const auto found = judge(request.by, one, nullptr, bucket, {.key = request.target.key});
    if (found.made != ruling::denied) continue;
    request.statement = found.statement;
    return denied(request, found, "");
  }
  return std::nullopt;
}

std::variant<std::optional<access_list>, s3_error> read_list(const boost::beast::http::fields& about, bool of_object) {
  acl_headers read{of_object};
  for (const auto& field : about)
    if (auto refused = read.add(view_of(field.name_string()), view_of(field.value()))) return std::move(*refused);
  return read.list();
}

std::vector<std::string> grantees_in_head(const request& request, const boost::beast::http::fields& head) {
  const auto& operation = *request.operation;
  if (!operation.sets_attributes && operation.needs != need::create_bucket) return {};
  const auto read = read_list(request.form ? request.form->head : head, true);
  const auto* const list = std::get_if<std::optional<access_list>>(&read);
  if (list == nullptr || !*list) return {};
  auto named = grantees_in(**list);
  const bool asks = !named.empty() && (!operation.sets_attributes || request.may(action::put_object_acl));
  return asks ? std::move(named) : std::vector<std::string>{};
}

bool names_list(const request& request, const boost::beast::http::fields& about) {
  constexpr std::string_view header = "x-amz-acl";
  if (!request.operation->sets_attributes && (!request.route || request.route->header != header)) return false;
  const auto list = field_of(about, header);
  if (!list.empty() && list != "bucket-owner-full-control") return true;
  return std::any_of(about.begin(), about.end(),
                     [](const auto& field) { return is_grant_header(view_of(field.name_string())); });
}

std::optional<s3_error> refused_list(const request& request, const boost::beast::http::fields& about,
                                     const metadata::bucket_row& bucket) {
  if (bucket.ownership != metadata::ownership::enforced || !names_list(request, about)) return std::nullopt;
  return s3_error_of(error{errc::acl_not_supported});
}

std::optional<s3_error> refused_object(const request& request, const metadata::bucket_row* bucket,
                                       const metadata::object_row* row) {
  if (bucket == nullptr || !request.by.asked) return std::nullopt;
  // Rights alone do not depend on the object, nor do policies that did not ask for its tags.
  const bool by_rights = request.by.by == allowed_by::key || request.by.by == allowed_by::configuration ||
                         (request.by.by == allowed_by::identity && !request.waits_for_object);
  if (by_rights && bucket->policy.empty()) return std::nullopt;
  for (const auto one : request.by.asked->actions) {
    const auto found = judge(request.by, one, request.key.get(), *bucket, {request.target.key, row, row == nullptr});
    if (found.made == ruling::allowed) continue;
    if (found.why.empty()) return s3_error_of(error{errc::access_denied});
    return denied(request, found, "");
  }
  return std::nullopt;
}

std::optional<s3_error> refused_source_object(const request& request, const metadata::authority& by,
                                              const metadata::bucket_row* bucket, std::string_view key,
                                              const metadata::object_row& row, bool takes_tags) {
  if (bucket == nullptr || !by.asked) return std::nullopt;
  const auto actions = {by.asked->source, action::get_object_tagging};
  for (const auto one : actions) {
    if (one == action::get_object_tagging && (!takes_tags || row.extras.tags.empty())) continue;
    const auto found = judge(by, one, request.key.get(), *bucket, {.key = key, .row = &row, .is_source = true});
    if (found.made == ruling::allowed) continue;
    if (found.why.empty()) return s3_error_of(error{errc::access_denied}); // as seen_by: existence shows in no way
    return denied(request, found, "");
  }
  return std::nullopt;
}

bool tells_of_objects(const error& reason) {
  return reason == errc::no_such_key || reason == errc::no_such_version || reason == errc::delete_marker;
}

error seen_by(const request& request, const error& reason) {
  if (!tells_of_objects(reason)) return reason;
  // Of a copy the missing object is the source. The head allowed it perhaps only because the object could be public.
  if (request.by.source != 0) return request.learns_of_source ? reason : error{errc::access_denied};
  if (!request.bucket || !request.by.asked)
    return request.by.by == allowed_by::configuration ? reason : error{errc::access_denied};
  return may_learn(request, *request.bucket) ? reason : error{errc::access_denied};
}

s3_error access_denied(std::string_view why) {
  return {403, "AccessDenied", std::string{why}};
}

s3_error version_removal_denied() {
  return access_denied("Removing a version for good needs the rights `write` and `owner` on its bucket, or a policy.");
}

std::optional<s3_error> refused_owner(const boost::beast::http::fields& fields) {
  for (const auto* name : {"x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"}) {
    if (find_field(fields, name).value_or(owner_id) == owner_id) continue;
    return access_denied("The bucket belongs to another owner.");
  }
  return std::nullopt;
}

} // namespace cairn::net
