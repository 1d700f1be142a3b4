#include "cli/import/version_copy.hpp"

#include "base/codec.hpp"
#include "base/digest.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/client/text_body.hpp"
#include "cli/import/documents/access_list.hpp"
#include "cli/import/documents/version_lock.hpp"
#include "cli/transfer/multipart_upload.hpp"
#include "cli/transfer/object_copy.hpp"
#include "cli/transfer/retry.hpp"
#include "net/s3/body/checksums.hpp"
#include "net/s3/xml/tags.hpp"
#include "net/wire/grammar/base64.hpp"

#include <algorithm>

namespace cairn::cli {

namespace {

constexpr unsigned changes_max = 3; // of an object, while it is copied
constexpr std::string_view became_parts = "became an object in parts", became_whole = "became an object in one piece";

struct whole_checksum {
  net::checksum_kind kind;
  std::string base64;
};

error source_failure(const http_response& response) {
  auto failure = failure_of(response, "the source");
  if (failure.code == errc::no_such_key || response.status == 405) failure.code = errc::no_such_version; // 405: deleted
  if (response.status == 412) failure.code = errc::stale_source;
  return failure;
}

// Encrypted by keys that the source manages or was given with each request: such ETags are no MD5s ("Common response
// headers", S3 API reference).
bool has_opaque_etag(const http_response& about) {
  return about.header("x-amz-server-side-encryption").starts_with("aws:kms") ||
         !about.header("x-amz-server-side-encryption-customer-algorithm").empty();
}

std::optional<whole_checksum> checksum_of(const http_response& about) {
  if (about.header("x-amz-checksum-type") == "COMPOSITE") return std::nullopt;
  for (const auto kind : net::checksum_kinds) {
    const auto text = about.header("x-amz-checksum-" + std::string(to_string(kind)));
    if (!text.empty() && text.find('-') == std::string_view::npos) return whole_checksum{kind, std::string(text)};
  }
  return std::nullopt;
}

// From the checksums of parts: those that are CRCs.
bool can_be_joined(net::checksum_kind kind) {
  return kind != net::checksum_kind::sha1 && kind != net::checksum_kind::sha256;
}

// Some servers keep "aws-chunked", the encoding of an upload's transfer.
void drop_transfer_encoding(header_list& headers) {
  for (auto& [name, value] : headers)
    if (name == "content-encoding" && value.starts_with("aws-chunked"))
      value.erase(0, value.starts_with("aws-chunked,") ? value.find_first_not_of(' ', 12) : value.size());
  std::erase_if(headers,
                [](const auto& header) { return header.first == "content-encoding" && header.second.empty(); });
}

header_list object_headers(const http_response& about) {
  auto headers = copied_headers(about);
  drop_transfer_encoding(headers);
  return headers;
}

// The body of the source's answer as that of a request to the target: what comes from one connection goes out on the
// other, digested on its way.
class source_body : public body_source {
public:
  using moved = std::function<void(std::int64_t)>;
  source_body(http_client& from, std::optional<std::uint64_t> length, moved on_bytes)
      : from_(from), length_(length), on_bytes_(std::move(on_bytes)) {}

  std::optional<std::uint64_t> length() const override { return length_; }
  result<std::size_t> read(bytes_span into) override {
    const auto got = from_.read_body(into);
    if (!got) return of_source(got.error());
    digest_.update(into.first(*got));
    if (sum_) sum_->update(into.first(*got));
    done_ += *got;
    on_bytes_(static_cast<std::int64_t>(*got));
    if (check_ && done_ == length_)
      if (auto checked = check_(); !checked) return checked.error();
    return got;
  }

