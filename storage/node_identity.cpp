#include "storage/node_identity.hpp"

#include "storage/small_file.hpp"

namespace cairn::storage {

namespace {

constexpr std::string_view grammar = "cairn-node 1 ";

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

} // namespace

result<uuid> load_or_make_node_identity(file_system& files, const std::string& data_dir, random_source& random) {
  const std::string path = data_dir + "/node";
  if (auto content = read_small_file(files, path)) {
    std::string_view line = *content;
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.starts_with(grammar))
      if (const auto id = parse_uuid(line.substr(grammar.size()))) return *id;
    return error{errc::corrupt, path + ": not a node identity"};
  } else if (content.error().code != errc::not_found) {
    return content.error();
  }
  const uuid id = make_uuid(random);
  if (auto kept = replace_small_file(files, path, std::string{grammar} + to_string(id) + "\n"); !kept)
    return kept.error();
  return id;
}

} // namespace cairn::storage
