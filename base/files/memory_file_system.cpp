#include "base/files/memory_file_system.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

namespace cairn {

namespace {

constexpr std::size_t page_size = 4096, sector_size = 512;
using page = std::array<std::byte, page_size>;
using page_map = std::map<std::uint64_t, std::shared_ptr<const page>>; // absent: zeros

std::string normalized(const std::string& path) {
  auto text = std::filesystem::path{path}.lexically_normal().string();
  if (text.size() > 1 && text.back() == '/') text.pop_back();
  return text.empty() ? "." : text;
}
std::string parent_of(const std::string& path) {
  return normalized(std::filesystem::path{path}.parent_path().string());
}
std::string name_of(const std::string& path) {
  return std::filesystem::path{path}.filename().string();
}

std::shared_ptr<const page> torn(const page_map& old_pages, const page_map& new_pages, std::uint64_t number,
                                 random_source& random) {
  const auto content = [number](const page_map& pages) {
    const auto at = pages.find(number);
    return at == pages.end() ? page{} : *at->second;
  };
  const auto before = content(old_pages), after = content(new_pages);
  auto mixed = std::make_shared<page>(before);
  const auto sectors = random.next();
  for (std::size_t i = 0; i < page_size / sector_size; ++i)
    if (sectors >> i & 1) std::memcpy(mixed->data() + i * sector_size, after.data() + i * sector_size, sector_size);
  return mixed;
}

} // namespace

struct memory_file_system::inode {
  page_map now, durable;
  std::set<std::uint64_t> unflushed; // pages that may differ
  std::uint64_t size = 0, durable_size = 0;
  std::vector<bool> allocated; // pages that occupy space
  std::shared_ptr<std::uint64_t> used_pages;

  ~inode() { release(0, allocated.size()); }
  void release(std::uint64_t from, std::uint64_t to) {
    for (auto i = from; i < std::min<std::uint64_t>(to, allocated.size()); ++i)
      if (allocated[i]) {
        allocated[i] = false;
        --*used_pages;
      }
  }
  void drop_pages(std::uint64_t from, std::uint64_t to) {
    for (auto at = now.lower_bound(from); at != now.end() && at->first < to; at = now.erase(at))
      unflushed.insert(at->first);
    release(from, to);
  }
  // Zeros of [from, to) within one page.
  void clear(std::uint64_t from, std::uint64_t to) {
    const auto at = now.find(from / page_size);
    if (from == to || at == now.end()) return;
    auto fresh = std::make_shared<page>(*at->second);
    std::memset(fresh->data() + from % page_size, 0, to - from);
    at->second = std::move(fresh);
    unflushed.insert(from / page_size);
  }
  void cut(std::uint64_t new_size) {
    const auto kept = (new_size + page_size - 1) / page_size;
    drop_pages(kept, std::max<std::uint64_t>(allocated.size(), now.empty() ? 0 : now.rbegin()->first + 1));
    clear(new_size, kept * page_size);
    size = new_size;
  }
  void flush() {
    for (const auto number : unflushed) {
      const auto at = now.find(number);
      if (at == now.end())
        durable.erase(number);
      else
        durable[number] = at->second;
    }
    unflushed.clear();
    durable_size = size;
  }
  void crash(random_source& random) {
    if (random.next() % 2 == 0) size = durable_size;
    for (const auto number : unflushed) {
      const auto fate = random.next() % 3;
      if (fate == 0) continue; // the new page survives
      const auto old = durable.find(number);
      if (fate == 2)
        now[number] = torn(durable, now, number, random);
      else if (old == durable.end())
        now.erase(number);
      else
        now[number] = old->second;
    }
    cut(size);
    allocated.resize(std::max<std::uint64_t>(allocated.size(), (size + page_size - 1) / page_size));
    for (const auto& [number, content] : now)
      if (!allocated[number]) {
        allocated[number] = true;
        ++*used_pages;
      }
    flush();
  }
};

class memory_file final : public file {
public:
  memory_file(memory_file_system& disk, memory_file_system::inode_ptr node, std::string path, open_mode mode)
      : disk_(disk),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(mode == open_mode::read_write || mode == open_mode::create || mode == open_mode::append),
        appends_(mode == open_mode::append),
        direct_(mode == open_mode::read_direct),
        life_(disk.life_) {}
  ~memory_file() override {
    const std::lock_guard guard{disk_.mutex_}; // the last handle of an unlinked file frees its space
    node_.reset();
  }