  // Called before the last bytes go out: where it fails, the target stores nothing.
  void check_at_end(std::function<result<void>()> check) { check_ = std::move(check); }
  void also_sum(net::checksum_kind kind) { sum_.emplace(kind); }
  std::string md5_hex() { return hex_of(digest_.finish()); } // of what was read; once
  std::string sum() { return sum_->finish(); }               // likewise
  std::uint64_t read_bytes() const { return done_; }
  void undo() { on_bytes_(-static_cast<std::int64_t>(done_)); } // the request failed

private:
  http_client& from_;
  std::optional<std::uint64_t> length_;
  moved on_bytes_;
  std::function<result<void>()> check_;
  md5 digest_;
  std::optional<net::running_checksum> sum_;
  std::uint64_t done_ = 0;
};

std::string if_match(const std::string& etag) {
  return '"' + etag + '"';
}

} // namespace

struct version_copier::upload_in_parts {
  const version_order& order;
  std::string etag;
  part_layout layout;
  std::optional<net::checksum_kind> sum_kind = {}; // of the parts, where the ETag may not prove them
  open_upload upload = {};
  part_map earlier = {}; // parts that an earlier run stored
  struct part_sum {
    std::string crc;
    std::uint64_t bytes = 0;
  };
  std::vector<part_sum> sums = {};
  std::atomic<std::int64_t> moved = 0;
  std::mutex mutex = {};

