// What a bucket's policy is asked about a request: its actions, and the values of condition keys. Pure.
#pragma once

#include "net/s3/request.hpp"

#include <memory>
#include <string_view>

namespace cairn::net {

struct sender_facts {
  std::string_view address; // of the client's socket
  bool encrypted = false;
  wall_ms now = 0;
  std::string_view region;
};

// Needs the request's target, route, conditions, form and, if it was signed, its signer. `head`: the fields of its
// head.
std::shared_ptr<const storage::metadata::asked_access>
describe_access(const request& request, const boost::beast::http::fields& head, const sender_facts& sender);

// The same request as another one about a listing with this prefix: whether its sender may learn that a key is missing.
storage::metadata::authority as_listing(const storage::metadata::authority& by, std::string_view prefix);
// The same request with these tags, which were in its body.
storage::metadata::authority with_request_tags(const storage::metadata::authority& by,
                                               const storage::policy::tag_pairs& tags);
// Of a copy that keeps its source's tags: it sets these on its destination.
storage::metadata::authority with_copied_tags(const storage::metadata::authority& by,
                                              const storage::policy::tag_pairs& tags);
// The same request with this lock, which was in its body.
storage::metadata::authority with_object_lock(const storage::metadata::authority& by,
                                              const storage::metadata::object_lock& lock);
// Of a multi-delete, which asks for the deletion of objects: the same for one of them, or for one of its versions.
storage::metadata::authority as_deletion(const storage::metadata::authority& by,
                                         const std::optional<storage::metadata::version_id>& version);

} // namespace cairn::net