  result<void> write(std::uint64_t offset, std::span<const bytes_view> data) override {
    const std::lock_guard guard{disk_.mutex_};
    if (auto e = check(disk_operation::write)) return *e;
    if (!writable_) return error{errc::io_error, path_ + " is open read-only"};
    std::uint64_t bytes = 0;
    for (const auto part : data) bytes += part.size();
    if (bytes == 0) return {};
    if (appends_) offset = node_->size;
    if (auto fits = disk_.reserve_pages(*node_, offset / page_size, (offset + bytes + page_size - 1) / page_size);
        !fits)
      return fits;
    for (const auto part : data) {
      put(offset, part);
      offset += part.size();
    }
    node_->size = std::max(node_->size, offset);
    return {};
  }

  result<std::size_t> read(std::uint64_t offset, std::span<const bytes_span> into) override {
    return read_as(disk_operation::read, offset, into);
  }
  result<std::size_t> read_cached(std::uint64_t offset, std::span<const bytes_span> into) override {
    return read_as(disk_operation::read_cached, offset, into);
  }

  result<void> flush() override {
    const std::lock_guard guard{disk_.mutex_};
    if (auto e = check(disk_operation::flush)) return *e;
    if (!appends_ && !disk_.is_linked(path_, node_)) return error{errc::io_error, path_ + ": the file was deleted"};
    node_->flush();
    ++disk_.flushes_;
    return {};
  }

  result<void> preallocate(std::uint64_t size) override {
    const std::lock_guard guard{disk_.mutex_};
    if (auto e = check(disk_operation::preallocate)) return *e;
    if (auto fits = disk_.reserve_pages(*node_, 0, (size + page_size - 1) / page_size); !fits) return fits;
    node_->size = std::max(node_->size, size);
    return {};
  }

  result<void> punch(std::uint64_t offset, std::uint64_t length) override {
    const std::lock_guard guard{disk_.mutex_};
    if (auto e = check(disk_operation::punch)) return *e;
    const auto end = offset + length;
    const auto first_whole = (offset + page_size - 1) / page_size, last_whole = end / page_size;
    if (first_whole > last_whole) {
      node_->clear(offset, end);
      return {};
    }
    node_->clear(offset, first_whole * page_size);
    node_->clear(last_whole * page_size, end);
    node_->drop_pages(first_whole, last_whole);
    return {};
  }

  result<void> truncate(std::uint64_t size) override {
    const std::lock_guard guard{disk_.mutex_};
    if (auto e = check(disk_operation::truncate)) return *e;
    node_->cut(size);
    return {};
  }

  result<std::uint64_t> size() const override {
    const std::lock_guard guard{disk_.mutex_};
    if (life_ != disk_.life_) return error{errc::io_error, path_ + ": the disk crashed"};
    return node_->size;
  }

private:
  std::optional<error> check(disk_operation operation) const {
    if (life_ != disk_.life_) return error{errc::io_error, path_ + ": the disk crashed"};
    return disk_.check(operation, path_);
  }

  void put(std::uint64_t offset, bytes_view data) {
    while (!data.empty()) {
      const auto within = offset % page_size;
      const auto step = std::min<std::uint64_t>(page_size - within, data.size());
      auto& slot = node_->now[offset / page_size];
      auto fresh = slot ? std::make_shared<page>(*slot) : std::make_shared<page>();
      std::memcpy(fresh->data() + within, data.data(), step);
      slot = std::move(fresh);
      node_->unflushed.insert(offset / page_size);
      data = data.subspan(step);
      offset += step;
    }
  }

  // As O_DIRECT demands it.
  static void assert_whole_pages(std::uint64_t offset, std::span<const bytes_span> into) {
    CAIRN_ASSERT(offset % page_size == 0);
    for (const auto part : into)
      CAIRN_ASSERT((reinterpret_cast<std::uintptr_t>(part.data()) | part.size()) % page_size == 0 || part.empty());
  }

  result<std::size_t> read_as(disk_operation operation, std::uint64_t offset, std::span<const bytes_span> into) {
    const std::lock_guard guard{disk_.mutex_};
    if (auto e = check(operation)) return *e;
    if (direct_) assert_whole_pages(offset, into);
    std::size_t done = 0;
    for (auto part : into)
      while (!part.empty() && offset < node_->size) {
        const auto within = offset % page_size;
        const auto step = std::min<std::uint64_t>({page_size - within, part.size(), node_->size - offset});
        const auto at = node_->now.find(offset / page_size);
        if (at == node_->now.end())
          std::memset(part.data(), 0, step);
        else
          std::memcpy(part.data(), at->second->data() + within, step);
        part = part.subspan(step);
        offset += step;
        done += step;
      }
    return done;
  }

