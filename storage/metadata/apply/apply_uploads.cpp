#include "storage/metadata/apply/apply.hpp"
#include "storage/metadata/rows/names.hpp"

#include <algorithm>
#include <utility>

namespace cairn::storage::metadata {

namespace {

std::string name_of(const std::string& key, upload_id id) {
  return byte_writer{key.size() + 9}.raw(key).u8(0).u64(id).take();
}

bool valid_number(std::uint32_t number) {
  return number >= 1 && number <= part_number_max;
}

// Checks of a part that need no row.
std::optional<error> malformed_part(const put_part& c) {
  if (!valid_number(c.number)) return error{errc::invalid_argument, "part numbers go from 1 to 10,000"};
  if (const auto* bytes = std::get_if<std::string>(&c.content)) {
    if (!bytes->empty() || c.size != 0) return error{errc::invalid_argument, "the bytes of a part are a blob"};
    return std::nullopt;
  }
  const auto& written = std::get<written_blob>(c.content);
  if (written.blob.session != c.stamp.session) return error{errc::invalid_argument, "blob of another session"};
  if (written.length != c.size || c.size == 0) return error{errc::invalid_argument, "size differs from the blob's"};
  const auto chunks = chunks_of(written.length, written.chunk_size);
  if (!chunks) return error{errc::invalid_argument, "bad chunk size"};
  return malformed(written.unconfirmed, *chunks);
}

std::optional<error> malformed_choice(const complete_upload& c) {
  if (c.parts.empty() || c.parts.size() > part_number_max || c.etag.parts != c.parts.size())
    return error{errc::invalid_argument, "an upload has 1 to 10,000 parts"};
  for (std::size_t i = 1; i < c.parts.size(); ++i)
    if (c.parts[i - 1].number >= c.parts[i].number) return error{errc::invalid_part_order};
  return std::nullopt;
}

} // namespace

command_result command_applier::run(const begin_upload& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  const auto admitted_to = admitted(c.by, c.bucket, c.key);
  std::optional<error> refused;
  if (!valid_key(c.key)) refused = error{errc::invalid_argument, "not a valid key"};
  if (!refused && !admitted_to) refused = admitted_to.error();
  if (!refused) refused = malformed_list(c.extras.grants);
  object_extras extras;
  if (!refused) extras = with_owner(c.by, **admitted_to, c.key, c.extras);
  if (!refused) refused = forbidden_list(**admitted_to, extras);
  if (!refused) refused = unlockable(**admitted_to, extras);
  if (refused) return remember(c.stamp, {.refused = std::move(refused)});
  const bucket_row* const bucket = *admitted_to;
  const upload_row row{.id = b_.new_id(),
                       .nonce = c.nonce,
                       .bucket = bucket->id,
                       .key = c.key,
                       .begun = c.now,
                       .headers = c.headers,
                       .extras = std::move(extras),
                       .checksum = c.checksum,
                       .type = c.type,
                       .by_anybody = c.by.by == allowed_by::anybody};
  b_.put(table::uploads, b_.keys.upload(row.id), encode(row));
  const auto named = b_.tree(table::upload_names, bucket->id).put(b_.kv, name_of(c.key, row.id), presence, [&] {
    return b_.new_id();
  });
  if (!named) b_.fail(named.error());
  return remember(c.stamp, {.version = row.id});
}

result<upload_row> command_applier::find_upload(const authority& by, const upload_name& name) {
  const auto bucket = admitted(by, name.bucket, name.key);
  if (!bucket) return bucket.error();
  auto row = b_.load<upload_row>(table::uploads, b_.keys.upload(name.id), decode_upload);
  if (!row || row->nonce != name.nonce || row->bucket != (*bucket)->id || row->key != name.key)
    return error{errc::no_such_upload};
  if (by.by == allowed_by::anybody && !row->by_anybody)
    return error{errc::access_denied, "Nobody but those who may write to the bucket may go on with this upload."};
  return std::move(*row);
}

// Removes the upload; its remaining parts are queued to be freed in steps.
void command_applier::close_upload(const bucket_row& bucket, const upload_row& upload) {
  const std::string key = b_.keys.upload(upload.id);
  b_.erase(table::uploads, key);
  b_.unwrap(b_.tree(table::upload_names, bucket.id).erase(b_.kv, name_of(upload.key, upload.id)));
  const auto cursor = b_.kv.cursor(id_of(table::uploads));
  const auto left = cursor->seek(key);
  if (left && left->key.starts_with(key)) b_.queue_to_free(free_kind::upload, upload.id);
}

command_result command_applier::run(const abort_upload& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  const auto upload = find_upload(c.by, c.upload);
  if (!upload) return remember(c.stamp, {.refused = upload.error()});
  close_upload(*b_.bucket(c.upload.bucket), *upload);
  return remember(c.stamp, {.version = b_.index()});
}

std::optional<uploaded_part> command_applier::find_part(upload_id id, std::uint32_t number) {
  return b_.load<uploaded_part>(table::uploads, b_.keys.upload_part(id, number), decode_uploaded_part);
}

void command_applier::replace_part(upload_id id, const uploaded_part& part) {
  const auto before = find_part(id, part.number);
  b_.put(table::uploads, b_.keys.upload_part(id, part.number), encode(part));
  if (!before) return;
  for (const part_piece& piece : before->pieces) blobs_.release_blob(piece.blob);
}

std::optional<error> command_applier::add_part(const put_part& c) {
  if (auto bad = malformed_part(c)) return bad;
  const auto* const written = std::get_if<written_blob>(&c.content);
  if (written != nullptr)
    if (auto why = unusable(*written)) return why;
  const auto upload = find_upload(c.by, c.upload);
  if (!upload) return upload.error();
  if (c.source)
    if (const auto source = find_version(c.by, *c.source); !source) return source.error();
  uploaded_part part{.number = c.number,
                     .length = c.size,
                     .digest = c.digest,
                     .modified = c.now,
                     .checksum_name = c.checksum_name,
                     .checksum = c.checksum};
  if (written != nullptr) {
    blobs_.add_blob(with_possible_owners(*written));
    part.pieces.push_back({.blob = written->blob, .length = written->length, .chunk_size = written->chunk_size});
  }
  replace_part(upload->id, part);
  return std::nullopt;
}

command_result command_applier::run(const put_part& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) {
    if (may_bury) bury_content(c.stamp, c.content);
    return *answer;
  }
  if (auto refused = add_part(c)) {
    bury_content(c.stamp, c.content);
    return remember(c.stamp, {.refused = std::move(refused)});
  }
  return remember(c.stamp, {.version = b_.index()});
}

