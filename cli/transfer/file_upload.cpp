#include "cli/transfer/file_upload.hpp"

#include "base/codec.hpp"
#include "cli/client/file_transfer.hpp"
#include "cli/client/s3_answers.hpp"
#include "cli/transfer/content_type.hpp"
#include "cli/transfer/file_slice.hpp"
#include "cli/transfer/multipart_upload.hpp"
#include "cli/transfer/object_time.hpp"
#include "cli/transfer/part_plan.hpp"
#include "cli/transfer/retry.hpp"
#include "net/s3/body/checksums.hpp"
#include "net/wire/grammar/base64.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace cairn::cli {

namespace {

struct source_file {
  descriptor open;
  std::string path;
  std::uint64_t size_bytes = 0;
  time_ns changed_at = 0;
};

result<source_file> look_at(const std::string& path) {
  source_file file{descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)), path}; // a FIFO must not block
  struct stat about {};
  if (file.open.get() < 0 || ::fstat(file.open.get(), &about) != 0) return system_failure("opening " + path);
  if (S_ISDIR(about.st_mode)) return error{errc::invalid_argument, path + " is a directory, expected a file"};
  if (!S_ISREG(about.st_mode)) return error{errc::invalid_argument, path + " is not a regular file"};
  file.size_bytes = static_cast<std::uint64_t>(about.st_size);
  file.changed_at = about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec;
  return file;
}

