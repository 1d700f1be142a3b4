#include "net/s3/object_answer.hpp"

#include "net/s3/access.hpp"
#include "net/s3/body/body_checksums.hpp"
#include "net/s3/operations/encoded_words.hpp"
#include "net/s3/operations/multipart.hpp"
#include "net/s3/xml/object_lock_xml.hpp"
#include "net/wire/grammar/http_date.hpp"
#include "net/wire/grammar/ranges.hpp"
#include "storage/metadata/read/lifecycle_rules.hpp"

namespace cairn::net {

namespace {

using storage::metadata::object_row;

// "content-type" → "Content-Type", the usual spelling.
void append_capitalised(std::string& out, std::string_view name) {
  bool start = true;
  for (const char c : name) {
    out.push_back(start && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c);
    start = c == '-';
  }
}

void add_line(std::string& out, std::string_view value) {
  out += ": ";
  out += value;
  out += "\r\n";
}

struct answer_maker {
  const request& request_;
  const object_row& row;
  const storage::metadata::bucket_row* bucket; // may be null
  validators current;

  const std::string* override_of(std::string_view name) const {
    for (const auto& [header, value] : request_.overrides) {
      if (header == name) return &value;
    }
    return nullptr;
  }

  std::string content_type() const {
    if (const auto* chosen = override_of("content-type")) return *chosen;
    return row.headers.content_type.empty() ? "binary/octet-stream" : as_field_value(row.headers.content_type);
  }

  // As in S3, to who has the right to read them.
  void add_lock(std::string& out) const {
    using storage::policy::action;
    const auto& lock = row.extras.lock;
    if (lock.empty()) return;
    if (!date_text(lock.retained).empty() && shows(action::get_object_retention)) {
      out += lock_mode_header;
      add_line(out, mode_text(lock.retained.mode));
      out += lock_until_header;
      add_line(out, date_text(lock.retained));
    }
    if (!hold_text(lock.hold).empty() && shows(action::get_object_legal_hold)) {
      out += lock_hold_header;
      add_line(out, hold_text(lock.hold));
    }
  }
  bool shows(storage::policy::action a) const {
    if (bucket == nullptr || !request_.by.asked) return false;
    return judge(request_.by, a, request_.key.get(), *bucket, {request_.target.key, &row}).made ==
           storage::metadata::ruling::allowed;
  }

  head_builder head(unsigned status) const {
    head_builder builder{status, request_.basics};
    auto& out = builder.bytes();
    out += "ETag: \"";
    out += current.etag;
    out += "\"\r\nLast-Modified: ";
    append_http_date(out, current.modified);
    out += "\r\nAccept-Ranges: bytes\r\n";
    for (const auto& [name, value] : row.headers.standard) {
      if (override_of(name) || is_checksum_header(name)) continue;
      append_capitalised(out, name);
      add_line(out, as_field_value(value));
    }
    for (const auto& [name, value] : request_.overrides) {
      if (name == "content-type") continue; // each kind of answer places it itself
      append_capitalised(out, name);
      add_line(out, value);
    }
    if (!row.null_version || request_.version) {
      out += "x-amz-version-id";
      add_line(out, to_string(id_of(row)));
    }
    add_lock(out);
    if (!row.extras.tags.empty()) {
      out += "x-amz-tagging-count";
      add_line(out, std::to_string(row.extras.tags.size()));
    }
    if (bucket && !bucket->lifecycle.empty() && !request_.version) {
      out += expiry_line(storage::metadata::expiry_of(
          bucket->lifecycle,
          {.key = request_.target.key, .size = row.size, .modified = row.modified, .tags = row.extras.tags}));
    }
    if (row.etag.parts > 0 && request_.target.find("partNumber") != nullptr) {
      out += "x-amz-mp-parts-count";
      add_line(out, std::to_string(row.etag.parts));
    }
    for (const auto& [name, value] : row.headers.user) {
      out += "x-amz-meta-";
      out += name;
      add_line(out, as_encoded_words(value));
    }
    return builder;
  }

  // The checksum lines, if requested: of the whole object, or of the one part that is answered.
  std::string checksum_lines(const std::string* of_part = nullptr) const {
    std::string lines;
    if (!request_.wants_checksum) return lines;
    for (const auto& [name, value] : row.headers.standard) {
      if (!is_checksum_header(name) || (of_part && of_part->empty())) continue;
      lines.append(name).append(": ").append(of_part ? *of_part : value);
      lines.append("\r\nx-amz-checksum-type: ").append(checksum_type_of(value)).append("\r\n");
    }
    return lines;
  }

  std::string content_range(const selected_range& range) const {
    return "bytes " + std::to_string(range.offset) + '-' + std::to_string(range.offset + range.length - 1) + '/' +
           std::to_string(row.size);
  }