// The pieces of the source that make up the range. Their references are not yet counted.
result<uploaded_part> command_applier::shared_part(const copy_part& c) {
  const auto source = find_version(c.by, c.source);
  if (!source) return source.error();
  if (c.offset > source->size || c.length > source->size - c.offset || c.length == 0)
    return error{errc::invalid_argument, "the range lies outside of the source"};
  if (source->content != content_kind::manifest)
    return error{errc::unsupported, "Copying bytes that lie in the object's row"};
  const auto manifest = b_.load<manifest_row>(table::manifests, b_.keys.manifest(source->manifest), decode_manifest)
                            .value_or(manifest_row{});
  uploaded_part part{.number = c.number,
                     .length = c.length,
                     .digest = c.digest,
                     .modified = c.now,
                     .checksum_name = c.checksum_name,
                     .checksum = c.checksum};
  const auto load = [&](std::uint32_t index) {
    return b_.load<manifest_part>(table::manifests, b_.keys.part(source->manifest, index), decode_manifest_part);
  };
  std::uint32_t low = 1, high = std::max(manifest.parts, 1u); // finds the last part that begins at or before the offset
  while (low < high) {
    const std::uint32_t middle = low + (high - low + 1) / 2;
    const auto probe = load(middle);
    if (probe && probe->object_offset <= c.offset)
      low = middle;
    else
      high = middle - 1;
  }
  for (std::uint32_t index = low; index <= manifest.parts; ++index) {
    const auto from = load(index);
    if (!from || from->object_offset >= c.offset + c.length) break;
    const std::uint64_t begin = std::max(c.offset, from->object_offset);
    const std::uint64_t end = std::min(c.offset + c.length, from->object_offset + from->length);
    if (begin >= end) continue;
    if (part.pieces.size() == part_pieces_max)
      return error{errc::too_large, "The range has too many parts to be copied"};
    part.pieces.push_back({.blob = from->blob,
                           .blob_offset = from->blob_offset + (begin - from->object_offset),
                           .length = end - begin,
                           .chunk_size = from->chunk_size});
  }
  if (auto good = b_.status(); !good) return good.error();
  std::uint64_t covered = 0;
  for (const part_piece& piece : part.pieces) covered += piece.length;
  if (covered != c.length) return error{errc::corrupt, "the source's manifest does not cover it"};
  return part;
}

command_result command_applier::run(const copy_part& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  if (!valid_number(c.number))
    return remember(c.stamp, {.refused = error{errc::invalid_argument, "part numbers go from 1 to 10,000"}});
  const auto upload = find_upload(c.by, c.upload);
  if (!upload) return remember(c.stamp, {.refused = upload.error()});
  const auto part = shared_part(c);
  if (!part) return remember(c.stamp, {.refused = part.error()});
  for (const part_piece& piece : part->pieces) blobs_.share_blob(piece.blob);
  replace_part(upload->id, *part);
  return remember(c.stamp, {.version = b_.index()});
}