  std::string joined_sums() const {
    auto joined = sums[0].crc;
    for (std::uint64_t i = 1; i < layout.count; ++i)
      joined = *net::joined_checksum(*sum_kind, joined, sums[i].crc, sums[i].bytes);
    return net::base64_encode(joined);
  }
};

source_server::query version_copier::version_query(const stored_version& version) const {
  if (version.id.empty()) return {};
  return {{"versionId", version.id}};
}

void version_copier::report_lost(const http_response& about, const version_order& order) {
  static constexpr std::pair<std::string_view, std::string_view> kinds[] = {
      {"x-amz-website-redirect-location", "website redirects"},
      {"x-amz-missing-meta", "metadata that the source can't send in headers"},
      {"x-amz-server-side-encryption", "encryption by the server"}};
  for (const auto& [header, what] : kinds)
    if (!about.header(header).empty()) events_.lost(std::string(what));
  const auto lock = lock_of(about, system_clock().wall());
  if (lock && !order.with_lock && !lock->mode.empty()) events_.lost("retention (object lock)");
  if (lock && !order.with_lock && lock->hold) events_.lost("legal holds (object lock)");
  const auto storage_class = about.header("x-amz-storage-class");
  if (!storage_class.empty() && storage_class != "STANDARD")
    events_.lost("the storage class " + std::string(storage_class));
}

// Empty: no tags.
result<std::string> version_copier::tagging_header(http_client& source, const version_order& order) {
  const auto unknown = [this] {
    events_.lost("tags, for which the source has no answer");
    return std::string{};
  };
  if (tags_ == tag_mode::none) return std::string{};
  if (tags_ == tag_mode::unknown) return unknown();
  auto parameters = version_query(order.version);
  parameters.emplace(parameters.begin(), "tagging", "");
  const auto response = source.exchange({"GET", source_.target(order.from, parameters), {}});
  if (!response) return of_source(response.error());
  if (response->status == 501 || response->status == 405) {
    tags_ = tag_mode::unknown;
    return unknown();
  }
  if (response->status == 404 && response->body.find("NoSuchTagSet") != std::string::npos) return std::string{};
  if (!response->ok()) return error{source_failure(*response).code, "its tags: " + source_failure(*response).text};
  const auto root = read_answer(response->body, "Tagging");
  if (!root) return error{errc::corrupt, "its tags: " + root.error().text + " (--no-tags goes without them)"};
  std::string header;
  bool leaves_some = false;
  const auto* set = root->child("TagSet");
  for (const auto& tag : set ? set->children : std::vector<net::xml_element>{}) {
    if (net::is_system_tag(tag.text_of("Key"))) {
      leaves_some = true;
      continue;
    }
    header += (header.empty() ? "" : "&") + percent_encode(tag.text_of("Key"), false) + "=" +
              percent_encode(tag.text_of("Value"), false);
  }
  if (leaves_some) events_.lost("system tags (aws:*)");
  return header;
}

result<header_list> version_copier::extra_headers(http_client& source, const version_order& order) {
  header_list headers;
  auto tags = tagging_header(source, order);
  if (!tags) return tags.error();
  if (!tags->empty()) headers.emplace_back("x-amz-tagging", std::move(*tags));
  if (!access_lists_) return headers;
  auto parameters = version_query(order.version);
  parameters.emplace(parameters.begin(), "acl", "");
  const auto response = source.exchange({"GET", source_.target(order.from, parameters), {}});
  if (!response) return of_source(response.error());
  if (!response->ok()) return source_failure(*response);
  const auto root = read_answer(response->body, "AccessControlPolicy");
  if (!root) return error{errc::corrupt, "its access control list: " + root.error().text};
  const auto grants = read_grants(*root);
  if (!grants.others.empty()) events_.lost("grants of objects' access control lists");
  if (const auto canned = canned_acl(grants); !canned.empty()) headers.emplace_back("x-amz-acl", canned);
  return headers;
}

result<void> version_copier::add_lock(header_list& headers, const http_response& about, const version_order& order) {
  if (!order.with_lock) return {};
  const auto lock = lock_of(about, system_clock().wall());
  if (!lock) return of_source(lock.error());
  for (auto& header : lock_headers(*lock)) headers.push_back(std::move(header));
  return {};
}

header_list version_copier::headers_for(const http_response& about, const header_list& extra, bool etag_differs) {
  auto headers = object_headers(about);
  headers.insert(headers.end(), extra.begin(), extra.end());
  if (!etag_differs) return headers;
  std::erase_if(headers, [](const auto& header) { return header.first == origin_etag_header; });
  headers.emplace_back(origin_etag_header, etag_text(about.header("etag")));
  return headers;
}

result<copied_version> version_copier::copy(http_client& target, const version_order& order) {
  if (order.version.delete_marker) {
    text_body nothing{{}}; // the client repeats requests without a body, and each one makes a delete marker
    const auto gone = target.exchange({"DELETE", target_of(order.to), {}}, &nothing);
    if (!gone) return gone.error();
    return gone->ok() ? copied_version{} : result<copied_version>(failure_of(*gone, "the target"));
  }
  bool in_parts = part_count_of(order.version.etag).has_value();
  for (unsigned change = 0;; ++change) {
    auto outcome = in_parts ? copy_parts(target, order, true) : copy_whole(target, order, false);
    if (outcome || outcome.error().code != errc::stale_source || change + 1 == changes_max) return outcome;
    if (outcome.error().text == became_parts || outcome.error().text == became_whole) in_parts = !in_parts;
  }
}

// An object without versions may change while it is copied. The copy would be newer than the change then, and pass for
// something that the source never had (import_plan.hpp); what takes no longer than the clocks' error does not.
result<void> version_copier::check_unchanged(const version_order& order, const std::string& etag,
                                             std::chrono::steady_clock::time_point since) {
  if (!order.version.id.empty() && order.version.id != "null") return {};
  if (std::chrono::steady_clock::now() - since < std::chrono::seconds(1)) return {};
  const auto source = source_.take(order.from.bucket);
  if (!source) return source.error();
  const auto about = (*source)->exchange(
      {"HEAD", source_.target(order.from, version_query(order.version)), {{"If-Match", if_match(etag)}}});
  if (!about) return of_source(about.error());
  if (!about->ok()) return source_failure(*about);
  if (etag_text(about->header("etag")) != etag) return error{errc::stale_source, "the source: changed meanwhile"};
  return {};
}

result<copied_version> version_copier::copy_whole(http_client& target, const version_order& order,
                                                  bool may_be_in_parts) {
  auto source = source_.take(order.from.bucket);
  if (!source) return source.error();
  const auto extra = extra_headers(**source, order);
  if (!extra) return extra.error();
  const auto began = std::chrono::steady_clock::now();
  const auto about = (*source)->open(
      {"GET", source_.target(order.from, version_query(order.version)), {{"x-amz-checksum-mode", "ENABLED"}}});
  if (!about) return of_source(about.error());
  if (!about->ok()) return source_failure(*about);
  const auto etag = etag_text(about->header("etag"));
  if (part_count_of(etag) && !may_be_in_parts) return error{errc::stale_source, std::string(became_parts)};
  const bool provable = is_md5(etag) && !has_opaque_etag(*about);
  auto headers = headers_for(*about, *extra, !provable);
  if (auto added = add_lock(headers, *about, order); !added) return added.error();
  const auto checksum = checksum_of(*about);
  md5::digest digest{};
  if (provable && read_hex(etag, digest))
    headers.emplace_back("content-md5",
                         net::base64_encode({reinterpret_cast<const char*>(digest.data()), digest.size()}));
  if (checksum) headers.emplace_back("x-amz-checksum-" + std::string(to_string(checksum->kind)), checksum->base64);
  source_body body(**source, about->content_length, events_.moved);
  body.check_at_end([&] { return check_unchanged(order, etag, began); });
  const auto response = target.exchange({"PUT", target_of(order.to), headers}, &body);
  if (response && response->ok()) {
    const auto stored = etag_text(response->header("etag")), sent = body.md5_hex();
    if (stored == sent) {
      report_lost(*about, order);
      return copied_version{provable || checksum};
    }
    body.undo();
    return error{errc::digest_mismatch, "sent bytes with MD5 " + sent + ", the target stored " + stored};
  }
  body.undo();
  return response ? failure_of(*response, "the target") : result<copied_version>(response.error());
}

result<copied_version> version_copier::copy_parts(http_client& target, const version_order& order, bool resume) {
  auto leased = source_.take(order.from.bucket);
  if (!leased) return leased.error();
  auto& source = **leased;
  const auto began = std::chrono::steady_clock::now();
  auto parameters = version_query(order.version);
  const http_request look{"HEAD", source_.target(order.from, parameters), {{"x-amz-checksum-mode", "ENABLED"}}};
  const auto about = source.exchange(look);
  if (!about) return of_source(about.error());
  if (!about->ok()) return source_failure(*about);
  const auto etag = etag_text(about->header("etag"));
  const auto count = part_count_of(etag);
  if (!count || !about->content_length) return error{errc::stale_source, std::string(became_whole)};

  parameters.emplace_back("partNumber", "1");
  const auto first = source.exchange({"HEAD", source_.target(order.from, parameters), {{"If-Match", if_match(etag)}}});
  if (!first) return of_source(first.error());
  if (first->status == 412) return source_failure(*first);
  const auto first_bytes = first->status == 206 ? first->content_length : std::nullopt;
  upload_in_parts upload{order, etag, plan_part_layout(*about->content_length, *count, first_bytes)};
  if (upload.layout.how == part_layout::way::whole) return copy_whole(target, order, true);

  const bool certain = upload.layout.how == part_layout::way::by_part_number && !has_opaque_etag(*about);
  const auto checksum = checksum_of(*about);
  if (!certain && checksum && can_be_joined(checksum->kind)) upload.sum_kind = checksum->kind;
  const auto extra = extra_headers(source, order);
  if (!extra) return extra.error();
  auto headers = headers_for(*about, *extra, !certain);
  if (auto added = add_lock(headers, *about, order); !added) return added.error();
  auto outcome = begin_upload(target, upload, headers, certain && resume);
  if (!outcome) return outcome.error();
  outcome = run_parts(target, upload);
  bool proven = composed_etag(upload.upload.parts) == etag;
  if (outcome && certain && !proven)
    outcome = error{errc::digest_mismatch, "the parts that were sent do not have the source's ETag " + etag};
  if (outcome && !proven && upload.sum_kind) {
    proven = upload.joined_sums() == checksum->base64;
    if (!proven) outcome = error{errc::digest_mismatch, "the bytes that came do not have the source's checksum"};
  }
  if (outcome) outcome = check_unchanged(order, etag, began);
  if (outcome) {
    const auto stored = with_retries([&] { return complete_upload(target, order.to, upload.upload, {}); });
    if (!stored) outcome = stored.error();
  }
  if (outcome) {
    report_lost(*about, order);
    return copied_version{proven};
  }
  events_.moved(-upload.moved);
  // What may pass leaves the parts for the next run.
  if (!may_pass(outcome.error().code)) abort_upload(target, order.to, upload.upload.id);
  if (outcome.error().code == errc::digest_mismatch && !upload.earlier.empty()) return copy_parts(target, order, false);
  return outcome.error();
}

// Continues an upload that an earlier run began after the source's version was stored, or begins one.
result<void> version_copier::begin_upload(http_client& target, upload_in_parts& upload, const header_list& headers,
                                          bool resume) {
  const auto& order = upload.order;
  if (resume) {
    const auto found = find_upload(target, order.to);
    if (!found && may_pass(found.error().code)) return found.error();
    if (found && *found && !(*found)->parts.empty() &&
        parse_listed_time((*found)->initiated).value_or(0) > order.version.stored_at) {
      upload.upload = **found;
      upload.earlier = std::exchange(upload.upload.parts, {});
      return {};
    }
  }
  auto made = create_upload(target, order.to, headers, false);
  if (!made) return made.error();
  upload.upload = std::move(*made);
  return {};
}

result<void> version_copier::run_parts(http_client& target, upload_in_parts& upload) {
  upload.sums.resize(upload.layout.count);
  return pool_.share(target, upload.layout.count,
                     [&](http_client& client, std::uint64_t i) { return copy_part(client, upload, i); });
}

result<void> version_copier::copy_part(http_client& target, upload_in_parts& upload, std::uint64_t index) {
  if (const auto had = upload.earlier.find(index + 1); had != upload.earlier.end()) {
    const auto bytes = static_cast<std::int64_t>(had->second.size_bytes);
    upload.moved += bytes;
    events_.moved(bytes);
    const std::lock_guard lock(upload.mutex);
    upload.upload.parts[index + 1] = had->second;
    return {};
  }
  auto etag = with_retries([&] { return stored_part_etag(target, upload, index); });
  if (!etag) return etag.error();
  const std::lock_guard lock(upload.mutex);
  upload.upload.parts[index + 1] = {0, std::move(*etag)};
  return {};
}

result<std::string> version_copier::stored_part_etag(http_client& target, upload_in_parts& upload,
                                                     std::uint64_t index) {
  const auto& order = upload.order;
  auto source = source_.take(order.from.bucket);
  if (!source) return source.error();
  auto parameters = version_query(order.version);
  header_list headers{{"If-Match", if_match(upload.etag)}};
  const auto& plan = upload.layout.plan;
  if (upload.layout.how == part_layout::way::by_part_number)
    parameters.emplace_back("partNumber", std::to_string(index + 1));
  else
    headers.emplace_back("Range", "bytes=" + std::to_string(plan.begin(index)) + "-" +
                                      std::to_string(plan.begin(index) + plan.bytes(index) - 1));
  const auto about = (*source)->open({"GET", source_.target(order.from, parameters), headers});
  if (!about) return of_source(about.error());
  if (!about->ok()) return source_failure(*about);
  if (about->status != 206 && upload.layout.count > 1)
    return error{errc::corrupt, "the source answers the whole object to a request for a part"};
  source_body body(**source, about->content_length, [&](std::int64_t bytes) {
    upload.moved += bytes;
    events_.moved(bytes);
  });
  if (upload.sum_kind) body.also_sum(*upload.sum_kind);
  const auto response = target.exchange({"PUT", part_target(order.to, upload.upload.id, index + 1), {}}, &body);
  if (response && response->ok()) {
    const auto stored = etag_text(response->header("etag")), sent = body.md5_hex();
    if (stored == sent) {
      if (upload.sum_kind) upload.sums[index] = {body.sum(), body.read_bytes()};
      return stored;
    }
    body.undo();
    return error{errc::digest_mismatch, "sent a part with MD5 " + sent + ", the target stored " + stored};
  }
  body.undo();
  return response ? failure_of(*response, "the target") : result<std::string>(response.error());
}

result<bool> version_copier::same_headers(http_client& target, const version_order& order) {
  auto source = source_.take(order.from.bucket);
  if (!source) return source.error();
  const auto theirs = with_retries([&]() -> result<http_response> {
    auto about = (*source)->exchange({"HEAD", source_.target(order.from, version_query(order.version)), {}});
    if (!about) return of_source(about.error());
    if (!about->ok()) return source_failure(*about);
    return about;
  });
  if (!theirs) return theirs.error();
  const auto ours = with_retries([&] { return ask(target, {"HEAD", target_of(order.to), {}}, "the target"); });
  if (!ours) return ours.error();
  auto a = object_headers(*theirs), b = object_headers(*ours);
  for (auto* headers : {&a, &b}) {
    std::erase_if(*headers, [](const auto& header) { return header.first == origin_etag_header; });
    std::ranges::sort(*headers);
  }
  return a == b;
}

} // namespace cairn::cli
