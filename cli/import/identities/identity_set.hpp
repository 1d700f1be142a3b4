// Users, groups and managed policies of a server: what an import reads on both sides and compares.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace cairn::cli {

struct inline_policy {
  std::string name, document;
};

struct policies_held {
  std::vector<inline_policy> own = {};
  std::vector<std::string> attached = {}; // names of managed policies
};

struct managed_policy {
  std::string name, path = "/", description = {}, document = {};
};

struct group_identity {
  std::string name, path = "/";
  policies_held policies = {};
};

struct known_key {
  std::string id, secret = {}; // empty: the server does not tell it
  bool active = true;
};

struct user_identity {
  std::string name, path = "/";
  std::vector<std::pair<std::string, std::string>> tags = {};
  std::vector<std::string> groups = {};
  policies_held policies = {};
  std::vector<known_key> keys = {};
  std::string withheld = {}; // why it gets no rights: Cairn cannot limit them as the source does
};

// Something that was not carried over, and why.
struct identity_remark {
  std::string what, why;
};

struct identity_set {
  std::string account = {}; // twelve digits; empty: the server has none
  std::vector<managed_policy> policies = {};
  std::vector<group_identity> groups = {};
  std::vector<user_identity> users = {};
  std::vector<identity_remark> remarks = {};
};

} // namespace cairn::cli
