#include "cli/bench/bench_retrieve.hpp"

#include "actors/runtime/asio_scheduler.hpp"
#include "actors/runtime/io_shards.hpp"
#include "actors/runtime/storage_node.hpp"
#include "base/log.hpp"
#include "cli/client/command_support.hpp"

#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>

namespace cairn::cli {

namespace {

using steady = std::chrono::steady_clock;

constexpr auto bucket_name = "bench", key_name = "object";

// Each 64 KiB of the object begin with their number, so that the receiver sees lost, doubled and swapped ones.
void stamp(std::byte* bytes, std::uint64_t object_offset, std::size_t length) {
  for (std::size_t at = 0; at + 8 <= length; at += block_size_bytes) {
    const auto number = (object_offset + at) / block_size_bytes;
    std::memcpy(bytes + at, &number, sizeof number);
  }
}

bool stamped(const std::byte* bytes, std::uint64_t object_offset, std::size_t length) {
  const auto skip = (block_size_bytes - object_offset % block_size_bytes) % block_size_bytes;
  for (std::size_t at = skip; at + 8 <= length; at += block_size_bytes) {
    std::uint64_t number = 0;
    std::memcpy(&number, bytes + at, sizeof number);
    if (number != (object_offset + at) / block_size_bytes) return false;
  }
  return true;
}

// The end of an operation, waited for by the thread that started it.
class uploader : public actors::upload_client {
public:
  explicit uploader(std::uint64_t size_bytes) : left_(size_bytes) {}
  void started(actors::ingest_actor ingest) { ingest_.set_value(std::move(ingest)); }
  result<actors::put_outcome> wait() { return outcome_.get_future().get(); }

  void grant(buffer_ptr empty, std::uint32_t fill_bytes) override {
    const auto length = static_cast<std::uint32_t>(std::min<std::uint64_t>(left_, fill_bytes));
    if (length == 0) return;
    stamp(empty->data(), offset_, length);
    offset_ += length;
    left_ -= length;
    caf::anon_send(actor_.get(), actors::body_atom_v, slice{std::move(empty), 0, length});
    if (left_ == 0) caf::anon_send(actor_.get(), actors::body_end_atom_v, actors::body_end{});
  }
  void done(result<actors::put_outcome> outcome) override { outcome_.set_value(std::move(outcome)); }

private:
  std::uint64_t left_, offset_ = 0;
  std::promise<actors::ingest_actor> ingest_;
  std::shared_future<actors::ingest_actor> actor_ = ingest_.get_future().share();
  std::promise<result<actors::put_outcome>> outcome_;
};

class downloader : public actors::download_client {
public:
  explicit downloader(const buffer_pool& pool) : pool_(pool) {}
  void started(actors::streamer_actor streamer) { streamer_.set_value(std::move(streamer)); }
  result<void> wait() { return outcome_.get_future().get(); }
  std::uint64_t received() const { return received_; }
  std::size_t pool_peak() const { return pool_peak_; }

