#include "base/files/node_identity.hpp"
#include "base/files/small_file.hpp"
#include "base/sockets/certificates.hpp"
#include "cli/admin/cluster_command.hpp"
#include "cli/client/command_support.hpp"
#include "cli/client/secret_file.hpp"
#include "config/keys.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>
#include <memory>

namespace cairn::cli {

namespace {

namespace fs = std::filesystem;

struct init_options {
  std::string dir, name = "cairn";
  std::int64_t days = certificates::certificate_days_default;
};

struct issue_options {
  std::string dir, node, data_dir, out;
  std::vector<std::string> names;
  std::int64_t days = certificates::certificate_days_default;
};

result<void> make_directory(const std::string& path) {
  return posix_file_system().make_directories(path);
}

result<void> init(const init_options& o) {
  const auto key = o.dir + "/ca.key", certificate = o.dir + "/ca.crt";
  for (const auto& path : {key, certificate})
    if (fs::exists(path))
      return error{errc::invalid_argument, path + " is there already: a new CA would lock out every node that has a "
                                                  "certificate of the old one"};
  auto made = certificates::make_ca(o.name, system_clock().wall(), o.days);
  if (!made) return made.error();
  if (auto there = make_directory(o.dir); !there) return there;
  if (auto w = write_private_file(key, made->key, file_secrecy::owner_only); !w) return w;
  if (auto w = write_private_file(certificate, made->certificate, file_secrecy::everyone); !w) return w;
  std::cout << "The CA of cluster '" << o.name << "':\n  " << certificate << "  every node needs it\n  " << key
            << "  keep it secret, off the nodes: who has it can join\n"
            << "Next, once a node: cairn cluster certs issue --dir " << o.dir << " --data-dir DIR HOST...\n";
  return {};
}

result<certificates::key_and_certificate> read_ca(const std::string& dir) {
  certificates::key_and_certificate ca;
  for (const auto& [name, text] : {std::pair{"/ca.crt", &ca.certificate}, std::pair{"/ca.key", &ca.key}}) {
    auto read = read_small_file(posix_file_system(), dir + name);
    if (!read && read.error().code == errc::not_found)
      return error{errc::not_found,
                   dir + name + " is missing; `cairn cluster certs init --dir " + dir + "` makes a CA"};
    if (!read) return read.error();
    *text = std::move(*read);
  }
  return ca;
}

result<uuid> node_to_certify(const issue_options& o) {
  if (o.node.empty() == o.data_dir.empty())
    return error{errc::invalid_argument, "say which node: either --node UUID or --data-dir DIR"};
  if (!o.node.empty()) {
    if (const auto id = parse_uuid(o.node)) return *id;
    return error{errc::invalid_argument, "--node: expected a UUID, got \"" + o.node + "\""};
  }
  if (auto there = make_directory(o.data_dir); !there) return there.error();
  const auto made = begin_node_start(posix_file_system(), o.data_dir, system_random());
  if (!made) return made.error();
  return made->id;
}

result<void> issue(const issue_options& o) {
  auto ca = read_ca(o.dir);
  if (!ca) return ca.error();
  const auto node = node_to_certify(o);
  if (!node) return node.error();
  const auto made = certificates::issue(*ca, *node, o.names, system_clock().wall(), o.days);
  if (!made) return made.error();
  std::string out = o.out;
  if (out.empty()) out = o.data_dir.empty() ? o.dir + "/" + cairn::to_string(*node) : o.data_dir;
  if (auto there = make_directory(out); !there) return there;
  const auto ca_file = out + "/ca.crt", certificate = out + "/node.crt", key = out + "/node.key";
  if (auto w = write_private_file(key, made->key, file_secrecy::owner_only); !w) return w;
  if (auto w = write_private_file(certificate, made->certificate, file_secrecy::owner_only); !w) return w;
  if (auto w = write_private_file(ca_file, ca->certificate, file_secrecy::everyone); !w) return w;
  std::cout << "# Node " << cairn::to_string(*node)
            << ". In its configuration:\n[cluster.tls]\nca = " << config::toml_quoted(ca_file)
            << "\ncert = " << config::toml_quoted(certificate) << "\nkey = " << config::toml_quoted(key) << '\n';
  return {};
}

} // namespace

void add_cluster_certs_command(CLI::App& cluster, int& exit_code) {
  auto* certs = cluster.add_subcommand("certs", "Make the certificates by which the nodes know each other");
  certs->require_subcommand(1);

  auto* init_command = certs->add_subcommand(
      "init", "Make the cluster's own CA, once: DIR/ca.crt for every node, DIR/ca.key to be kept secret\n\n"
              "Example: cairn cluster certs init --dir certs --name blue");
  auto init_with = std::make_shared<init_options>();
  init_command->add_option("--dir", init_with->dir, "Where the CA is kept; made when missing")
      ->required()
      ->type_name("DIR");
  init_command->add_option("--name", init_with->name, "The cluster's name, as in cluster.name")->type_name("NAME");
  init_command->add_option("--days", init_with->days, "How long it is valid")->type_name("DAYS");
  init_command->callback([init_with, &exit_code] { run_command(exit_code, [init_with] { return init(*init_with); }); });

  auto* issue_command = certs->add_subcommand(
      "issue",
      "Make a node's certificate and key, and print what goes into its configuration. Again before the old one "
      "ends; the node takes it with a restart\n\n"
      "Examples:\n"
      "  cairn cluster certs issue --dir certs --data-dir cairn-data node-1.example.org 10.0.0.1\n"
      "  cairn cluster certs issue --dir certs --node 5f0c...-... --out node-2");
  auto issue_with = std::make_shared<issue_options>();
  issue_command->add_option("--dir", issue_with->dir, "Where the CA is kept")->required()->type_name("DIR");
  issue_command->add_option("--node", issue_with->node, "The node's identity")->type_name("UUID");
  issue_command->add_option("--data-dir", issue_with->data_dir, "Or its node.data_dir; a new one gets an identity")
      ->type_name("DIR");
  issue_command
      ->add_option("--out", issue_with->out,
                   "Where node.crt, node.key and ca.crt are written; else --data-dir, or a folder of --dir")
      ->type_name("DIR");
  issue_command->add_option("--days", issue_with->days, "How long it is valid")->type_name("DAYS");
  issue_command->add_option("NAMES", issue_with->names, "Host names and addresses of the node; may be left out");
  issue_command->callback(
      [issue_with, &exit_code] { run_command(exit_code, [issue_with] { return issue(*issue_with); }); });
}

} // namespace cairn::cli
