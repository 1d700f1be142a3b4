#include "base/files/node_identity.hpp"

#include "base/files/small_file.hpp"

#include <charconv>
#include <limits>
#include <optional>

namespace cairn {

namespace {

constexpr std::string_view identity_grammar = "cairn-node 1 ", counter_grammar = "cairn-incarnation 1 ";

result<std::optional<uuid>> load_id(file_system& files, const std::string& path) {
  const auto line = read_small_line(files, path, identity_grammar);
  if (!line) return line.error();
  if (!*line) return std::optional<uuid>{};
  const auto id = parse_uuid(**line);
  if (!id) return error{errc::corrupt, path + ": not a node identity"};
  return std::optional{*id};
}

result<std::optional<std::uint64_t>> load_counter(file_system& files, const std::string& path) {
  const auto line = read_small_line(files, path, counter_grammar);
  if (!line) return line.error();
  if (!*line) return std::optional<std::uint64_t>{};
  std::uint64_t starts = 0;
  const char* const end = (*line)->data() + (*line)->size();
  const auto parsed = std::from_chars((*line)->data(), end, starts);
  if (parsed.ec != std::errc{} || parsed.ptr != end || starts == 0 ||
      starts == std::numeric_limits<std::uint64_t>::max())
    return error{errc::corrupt, path + ": not a count of starts"};
  return std::optional{starts};
}

std::string counter_line(std::uint64_t starts) {
  constexpr std::size_t digits = std::numeric_limits<std::uint64_t>::digits10 + 1;
  const auto number = std::to_string(starts);
  return small_line(counter_grammar, std::string(digits - number.size(), '0') + number);
}

result<void> keep_counter(file_system& files, const std::string& path, std::uint64_t starts, bool exists) {
  const std::string line = counter_line(starts);
  auto kept = replace_small_file(files, path, line);
  const bool full = !kept && kept.error().code == errc::no_space && exists;
  if (full && overwrite_small_file(files, path, line)) return {};
  return kept;
}

// A node that counted from 1 again would be refused permanently, as an older copy of itself.
error missing_counter(const std::string& path) {
  return {errc::precondition_failed,
          path +
              " is missing, but this node has started before: without its number of starts it would be refused for "
              "ever, as an older copy of itself. Put the file back. If it is lost, and nothing else in the directory "
              "is lost or older, write the line \"cairn-incarnation 1 1000000\" into it, a number above any before"};
}

} // namespace

uuid make_uuid(random_source& random) {
  uuid id;
  for (std::size_t half = 0; half < 2; ++half) {
    const std::uint64_t drawn = random.next();
    for (std::size_t i = 0; i < 8; ++i) id[half * 8 + i] = static_cast<std::uint8_t>(drawn >> (8 * i));
  }
  id[6] = static_cast<std::uint8_t>((id[6] & 0x0f) | 0x40); // RFC 9562 §5.4: version 4
  id[8] = static_cast<std::uint8_t>((id[8] & 0x3f) | 0x80); // and its variant
  return id;
}

result<node_identity> begin_node_start(file_system& files, const std::string& data_dir, random_source& random) {
  const std::string id_path = data_dir + "/node", counter_path = data_dir + "/incarnation";
  const auto known = load_id(files, id_path);
  if (!known) return known.error();
  const auto counted = load_counter(files, counter_path);
  if (!counted) return counted.error();
  if (*known && !*counted) return missing_counter(counter_path);

  node_identity self;
  self.id = *known ? **known : make_uuid(random);
  self.incarnation = counted->value_or(0) + 1;
  if (auto kept = keep_counter(files, counter_path, self.incarnation, counted->has_value()); !kept) return kept.error();
  if (*known) return self;
  // Last: an identity without a counter means that the counter was lost.
  if (auto kept = replace_small_file(files, id_path, small_line(identity_grammar, to_string(self.id))); !kept)
    return kept.error();
  return self;
}

} // namespace cairn