result<void> check_unchanged(const source_file& file) {
  struct stat about {};
  if (::fstat(file.open.get(), &about) != 0) return system_failure("reading " + file.path);
  if (static_cast<std::uint64_t>(about.st_size) == file.size_bytes &&
      about.st_mtim.tv_sec * 1'000'000'000 + about.st_mtim.tv_nsec == file.changed_at)
    return {};
  return error{errc::io_error, file.path + ": changed while it was stored, run the command again"};
}

header_list headers_for(const source_file& file) {
  header_list headers{{std::string(mtime_header), mtime_text(file.changed_at)}};
  if (const auto type = content_type_of(file.path); !type.empty()) headers.emplace_back("Content-Type", type);
  return headers;
}

result<void> upload_whole(http_client& client, const source_file& file, const object_path& to, set_progress& progress) {
  return with_retries([&]() -> result<void> {
    cairn::md5 digest;
    file_slice body(
        file.open.get(), 0, file.size_bytes, file.path, [&](std::int64_t bytes) { progress.moved(bytes); }, &digest);
    const auto response = client.exchange({"PUT", target_of(to), headers_for(file)}, &body);
    result<void> outcome;
    if (!response) {
      outcome = response.error();
    } else if (!response->ok()) {
      outcome = failure_of(*response, "storing");
    } else {
      const auto stored = etag_text(response->header("etag")), sent = hex_of(digest.finish());
      if (is_md5(stored) && stored != sent)
        outcome = error{errc::digest_mismatch, "sent bytes with MD5 " + sent + ", the server stored " + stored};
    }
    if (!outcome) body.undo();
    return outcome;
  });
}

// One file's upload in parts. `work` runs on several threads.
class parts_upload {
public:
  parts_upload(const source_file& file, const object_path& to, part_plan plan, set_progress& progress)
      : file_(file), to_(to), plan_(plan), progress_(progress), crc64_(plan.count()) {}

  result<void> run(worker_pool& pool, http_client& client) {
    if (auto begun = begin(client); !begun) return begun;
    auto sent = pool.share(client, plan_.count(), [this](http_client& c, std::uint64_t i) { return part(c, i); });
    if (sent) sent = check_unchanged(file_);
    if (sent) return complete(client);
    // What may pass leaves the parts for the next run.
    if (!may_pass(sent.error().code)) abort_upload(client, to_, upload_.id);
    return sent;
  }

private:
  result<void> begin(http_client& client) {
    auto found = with_retries([&] { return find_upload(client, to_); });
    // Who may not list the uploads, or whose server does not, still may upload.
    if (!found && may_pass(found.error().code)) return found.error();
    if (found && *found) {
      const auto mine = belongs(**found);
      if (!mine) return mine.error();
      if (*mine) {
        upload_ = std::move(**found);
        have_ = std::exchange(upload_.parts, {});
        return {};
      }
    }
    auto made = with_retries([&] { return create_upload(client, to_, headers_for(file_), true); });
    if (!made) return made.error();
    upload_ = std::move(*made);
    return {};
  }

  // Whether an upload is an earlier one of this file: begun after the file changed (it carries the file's time), cut in
  // the same way, and with the same bytes in its first part.
  result<bool> belongs(const open_upload& upload) const {
    if (upload.parts.empty() || upload.other_checksum) return false;
    if (parse_listed_time(upload.initiated).value_or(0) < file_.changed_at / 1'000'000 * 1'000'000) return false;
    for (const auto& [number, part] : upload.parts)
      if (number < 1 || number > plan_.count() || part.size_bytes != plan_.bytes(number - 1)) return false;
    const auto& [number, part] = *upload.parts.begin();
    const auto md5 = md5_of_slice(file_.open.get(), plan_.begin(number - 1), plan_.bytes(number - 1), file_.path);
    if (!md5) return md5.error();
    return hex_of(*md5) == part.etag;
  }

  result<void> part(http_client& client, std::uint64_t index) {
    const auto begin = plan_.begin(index), bytes = plan_.bytes(index);
    const auto digests = digest_slice(file_.open.get(), begin, bytes, file_.path);
    if (!digests) return digests.error();
    stored_part stored{bytes, hex_of(digests->md5)};
    if (const auto had = have_.find(index + 1); had != have_.end() && had->second.etag == stored.etag) {
      progress_.moved(static_cast<std::int64_t>(bytes));
    } else {
      auto sent = with_retries([&] { return send(client, index, *digests); });
      if (!sent) return sent.error();
      stored.etag = *sent; // mostly the same
    }
    const std::lock_guard lock(mutex_);
    upload_.parts[index + 1] = std::move(stored);
    crc64_[index] = digests->crc64;
    return {};
  }

  result<std::string> send(http_client& client, std::uint64_t index, const slice_digests& digests) {
    file_slice body(file_.open.get(), plan_.begin(index), plan_.bytes(index), file_.path,
                    [&](std::int64_t bytes) { progress_.moved(bytes); });
    const std::string md5(digests.md5.begin(), digests.md5.end());
    header_list headers{{"Content-MD5", net::base64_encode(md5)}};
    if (upload_.with_crc64) headers.emplace_back("x-amz-checksum-crc64nvme", net::base64_encode(digests.crc64));
    const auto response = client.exchange({"PUT", part_target(to_, upload_.id, index + 1), headers}, &body);
    if (response && response->ok()) return etag_text(response->header("etag"));
    body.undo();
    if (!response) return response.error();
    return failure_of(*response, "storing part " + std::to_string(index + 1));
  }

  result<void> complete(http_client& client) {
    std::string whole;
    if (upload_.with_crc64) {
      whole = crc64_[0];
      for (std::uint64_t i = 1; i < plan_.count(); ++i)
        whole = *net::joined_checksum(net::checksum_kind::crc64nvme, whole, crc64_[i], plan_.bytes(i));
      whole = net::base64_encode(whole);
    }
    const auto etag = with_retries([&] { return complete_upload(client, to_, upload_, whole); });
    if (!etag) return etag.error();
    const auto composed = composed_etag(upload_.parts);
    if (composed && etag->ends_with("-" + std::to_string(upload_.parts.size())) && *etag != *composed)
      return error{errc::digest_mismatch, "sent parts with ETag " + *composed + ", the server made " + *etag};
    return {};
  }

  const source_file& file_;
  const object_path& to_;
  part_plan plan_;
  set_progress& progress_;
  open_upload upload_;
  part_map have_; // what the server had at the beginning
  std::mutex mutex_;
  std::vector<std::string> crc64_; // of the parts
};

} // namespace

result<void> upload_file_to(worker_pool& pool, http_client& client, const upload_order& order, set_progress& progress) {
  const auto file = look_at(order.file);
  if (!file) return file.error();
  auto outcome =
      goes_in_parts(file->size_bytes, order.part_bytes)
          ? parts_upload(*file, order.to, plan_parts(file->size_bytes, order.part_bytes), progress).run(pool, client)
          : upload_whole(client, *file, order.to, progress);
  if (outcome) outcome = check_unchanged(*file);
  return outcome;
}

} // namespace cairn::cli
