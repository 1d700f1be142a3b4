#include "cli/import/identities/minio_export.hpp"

#include "cli/client/command_support.hpp"
#include "cli/import/identities/zip_archive.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

namespace cairn::cli {

namespace {

constexpr std::size_t export_file_bytes_max = 64 << 20, export_depth_max = 32;
constexpr std::string_view export_folder = "iam-assets";
constexpr std::array<std::string_view, 5> policies_of_minio{"consoleAdmin", "diagnostics", "readonly", "readwrite",
                                                            "writeonly"};

std::string text_member(const json_value& of, std::string_view name) {
  const auto* const object = of.if_object();
  const auto* const value = object ? object->if_contains(name) : nullptr;
  return value ? std::string(text_of(*value)) : std::string{};
}

bool has_member(const json_value& of, std::string_view name) {
  const auto* const object = of.if_object();
  const auto* const value = object ? object->if_contains(name) : nullptr;
  return value != nullptr && !value->is_null();
}

// Of an account without an end MinIO writes one of these.
bool is_never(std::string_view expiration) {
  return expiration == "1970-01-01T00:00:00Z" || expiration == "0001-01-01T00:00:00Z";
}

// "readwrite,own"
std::vector<std::string> split_names(std::string_view text) {
  std::vector<std::string> names;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    if (comma > 0) names.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return names;
}

class minio_reader {
public:
  explicit minio_reader(const minio_file& file) : file_(file) {}

  result<identity_set> read() {
    using step = std::pair<const char*, void (minio_reader::*)(const std::string&, const json_value&)>;
    for (const auto& [name, take] :
         {step{"users.json", &minio_reader::take_user}, step{"groups.json", &minio_reader::take_group},
          step{"user_mappings.json", &minio_reader::take_user_mapping},
          step{"group_mappings.json", &minio_reader::take_group_mapping},
          step{"stsuser_mappings.json", &minio_reader::take_outside_mapping},
          step{"svcaccts.json", &minio_reader::take_service_account},
          step{"policies.json", &minio_reader::take_policy_of_minio}}) {
      const auto members = file_(name);
      if (!members) return members.error();
      for (const auto& one : *members) (this->*take)(std::string(member_name(one)), one.value());
    }
    return std::move(set_);
  }

private:
  void leave(std::string what, std::string why) { set_.remarks.push_back({std::move(what), std::move(why)}); }

  user_identity* user(std::string_view name) {
    const auto found = std::ranges::find(set_.users, name, &user_identity::name);
    return found == set_.users.end() ? nullptr : &*found;
  }

  void take_user(const std::string& name, const json_value& about) {
    user_identity taken{name};
    taken.keys.push_back({name, text_member(about, "secretKey"), text_member(about, "status") != "disabled"});
    set_.users.push_back(std::move(taken));
  }

  void take_group(const std::string& name, const json_value& about) {
    set_.groups.push_back({name});
    if (text_member(about, "status") == "disabled") disabled_groups_.insert(name);
    const auto* const object = about.if_object();
    const auto* const found = object ? object->if_contains("members") : nullptr;
    const auto* const members = found ? found->if_array() : nullptr;
    if (members == nullptr) return;
    for (const auto& member : *members) {
      auto* const of = user(text_of(member));
      if (of != nullptr)
        of->groups.push_back(name);
      else
        leave("group " + name + ": member " + std::string(text_of(member)), "it is no user of the export");
    }
  }

  void take_user_mapping(const std::string& name, const json_value& about) {
    auto* const of = user(name);
    if (of == nullptr) return take_outside_mapping(name, about);
    attach(of->policies, about);
  }

  void take_group_mapping(const std::string& name, const json_value& about) {
    const auto found = std::ranges::find(set_.groups, name, &group_identity::name);
    if (found == set_.groups.end()) return take_outside_mapping(name, about);
    if (disabled_groups_.contains(name)) return leave("group " + name + ": its policies", "the group is disabled");
    attach(found->policies, about);
  }

  void attach(policies_held& to, const json_value& about) {
    to.attached = split_names(text_member(about, "policy"));
    used_policies_.insert(to.attached.begin(), to.attached.end());
  }

  void take_outside_mapping(const std::string& name, const json_value& about) {
    leave("policies of " + name + " (" + text_member(about, "policy") + ")", "it is from LDAP or OpenID");
  }

  void take_service_account(const std::string& id, const json_value& about) {
    const auto parent = text_member(about, "parent");
    const auto what = "service account " + id + " of " + parent;
    auto* const of = user(parent);
    if (of == nullptr) return leave(what, "its parent is no user of the export");
    if (has_member(about, "sessionPolicy"))
      return leave(what, "it has a policy of its own, which Cairn's keys do not have");
    if (has_member(about, "expiration") && !is_never(text_member(about, "expiration")))
      return leave(what, "it expires, which Cairn's keys do not");
    of->keys.push_back({id, text_member(about, "secretKey"), text_member(about, "status") != "off"});
  }

  void take_policy_of_minio(const std::string& name, const json_value& document) {
    const bool own = std::ranges::find(policies_of_minio, name) != policies_of_minio.end();
    if (!own || used_policies_.contains(name)) set_.policies.push_back({name, "/", {}, json_text(document)});
  }

  const minio_file& file_;
  identity_set set_;
  std::set<std::string> used_policies_, disabled_groups_;
};

result<json_object> parse_export_file(const std::string& text, const std::string& name) {
  auto read = read_json(text, export_file_bytes_max, export_depth_max);
  if (read && read->is_null()) return json_object{}; // as of a server without such
  if (!read || !read->is_object()) return error{errc::corrupt, name + ": not a JSON object"};
  return std::move(read->as_object());
}

result<json_object> read_export_file(const std::filesystem::path& path) {
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) return json_object{};
  std::ifstream file{path, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  if (!file.good() && !file.eof()) return system_failure("reading " + path.string());
  return parse_export_file(text, path.string());
}

} // namespace

result<identity_set> read_minio_identities(const minio_file& file) {
  return minio_reader(file).read();
}

result<identity_set> read_minio_export(const std::string& folder) {
  std::filesystem::path from{folder};
  std::error_code failed;
  if (std::filesystem::is_directory(from / export_folder, failed)) from /= export_folder;
  if (!std::filesystem::exists(from / "users.json", failed))
    return error{errc::invalid_argument,
                 "--minio-iam " + folder + ": no folder with users.json; the export of mc has to be unpacked first"};
  return read_minio_identities([&from](const std::string& name) { return read_export_file(from / name); });
}

// MinIO breaks an archive off where it can't read its own files, which leaves the others out.
result<identity_set> read_minio_archive(std::string bytes) {
  const auto archive = zip_archive::open(std::move(bytes));
  if (!archive) return archive.error();
  return read_minio_identities([&archive](const std::string& name) -> result<json_object> {
    const auto path = std::string{export_folder} + "/" + name;
    const auto text = archive->read(path, export_file_bytes_max);
    if (!text) return text.error();
    if (!*text) return error{errc::corrupt, "the export of the source has no " + path};
    return parse_export_file(**text, path);
  });
}

} // namespace cairn::cli