result<std::vector<manifest_part>> command_applier::take_parts(const complete_upload& c, std::uint64_t& size) {
  std::vector<manifest_part> parts;
  parts.reserve(c.parts.size());
  for (const chosen_part& chosen : c.parts) {
    const auto part = find_part(c.upload.id, chosen.number);
    if (!part || part->digest != chosen.digest)
      return error{errc::invalid_part, "Part " + std::to_string(chosen.number) + " is not there, or has another ETag."};
    if (part->length < part_bytes_min && &chosen != &c.parts.back())
      return error{errc::part_too_small,
                   "Part " + std::to_string(chosen.number) + " has less than 5 MiB and is not the last."};
    std::string checksum = c.part_checksums ? part->checksum : std::string{};
    for (const part_piece& piece : part->pieces) {
      parts.push_back({.number = part->number,
                       .blob = piece.blob,
                       .object_offset = size,
                       .blob_offset = piece.blob_offset,
                       .length = piece.length,
                       .chunk_size = piece.chunk_size,
                       .checksum = part->digest,
                       .part_checksum = std::exchange(checksum, {})});
      size += piece.length;
    }
  }
  return parts;
}

// The settings were allowed when the upload began, perhaps to another key and long ago.
std::optional<error> command_applier::forbidden_settings(const complete_upload& c, const bucket_row& bucket,
                                                         const upload_row& upload,
                                                         const std::optional<object_row>& present) {
  const object_extras& set = upload.extras;
  const bool publishes = set.has_list() && b_.has_effects_of(feature_level_of_judged_uploads);
  if (publishes)
    if (auto refused = forbidden_list(bucket, set)) return refused;
  const judged_object object{c.upload.key, present ? &*present : nullptr, !present};
  const access_key_row* const signer = b_.sender(c.by);
  if (b_.has_effects_of(feature_level_of_judged_settings)) return settings_lapsed(c.by, signer, bucket, object, set);
  return publishes ? publication_lapsed(c.by, signer, bucket, object) : std::nullopt;
}

std::optional<error> command_applier::complete(const complete_upload& c) {
  auto upload = find_upload(c.by, c.upload);
  if (!upload) return upload.error();
  if (auto bad = malformed_choice(c)) return bad;
  const bucket_row& bucket = *b_.bucket(c.upload.bucket);
  if (bucket.ownership == ownership::enforced) { // since the upload began
    upload->extras.owner.clear();
    settle_list(upload->extras);
  }
  const auto present = versions_.live(bucket, c.upload.key);
  if (auto refused = forbidden_settings(c, bucket, *upload, present)) return refused;
  if (auto refused = unmet(c.condition, present)) return refused;
  object_extras extras = upload->extras;
  if (auto refused = lock_new(bucket, extras, c.now)) return refused;
  std::uint64_t size = 0;
  const auto parts = take_parts(c, size);
  if (!parts) return parts.error();
  if (auto refused = above_quota(bucket, c.upload.key, size, present)) return refused;
  object_row row{.row_id = versions_.row_id(bucket, c.upload.key, present),
                 .version = b_.index(),
                 .ordinal = ordinal_,
                 .size = size,
                 .etag = c.etag,
                 .modified = c.now,
                 .headers = upload->headers,
                 .content = content_kind::inline_bytes,
                 .extras = std::move(extras)};
  if (b_.has_effects_of(feature_level_of_upload_origins)) row.origin = upload_origin{upload->id, upload->nonce};
  row.headers.standard.insert(row.headers.standard.end(), c.checksums.begin(), c.checksums.end());
  if (parts->empty()) { // the only part has no bytes
    b_.put(table::inline_data, b_.keys.inline_data(row), {});
  } else {
    row.content = content_kind::manifest;
    row.manifest = blobs_.add_manifest(*parts);
  }
  for (const chosen_part& chosen : c.parts) b_.erase(table::uploads, b_.keys.upload_part(upload->id, chosen.number));
  close_upload(bucket, *upload);
  versions_.put(bucket, c.upload.key, row, present);
  return std::nullopt;
}

command_result command_applier::run(const complete_upload& c) {
  bool may_bury = false;
  if (auto answer = answered(c.stamp, may_bury)) return *answer;
  if (auto refused = complete(c)) return remember(c.stamp, {.refused = std::move(refused)});
  return remember(c.stamp, made(*b_.bucket(c.upload.bucket)));
}

} // namespace cairn::storage::metadata
