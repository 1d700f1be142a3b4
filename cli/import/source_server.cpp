#include "cli/import/source_server.hpp"

#include <algorithm>

namespace cairn::cli {

error of_source(const error& failure) {
  return {failure.code, "the source, " + failure.text};
}

result<std::string> virtual_host_url(const std::string& url, const std::string& bucket) {
  const auto address = parse_server_address(url);
  if (!address) return address.error();
  const bool numeric = address->host.find(':') != std::string::npos ||
                       address->host.find_first_not_of("0123456789.") == std::string::npos;
  if (numeric)
    return error{errc::invalid_argument, "\"" + url + "\" has a numeric address, which takes no bucket in front of it"};
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string::npos ? 0 : scheme + 3;
  return url.substr(0, begin) + bucket + "." + url.substr(begin);
}

std::string source_server::target(const object_path& path, const query& parameters) const {
  auto out = target_of(path.bucket, parameters);
  const auto in_bucket = percent_encode(path.bucket, false).size() + 1;
  const auto rest = out.substr(in_bucket);
  out = virtual_hosted_ ? "/" : out.substr(0, in_bucket) + (path.key.empty() ? "" : "/");
  return out + percent_encode(path.key, true) + rest;
}

source_server::lease::~lease() {
  if (client_) owner_->give_back(bucket_, std::move(client_));
}

result<source_server::lease> source_server::take(const std::string& bucket) {
  const auto host = host_bucket(bucket);
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(idle_, host, &idle_client::host_bucket);
    if (found != idle_.end()) {
      auto client = std::move(found->client);
      idle_.erase(found);
      return lease(*this, bucket, std::move(client));
    }
  }
  auto endpoint = endpoint_;
  if (!host.empty()) {
    auto url = virtual_host_url(endpoint.url, host);
    if (!url) return url.error();
    endpoint.url = std::move(*url);
  }
  auto client = client_for(endpoint);
  if (!client) return client.error();
  return lease(*this, bucket, std::move(*client));
}

void source_server::give_back(const std::string& bucket, std::unique_ptr<http_client> client) {
  const std::lock_guard lock(mutex_);
  if (idle_.size() >= idle_clients_max) idle_.erase(idle_.begin());
  idle_.push_back({host_bucket(bucket), std::move(client)});
}

} // namespace cairn::cli
