// The S3 server that is imported from: how its buckets are addressed, and connections that threads take turns with.
// With virtual-hosted addressing a bucket's name is part of the host ("files.s3.example.com"), else of the path.
// Thread-safe.
#pragma once

#include "cli/client/command_support.hpp"
#include "cli/client/object_path.hpp"

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace cairn::cli {

class source_server {
public:
  source_server(s3_endpoint endpoint, bool virtual_hosted)
      : endpoint_(std::move(endpoint)), virtual_hosted_(virtual_hosted) {}

  using query = std::vector<std::pair<std::string, std::string>>;
  // Of a bucket (empty key) or an object.
  std::string target(const object_path& path, const query& parameters = {}) const;

  // A client for requests about this bucket (empty: about none), given back when it is destroyed.
  class lease {
  public:
    lease(source_server& owner, std::string bucket, std::unique_ptr<http_client> client)
        : owner_(&owner), bucket_(std::move(bucket)), client_(std::move(client)) {}
    lease(lease&&) = default;
    lease& operator=(lease&&) = delete;
    ~lease();
    http_client& operator*() const { return *client_; }
    http_client* operator->() const { return client_.get(); }

  private:
    source_server* owner_;
    std::string bucket_;
    std::unique_ptr<http_client> client_;
  };
  result<lease> take(const std::string& bucket);

private:
  struct idle_client {
    std::string host_bucket;
    std::unique_ptr<http_client> client;
  };
  std::string host_bucket(const std::string& bucket) const { return virtual_hosted_ ? bucket : std::string{}; }
  void give_back(const std::string& bucket, std::unique_ptr<http_client> client);

  static constexpr std::size_t idle_clients_max = 128;
  s3_endpoint endpoint_;
  bool virtual_hosted_;
  std::mutex mutex_;
  std::vector<idle_client> idle_;
};

// Says which of the two servers it was that could not be reached.
error of_source(const error& failure);

// "http://s3.example.com:9000", "files" → "http://files.s3.example.com:9000". invalid_argument for numeric addresses.
result<std::string> virtual_host_url(const std::string& url, const std::string& bucket);

} // namespace cairn::cli