  memory_file_system& disk_;
  memory_file_system::inode_ptr node_;
  const std::string path_;
  const bool writable_, appends_, direct_;
  const std::uint64_t life_;
};

memory_file_system::memory_file_system(std::uint64_t capacity_bytes) : capacity_pages_(capacity_bytes / page_size) {
  directories_["/"];
  directories_["."];
}

memory_file_system::~memory_file_system() = default;

void memory_file_system::set_fault(fault f) {
  const std::lock_guard guard{mutex_};
  fault_ = std::move(f);
}

std::unique_ptr<memory_file_system> memory_file_system::image() const {
  const std::lock_guard guard{mutex_};
  auto copy = std::make_unique<memory_file_system>(capacity_pages_ * page_size);
  std::map<const inode*, inode_ptr> copied; // a file may have several names
  for (const auto& [path, from] : directories_) {
    auto& to = copy->directories_[path];
    for (const auto& [name, node] : from.now) {
      auto& fresh = copied[node.get()];
      if (!fresh) {
        fresh = std::make_shared<inode>(*node);
        fresh->used_pages = copy->used_pages_;
        *copy->used_pages_ += std::uint64_t(std::ranges::count(fresh->allocated, true));
        fresh->flush();
      }
      to.now[name] = fresh;
    }
    to.durable = to.now;
  }
  return copy;
}

std::optional<error> memory_file_system::check(disk_operation operation, const std::string& path) const {
  return fault_ ? fault_(operation, path) : std::nullopt;
}

memory_file_system::directory* memory_file_system::find_directory(const std::string& path) {
  const auto at = directories_.find(path);
  return at == directories_.end() ? nullptr : &at->second;
}

memory_file_system::inode_ptr memory_file_system::find(const std::string& path) {
  const auto* where = find_directory(parent_of(path));
  if (where == nullptr) return nullptr;
  const auto at = where->now.find(name_of(path));
  return at == where->now.end() ? nullptr : at->second;
}

bool memory_file_system::is_linked(const std::string& path, const inode_ptr& node) {
  if (find(path) == node) return true; // else it was renamed, or deleted
  return std::ranges::any_of(directories_, [&](const auto& d) {
    return std::ranges::any_of(d.second.now, [&](const auto& link) { return link.second == node; });
  });
}

void memory_file_system::apply(std::map<std::string, inode_ptr>& names, const change& c) {
  if (!c.removed.empty()) names.erase(c.removed);
  if (!c.added.empty()) names[c.added] = c.node;
}

void memory_file_system::change_directory(directory& where, change c) {
  apply(where.now, c);
  where.unflushed.push_back(std::move(c));
}

result<void> memory_file_system::reserve_pages(inode& node, std::uint64_t from, std::uint64_t to) {
  std::uint64_t missing = 0;
  for (auto i = from; i < to; ++i)
    if (i >= node.allocated.size() || !node.allocated[i]) ++missing;
  if (*used_pages_ + missing > capacity_pages_) return error{errc::no_space, "memory disk is full"};
  if (node.allocated.size() < to) node.allocated.resize(to);
  std::fill(node.allocated.begin() + static_cast<std::ptrdiff_t>(from),
            node.allocated.begin() + static_cast<std::ptrdiff_t>(to), true);
  *used_pages_ += missing;
  return {};
}

void memory_file_system::crash(random_source& random) {
  const std::lock_guard guard{mutex_};
  ++life_;
  locks_.clear();
  for (auto& [path, where] : directories_) {
    auto survivors = where.unflushed.size();
    if (survivors > 0) survivors = random.next() % (survivors + 1);
    for (std::size_t i = 0; i < survivors; ++i) apply(where.durable, where.unflushed[i]);
    where.unflushed.clear();
    where.now = where.durable;
    for (auto& [name, node] : where.now) node->crash(random);
  }
}

void memory_file_system::flip_bit(const std::string& path, std::uint64_t bit) {
  const std::lock_guard guard{mutex_};
  const auto node = find(normalized(path));
  CAIRN_ASSERT(node && bit / 8 < node->size);
  for (auto* pages : {&node->now, &node->durable}) {
    auto& slot = (*pages)[bit / 8 / page_size];
    auto fresh = slot ? std::make_shared<page>(*slot) : std::make_shared<page>();
    (*fresh)[bit / 8 % page_size] ^= std::byte{1} << (bit % 8);
    slot = std::move(fresh);
  }
}

std::uint64_t memory_file_system::used_bytes() const {
  const std::lock_guard guard{mutex_};
  return *used_pages_ * page_size;
}

std::uint64_t memory_file_system::flushes() const {
  const std::lock_guard guard{mutex_};
  return flushes_;
}

result<std::unique_ptr<file>> memory_file_system::open(const std::string& given, open_mode mode) {
  const std::lock_guard guard{mutex_};
  const auto path = normalized(given);
  if (auto e = check(disk_operation::open, path)) return *e;
  auto node = find(path);
  if (mode == open_mode::create || (mode == open_mode::append && !node)) {
    if (node) return error{errc::io_error, path + " exists"};
    auto* where = find_directory(parent_of(path));
    if (where == nullptr) return error{errc::not_found, parent_of(path)};
    node = std::make_shared<inode>();
    node->used_pages = used_pages_;
    change_directory(*where, {name_of(path), {}, node});
  }
  if (!node) return error{errc::not_found, path};
  return std::unique_ptr<file>{std::make_unique<memory_file>(*this, node, path, mode)};
}

result<std::vector<std::string>> memory_file_system::list(const std::string& given) {
  const std::lock_guard guard{mutex_};
  const auto path = normalized(given);
  if (auto e = check(disk_operation::list, path)) return *e;
  const auto* where = find_directory(path);
  if (where == nullptr) return error{errc::not_found, path};
  std::vector<std::string> names;
  for (const auto& [name, node] : where->now) names.push_back(name);
  for (const auto& [other, content] : directories_)
    if (other != path && parent_of(other) == path) names.push_back(name_of(other));
  std::sort(names.begin(), names.end());
  return names;
}

result<void> memory_file_system::make_directories(const std::string& given) {
  const std::lock_guard guard{mutex_};
  auto path = normalized(given);
  if (auto e = check(disk_operation::make_directories, path)) return *e;
  while (directories_.try_emplace(path).second) path = parent_of(path); // durable at once, as the contract says
  return {};
}

result<void> memory_file_system::remove(const std::string& given) {
  const std::lock_guard guard{mutex_};
  const auto path = normalized(given);
  if (auto e = check(disk_operation::remove, path)) return *e;
  if (!find(path)) return error{errc::not_found, path};
  change_directory(*find_directory(parent_of(path)), {{}, name_of(path), nullptr});
  return {};
}

result<void> memory_file_system::rename(const std::string& given_from, const std::string& given_to) {
  const std::lock_guard guard{mutex_};
  const auto from = normalized(given_from), to = normalized(given_to);
  if (auto e = check(disk_operation::rename, from)) return *e;
  const auto node = find(from);
  if (!node) return error{errc::not_found, from};
  if (parent_of(from) != parent_of(to)) return error{errc::unsupported, "renaming between directories"};
  change_directory(*find_directory(parent_of(to)), {name_of(to), name_of(from), node});
  return {};
}

result<void> memory_file_system::flush_directory(const std::string& given) {
  const std::lock_guard guard{mutex_};
  const auto path = normalized(given);
  if (auto e = check(disk_operation::flush_directory, path)) return *e;
  auto* where = find_directory(path);
  if (where == nullptr) return error{errc::not_found, path};
  where->durable = where->now;
  where->unflushed.clear();
  ++flushes_;
  return {};
}

result<space> memory_file_system::space_of(const std::string& path) {
  const std::lock_guard guard{mutex_};
  if (auto e = check(disk_operation::space_of, normalized(path))) return *e;
  return space{capacity_pages_ * page_size, (capacity_pages_ - *used_pages_) * page_size};
}

result<std::shared_ptr<void>> memory_file_system::lock(const std::string& given) {
  const std::lock_guard guard{mutex_};
  const auto path = normalized(given);
  if (auto e = check(disk_operation::lock, path)) return *e;
  if (!find_directory(path)) return error{errc::not_found, path};
  auto& held = locks_[path];
  if (!held.expired()) return error{errc::locked, path + " is in use"};
  std::shared_ptr<void> token = std::make_shared<int>(0);
  held = token;
  return token;
}

} // namespace cairn