  object_answer refused(const s3_error& problem) const {
    const auto whole = error_answer(problem, request_.basics, request_.resource(), request_.head_only);
    const auto end = whole.find("\r\n\r\n") + 4;
    object_answer answer{problem.status, {whole.substr(0, end), {}}};
    if (end < whole.size()) answer.plan.body.emplace_back(whole.substr(end));
    return answer;
  }

  object_answer whole() const {
    auto builder = head(200);
    builder.lines(checksum_lines());
    builder.add("Content-Type", content_type()).add("Content-Length", row.size);
    object_answer answer{200, {builder.take(), {}}};
    if (!request_.head_only && row.size > 0) answer.plan.body.emplace_back(actors::byte_range{0, row.size});
    return answer;
  }

  object_answer one_range(const selected_range& range, const std::string& checksums = {}) const {
    auto builder = head(206);
    builder.lines(checksums);
    builder.add("Content-Type", content_type())
        .add("Content-Range", content_range(range))
        .add("Content-Length", range.length);
    object_answer answer{206, {builder.take(), {}}};
    if (!request_.head_only) answer.plan.body.emplace_back(actors::byte_range{range.offset, range.length});
    return answer;
  }

  // multipart/byteranges (RFC 9110 §14.6). The request id is random, so the boundary cannot be foreseen by an uploader.
  object_answer several_ranges(const std::vector<selected_range>& ranges) const {
    const std::string boundary = "cairn-" + request_.basics.request_id;
    object_answer answer{206, {}};
    std::uint64_t length = 0;
    for (const auto& range : ranges) {
      std::string part = "\r\n--" + boundary + "\r\nContent-Type: " + content_type() +
                         "\r\nContent-Range: " + content_range(range) + "\r\n\r\n";
      length += part.size() + range.length;
      answer.plan.body.emplace_back(std::move(part));
      answer.plan.body.emplace_back(actors::byte_range{range.offset, range.length});
    }
    std::string end = "\r\n--" + boundary + "--\r\n";
    length += end.size();
    answer.plan.body.emplace_back(std::move(end));
    if (request_.head_only) answer.plan.body.clear();
    auto builder = head(206);
    builder.add("Content-Type", "multipart/byteranges; boundary=" + boundary).add("Content-Length", length);
    answer.plan.head = builder.take();
    return answer;
  }

  object_answer by_range() const {
    const auto selection = select_ranges(*request_.range, row.size);
    switch (selection.kind) {
      case range_kind::whole: return whole();
      case range_kind::partial:
        return selection.ranges.size() == 1 ? one_range(selection.ranges.front()) : several_ranges(selection.ranges);
      case range_kind::unsatisfiable: break;
    }
    return refused({416, "InvalidRange", "None of the ranges lies within the object.",
                    "Content-Range: bytes */" + std::to_string(row.size) + "\r\n"});
  }
};

// An object that was uploaded as a whole is its own first part.
object_answer answer_part(const answer_maker& make) {
  const auto number = part_number_of(make.request_.target);
  if (const auto* refused = std::get_if<s3_error>(&number)) return make.refused(*refused);
  if (make.request_.range) return make.refused({400, "InvalidRequest", "Range and partNumber exclude each other."});
  const bool whole = make.row.etag.parts == 0 || make.row.size == 0;
  const s3_error missing{400, "InvalidPart", "The object has no part of this number."};
  if (whole && std::get<std::uint32_t>(number) > std::max(make.row.etag.parts, 1u)) return make.refused(missing);
  if (whole) return make.row.size == 0 ? make.whole() : make.one_range({0, make.row.size}, make.checksum_lines());
  const auto& part = make.request_.part;
  if (!part || part->version != make.row.version || part->ordinal != make.row.ordinal)
    return make.refused(s3_error_of(error{errc::stale_source}));
  if (!part->bytes) return make.refused(missing);
  return make.one_range({part->bytes->offset, part->bytes->length}, make.checksum_lines(&part->checksum));
}

} // namespace

object_answer answer_object(const request& request, const object_row& row,
                            const storage::metadata::bucket_row* bucket) {
  const answer_maker make{request, row, bucket, {to_string(row.etag), whole_seconds(row.modified)}};
  if (const auto refused = refused_object(request, bucket, &row)) return make.refused(*refused);
  switch (evaluate(request.conditions, make.current)) {
    case verdict::precondition_failed: return make.refused(s3_error_of(error{errc::precondition_failed}));
    case verdict::not_modified: return {304, {make.head(304).take(), {}}};
    case verdict::proceed: break;
  }
  if (request.target.find("partNumber") != nullptr) return answer_part(make);
  return request.range && range_applies(request.conditions, make.current) ? make.by_range() : make.whole();
}

} // namespace cairn::net
