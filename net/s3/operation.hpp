// What an S3 request asks for, as the router tells it: the name under which it is allowed, dispatched and counted.
#pragma once

#include "base/metrics.hpp"

namespace cairn::net {

enum class http_operation : std::uint8_t {
  list_buckets,
  create_bucket,
  delete_bucket,
  head_bucket,
  list_objects,
  put_object,
  get_object,
  head_object,
  delete_object,
  delete_objects,
  read_setting,
  write_setting,
  copy_object,
  begin_upload,
  put_part,
  copy_part,
  list_parts,
  list_uploads,
  complete_upload,
  abort_upload,
  object_attributes,
  read_tags,
  write_tags,
  list_versions,
  options,
  unknown,
  count_
};
static_assert(std::size_t(http_operation::count_) <= storage::http_operations_max);

} // namespace cairn::net
