// Loading a dump of the metadata from arbitrary bytes: it is refused and nothing has changed, or what it says is there
// and can be dumped and loaded again. The fuzzer can't forge the checksums, so the input is tried as it is and once
// more with right ones put in.
#include "base/checksum.hpp"
#include "base/files/memory_file_system.hpp"
#include "storage/metadata/read/dump.hpp"
#include "storage/metadata/rows/tables.hpp"

#include <map>
#include <string>
#include <utility>

namespace {

using namespace cairn;
using namespace cairn::storage;
using namespace cairn::storage::metadata;

using rows = std::map<std::pair<table_id, std::string>, std::string>;
const std::string path = "/dump";
constexpr auto foreign = static_cast<table_id>(table::count_);

std::unique_ptr<kv_engine> some_engine() {
  auto engine = make_memory_kv(foreign + 1);
  const auto writer = engine->begin_write().value();
  for (table_id t = 1; t <= foreign; ++t) writer->put(t, std::string("\0\0row", 5), "value");
  const auto committed = writer->commit();
  CAIRN_ASSERT(committed);
  return engine;
}

rows contents(kv_engine& engine) {
  rows all;
  const auto reader = engine.begin_read().value();
  for (table_id t = 0; t <= foreign; ++t) {
    const auto cursor = reader->cursor(t);
    for (auto row = cursor->seek(""); row; row = cursor->next()) all[{t, std::string{row->key}}] = row->value;
  }
  return all;
}

void load(const std::string& bytes) {
  memory_file_system disk;
  {
    const auto file = disk.open(path, open_mode::create).value();
    const bytes_view content = std::as_bytes(std::span{bytes});
    const auto written = file->write(0, std::span{&content, 1});
    CAIRN_ASSERT(written);
  }
  const auto first = some_engine();
  const rows before = contents(*first);
  const auto loaded = load_dump(*first, disk, path);
  const rows after = contents(*first);
  if (!loaded) {
    CAIRN_ASSERT(after == before);
    return;
  }
  CAIRN_ASSERT(loaded->bytes == bytes.size());
  const auto written = write_dump(*first->begin_read().value(), loaded->header.group, disk, path);
  CAIRN_ASSERT(written);
  const auto second = some_engine();
  const auto again = load_dump(*second, disk, path);
  CAIRN_ASSERT(again && again->rows == loaded->rows);
  CAIRN_ASSERT(contents(*second) == after);
}

// The sums that the lengths ask for.
std::string with_sums(std::string bytes) {
  std::uint32_t sum = 0;
  const auto seal = [&](std::size_t from, std::size_t length) {
    if (from > bytes.size() || length + 4 > bytes.size() - from) return false;
    sum = crc32c(std::as_bytes(std::span{bytes}).subspan(from, length), sum);
    for (int i = 0; i < 4; ++i) bytes[from + length + i] = static_cast<char>(sum >> (24 - 8 * i));
    return true;
  };
  if (!seal(0, 20)) return bytes;
  for (std::size_t at = 24; at + 4 <= bytes.size();) {
    std::size_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | static_cast<unsigned char>(bytes[at + i]);
    const std::size_t covered = 4 + (length == 0 ? 16 : length);
    if (!seal(at, covered) || length == 0) break;
    at += covered + 4;
  }
  return bytes;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 16 * 1024) return 0;
  const std::string bytes{reinterpret_cast<const char*>(data), size};
  load(bytes);
  load(with_sums(bytes));
  return 0;
}
