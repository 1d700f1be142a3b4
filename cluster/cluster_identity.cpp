#include "cluster/cluster_identity.hpp"

#include "base/files/small_file.hpp"
#include "cluster/layout/layout.hpp"
#include "storage/metadata/rows/cluster_rows.hpp"

#include <algorithm>
#include <charconv>

namespace cairn::cluster {

namespace {

using storage::metadata::cluster_name_bytes_max, storage::metadata::node_address_bytes_max;

constexpr std::string_view magic = "cairn-cluster ", version = "1", end_mark = "end";
constexpr std::size_t member_line_bytes_max = 7 + 5 + 1 + 36 + 1 + node_address_bytes_max + 1;
static_assert(known_members_max * member_line_bytes_max + cluster_name_bytes_max + 128 <= small_file_bytes_max);

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}
bool valid_name(std::string_view name) {
  return name.size() <= cluster_name_bytes_max && std::ranges::none_of(name, is_control);
}
bool distinct_numbers(std::span<const known_member> members) {
  std::vector<node_number> numbers;
  for (const auto& m : members) numbers.push_back(m.number);
  std::ranges::sort(numbers);
  return std::ranges::adjacent_find(numbers) == numbers.end();
}

// Parses the text; the error is sticky.
class text_reader {
public:
  explicit text_reader(std::string_view text) : rest_(text) {}

  // The text between `before` and the next `end`.
  std::string_view field(std::string_view before, char end) {
    const std::size_t at = rest_.starts_with(before) ? rest_.find(end, before.size()) : std::string_view::npos;
    if (at == std::string_view::npos) {
      fail();
      return {};
    }
    const auto found = rest_.substr(before.size(), at - before.size());
    rest_.remove_prefix(at + 1);
    return found;
  }
  node_number number(std::string_view before, char end) {
    const auto text = field(before, end);
    node_number n = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), n);
    if (parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size()) fail();
    return n;
  }
  uuid id(std::string_view before, char end) {
    const auto parsed = parse_uuid(field(before, end));
    if (!parsed) fail();
    return parsed.value_or(uuid{});
  }
  bool at(std::string_view word) const { return rest_.starts_with(word); }
  void fail() {
    ok_ = false;
    rest_ = {};
  }
  bool finished() const { return ok_ && rest_.empty(); }

private:
  std::string_view rest_;
  bool ok_ = true;
};

std::string checksum_of(std::string_view text) {
  return " crc32c:" + hexadecimal_crc32c(text);
}

std::string path_of(const std::string& data_dir) {
  return data_dir + "/cluster";
}

} // namespace

result<std::optional<cluster_identity>> load_cluster_identity(file_system& files, const std::string& data_dir) {
  const std::string path = path_of(data_dir);
  const auto content = read_small_file(files, path);
  if (!content) {
    if (content.error().code == errc::not_found) return std::optional<cluster_identity>{};
    if (content.error().code == errc::too_large) return error{errc::corrupt, content.error().text};
    return content.error();
  }
  text_reader text{*content};
  const auto written_by = text.field(magic, '\n');
  if (!written_by.empty() && written_by != version)
    return error{errc::unsupported, path + ": unsupported version " + std::string{written_by.substr(0, 20)}};
  cluster_identity identity;
  identity.id = text.id("id ", '\n');
  identity.name = text.field("name ", '\n');
  identity.self = text.number("self ", '\n');
  while (text.at("member ") && identity.members.size() < known_members_max) {
    auto& m = identity.members.emplace_back();
    m.number = text.number("member ", ' ');
    m.id = text.id("", ' ');
    m.address = text.field("", '\n');
    if (!valid_address(m.address)) text.fail();
  }
  const auto sum = text.field(end_mark, '\n');
  if (!sum.empty() && sum != checksum_of(std::string_view{*content}.substr(0, content->rfind(end_mark))))
    return error{errc::corrupt,
                 path + ": its checksum is another; if the file was edited, remove it from the last line"};
  if (!valid_name(identity.name) || !distinct_numbers(identity.members)) text.fail();
  if (!text.finished()) return error{errc::corrupt, path + ": unexpected content"};
  return std::optional{std::move(identity)};
}

result<void> save_cluster_identity(file_system& files, const std::string& data_dir, const cluster_identity& identity) {
  if (!valid_name(identity.name)) return error{errc::invalid_argument, "not a valid cluster name"};
  const auto members = std::span{identity.members}.first(std::min(identity.members.size(), known_members_max));
  if (!distinct_numbers(members)) return error{errc::invalid_argument, "two members with the same number"};
  std::string text{magic};
  text.append(version).append("\nid ").append(cairn::to_string(identity.id)).append("\nname ").append(identity.name);
  text.append("\nself ").append(std::to_string(identity.self)).append("\n");
  for (const auto& m : members) {
    if (!valid_address(m.address)) return error{errc::invalid_argument, "not a valid node address: " + m.address};
    text.append("member ").append(std::to_string(m.number)).append(" ").append(cairn::to_string(m.id));
    text.append(" ").append(m.address).append("\n");
  }
  const auto sum = checksum_of(text);
  return replace_small_file(files, path_of(data_dir), text.append(end_mark).append(sum).append("\n"));
}

} // namespace cairn::cluster
