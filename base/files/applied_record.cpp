#include "base/files/applied_record.hpp"

#include "base/files/small_file.hpp"

#include <charconv>

namespace cairn {

namespace {

constexpr std::string_view applied_grammar = "cairn-applied 1 ";

std::string applied_path(const std::string& data_dir) {
  return data_dir + "/applied";
}

} // namespace

result<log_index> load_applied_record(file_system& files, const std::string& data_dir, const uuid& cluster) {
  const auto path = applied_path(data_dir);
  const auto found = read_small_line(files, path, applied_grammar);
  if (!found) return found.error();
  if (!*found) return log_index{0};
  const error unexpected{errc::corrupt, path + ": unexpected content"};
  const std::string_view line{**found};
  const auto space = line.find(' ');
  const auto id = parse_uuid(line.substr(0, space));
  if (!id || space == line.npos) return unexpected;
  log_index applied = 0;
  const auto* const end = line.data() + line.size();
  const auto parsed = std::from_chars(line.data() + space + 1, end, applied);
  if (parsed.ec != std::errc{} || parsed.ptr != end) return unexpected;
  return *id == cluster ? applied : 0;
}

result<void> save_applied_record(file_system& files, const std::string& data_dir, const uuid& cluster,
                                 log_index applied) {
  return replace_small_file(files, applied_path(data_dir),
                            small_line(applied_grammar, to_string(cluster) + " " + std::to_string(applied)));
}

} // namespace cairn