  actors::download_plan plan(const actors::found_object& object) override {
    return {{}, {actors::byte_range{0, object.row->size}}};
  }
  void fail(const error& reason) override { outcome_.set_value(reason); }
  void write(std::uint64_t number, std::string, slice bytes) override {
    pool_peak_ = std::max(pool_peak_, pool_.in_use_bytes());
    if (bytes.owner) {
      const auto view = bytes.view();
      in_order_ = in_order_ && stamped(view.data(), received_, view.size());
      received_ += view.size();
    }
    bytes = {}; // before the credit: its buffer is what the next read wants
    caf::anon_send(actor_.get(), actors::written_atom_v, number);
  }
  void finish() override {
    if (in_order_)
      outcome_.set_value({});
    else
      outcome_.set_value(error{errc::corrupt, "the download's bytes are not the stored ones"});
  }
  void abort(const error& reason) override { outcome_.set_value(reason); }

private:
  const buffer_pool& pool_;
  std::uint64_t received_ = 0;
  std::size_t pool_peak_ = 0;
  bool in_order_ = true;
  std::promise<actors::streamer_actor> streamer_;
  std::shared_future<actors::streamer_actor> actor_ = streamer_.get_future().share();
  std::promise<result<void>> outcome_;
};

result<void> store_object(const actors::services& services, std::uint64_t size_bytes) {
  std::promise<result<actors::committed>> made;
  auto command = std::make_shared<const storage::metadata::command>(
      storage::metadata::create_bucket{bucket_name, services.clock->wall()});
  actors::ask_metadata<actors::committed>(
      services, [&](result<actors::committed> answer) { made.set_value(std::move(answer)); }, actors::commit_atom_v,
      actors::command_box(std::move(command)));
  if (auto bucket = made.get_future().get(); !bucket) return bucket.error();
  auto client = std::make_shared<uploader>(size_bytes);
  actors::put_request request;
  request.bucket = bucket_name;
  request.key = key_name;
  request.length = size_bytes;
  client->started(actors::start_upload(services, std::move(request), client));
  if (auto stored = client->wait(); !stored) return stored.error();
  return {};
}

struct one_download {
  std::uint64_t ns = 0;
  std::size_t pool_peak_bytes = 0;
};

result<one_download> fetch_object(const actors::services& services, std::uint64_t size_bytes) {
  auto client = std::make_shared<downloader>(*services.buffers);
  const auto start = steady::now();
  client->started(actors::start_download(services, {bucket_name, key_name, true}, client));
  if (auto ended = client->wait(); !ended) return ended.error();
  const auto span = std::chrono::duration_cast<std::chrono::nanoseconds>(steady::now() - start);
  if (client->received() != size_bytes) return error{errc::corrupt, "the download has another length than the object"};
  return one_download{static_cast<std::uint64_t>(span.count()), client->pool_peak()};
}

std::int64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

result<retrieve_row> measure(const actors::services& services, const retrieve_shape& shape, std::uint32_t window,
                             std::chrono::microseconds delay) {
  auto with_window = services;
  with_window.window_min = with_window.window_max = window;
  const auto size = std::uint64_t{shape.chunks} * shape.chunk_size_bytes;
  retrieve_row row{window, delay};
  row.ideal_ns = (shape.chunks + window - 1) / window * static_cast<std::uint64_t>(delay.count()) * 1000;
  std::vector<std::uint64_t> times;
  const auto resident = resident_bytes();
  for (std::uint32_t i = 0; i < shape.repeat; ++i) {
    const auto download = fetch_object(with_window, size);
    if (!download) return download.error();
    times.push_back(download->ns);
    row.pool_peak_bytes = std::max<std::uint64_t>(row.pool_peak_bytes, download->pool_peak_bytes);
  }
  row.rss_delta_bytes = resident_bytes() - resident;
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2), times.end());
  row.median_ns = std::max<std::uint64_t>(times[times.size() / 2], 1);
  row.megabytes_per_second = static_cast<double>(size) * 1000 / static_cast<double>(row.median_ns);
  return row;
}

config::settings settings_for(const retrieve_shape& shape, const std::string& directory) {
  config::settings settings;
  const std::uint64_t buffer = std::bit_ceil(shape.chunk_size_bytes);
  const auto window = *std::max_element(shape.windows.begin(), shape.windows.end());
  settings.node.data_dir = directory;
  settings.storage.chunk_size.bytes = shape.chunk_size_bytes;
  settings.storage.segment_size.bytes = std::max<std::uint64_t>(64ull << 20, 16 * buffer);
  settings.storage.reserve.bytes = 1 << 20;
  // Growth stops at half of the budget: it must not be what limits the window.
  settings.limits.memory.bytes = std::max<std::uint64_t>(64ull << 20, 3 * buffer * (window + 1));
  return settings;
}

result<std::vector<retrieve_row>> measure_all(actors::storage_node& node, config::settings settings,
                                              const retrieve_shape& shape) {
  const auto size = std::uint64_t{shape.chunks} * shape.chunk_size_bytes;
  if (auto stored = store_object(node.handles(), size); !stored) return stored.error();
  std::vector<retrieve_row> rows;
  for (const auto delay : {shape.read_delay, std::chrono::microseconds{0}}) {
    settings.debug.read_delay = delay;
    node.apply(settings);
    if (auto warmed = fetch_object(node.handles(), size); !warmed) return warmed.error();
    for (const auto window : shape.windows) {
      const auto row = measure(node.handles(), shape, window, delay);
      if (!row) return row.error();
      rows.push_back(*row);
    }
    if (delay.count() == 0) break;
  }
  return rows;
}

} // namespace

result<std::vector<retrieve_row>> run_retrieve(const retrieve_shape& shape) {
  std::error_code failed;
  const auto parent = shape.directory.empty() ? std::filesystem::temp_directory_path(failed).string() : shape.directory;
  std::string directory = parent + "/cairn-bench-XXXXXX";
  if (failed || ::mkdtemp(directory.data()) == nullptr) return system_failure("making " + directory);
  const auto settings = settings_for(shape, directory);
  log::set_up(log::level::error, false);

  result<std::vector<retrieve_row>> rows = std::vector<retrieve_row>{};
  actors::io_shards shards(settings.node.shards, settings.node.threads);
  shards.start();
  {
    actors::node_actor_config actor_config(shards.contexts());
    caf::actor_system system(actor_config);
    node_metrics metrics;
    auto node = actors::storage_node::open(settings, system, metrics, shards.contexts());
    if (node) {
      rows = measure_all(**node, settings, shape);
      (*node)->stop();
    } else {
      rows = node.error();
    }
  }
  shards.stop();
  std::filesystem::remove_all(directory, failed);
  if (failed && rows) return error{errc::io_error, "removing " + directory + ": " + failed.message()};
  return rows;
}

} // namespace cairn::cli
