// A text as a request's body.
#pragma once

#include "cli/client/http_client.hpp"

#include <algorithm>
#include <cstring>
#include <string>

namespace cairn::cli {

// Also without bytes: "Content-Length: 0", which servers want of a POST.
class text_body : public body_source {
public:
  explicit text_body(std::string text) : text_(std::move(text)) {}
  std::optional<std::uint64_t> length() const override { return text_.size(); }
  result<std::size_t> read(bytes_span into) override {
    const auto bytes = std::min(into.size(), text_.size() - done_);
    std::memcpy(into.data(), text_.data() + done_, bytes);
    done_ += bytes;
    return bytes;
  }

private:
  std::string text_;
  std::size_t done_ = 0;
};

} // namespace cairn::cli
