#include "net/admin/keys_page.hpp"

#include "base/json.hpp"
#include "net/s3/key_secret.hpp"

#include <algorithm>
#include <array>
#include <memory>

namespace cairn::net {

namespace {

namespace metadata = storage::metadata;
using answer = std::function<void(result<std::string>)>;

constexpr std::array key_request_kinds{std::pair{std::string_view{"create"}, key_request::create},
                                       std::pair{std::string_view{"list"}, key_request::list},
                                       std::pair{std::string_view{"seal"}, key_request::seal},
                                       std::pair{std::string_view{"delete"}, key_request::remove},
                                       std::pair{std::string_view{"allow"}, key_request::allow},
                                       std::pair{std::string_view{"deny"}, key_request::deny},
                                       std::pair{std::string_view{"public-read"}, key_request::public_read}};

struct named_right {
  std::string_view name;
  std::uint8_t right;
};
constexpr std::array named_rights{named_right{"read", metadata::rights::read},
                                  named_right{"write", metadata::rights::write},
                                  named_right{"owner", metadata::rights::owner}};

error wrong(std::string text) {
  return {errc::invalid_argument, std::move(text)};
}

result<std::uint8_t> read_rights(std::string_view list) {
  std::uint8_t found = 0;
  while (!list.empty()) {
    const auto name = list.substr(0, list.find(','));
    const auto right = std::ranges::find(named_rights, name, &named_right::name);
    if (right == named_rights.end()) return wrong("rights are read, write and owner");
    found |= right->right;
    list.remove_prefix(std::min(list.size(), name.size() + 1));
  }
  return found;
}

result<bool> read_switch(const request_target& asked, std::string_view name, std::string_view yes,
                         std::string_view no) {
  const auto* value = asked.find(name);
  if (value == nullptr || *value == no) return false;
  if (*value == yes) return true;
  return wrong(std::string{name} + " is " + std::string{yes} + " or " + std::string{no});
}

// Checks which parameters each kind requires and allows.
result<void> check_parts(const key_command& c, bool has_value) {
  const bool of_key = c.kind == key_request::remove || c.kind == key_request::allow || c.kind == key_request::deny;
  if (of_key && c.key.empty()) return wrong("expected key=");
  const bool grants = c.kind == key_request::allow || c.kind == key_request::deny;
  if (grants && (c.bucket.empty() != (c.rights == 0))) return wrong("a bucket and rights on it go together");
  if (grants && c.bucket.empty() && !c.creates_buckets) return wrong("expected a bucket and rights, or create_buckets");
  if (c.kind == key_request::public_read && (c.bucket.empty() || !has_value))
    return wrong("expected bucket= and value=");
  return {};
}

std::string done_text(const key_command& c, const std::string& what) {
  return (c.json ? json_text(json_object{{"done", what}}) : what) + "\n";
}

std::string random_text(random_source& random, std::size_t length, std::string_view alphabet) {
  std::string out;
  while (out.size() < length) {
    // Draws 6 bits a time and rejects values beyond the alphabet, so that all characters are equally likely.
    for (std::uint64_t bits = random.next(), i = 0; i < 10 && out.size() < length; ++i, bits >>= 6)
      if ((bits & 63) < alphabet.size()) out += alphabet[bits & 63];
  }
  return out;
}

// Some errors of commands have no text for people.
error explained(error why) {
  if (why.code == errc::unsupported) why.text = "sealed secrets need all nodes of the cluster to be upgraded first";
  if (why.text.empty() && why.code == errc::no_such_access_key) why.text = "there is no such access key";
  if (why.text.empty() && why.code == errc::no_such_bucket) why.text = "there is no such bucket";
  return why;
}

void commit(const key_page_services& services, metadata::command command, std::string done, answer then) {
  actors::ask_metadata<actors::committed>(
      services.node,
      [done = std::move(done), then = std::move(then)](const result<actors::committed>& outcome) {
        outcome ? then(done) : then(explained(outcome.error()));
      },
      actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
}

void create(const key_page_services& services, const key_command& c, answer then) {
  metadata::create_key made;
  made.id = c.key;
  const auto secret =
      random_text(*services.random, 40, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789");
  auto stored = secret_to_store(secret, made.id, services.node.sealing.get(), *services.random);
  made.secret = std::move(stored.text);
  made.sealed = stored.sealed;
  made.label = c.label;
  made.now = services.clock->wall();
  made.creates_buckets = c.creates_buckets;
  auto text = c.json ? json_text(json_object{{"access_key", made.id}, {"secret_key", secret}}) + "\n"
                     : "access key  " + made.id + "\nsecret key  " + secret +
                           "\nThe secret is shown only now and cannot be read again.\n";
  commit(services, std::move(made), std::move(text), std::move(then));
}

void change(const key_page_services& services, const key_command& c, answer then) {
  metadata::change_key command;
  command.id = c.key;
  command.bucket = c.bucket;
  const bool allow = c.kind == key_request::allow;
  (allow ? command.allowed : command.denied) = c.rights;
  if (c.creates_buckets) command.creates_buckets = allow;
  commit(services, std::move(command), done_text(c, (allow ? "allowed " : "denied ") + c.key), std::move(then));
}

struct seal_job {
  key_page_services services;
  bool json = false;
  answer then;
  std::uint64_t sealed = 0, unreadable = 0;
};

// Of keys whose secrets are in clear, or sealed with another key than the first.
metadata::seal_keys seal_secrets(seal_job& job, const std::vector<metadata::access_key_row>& keys) {
  metadata::seal_keys command;
  const auto& ring = *job.services.node.sealing;
  for (const auto& key : keys) {
    if (key.sealed && secrets::key_id_of(key.secret) == ring.id()) continue;
    const auto secret = clear_secret(key, &ring);
    if (secret)
      command.keys.push_back({key.id, ring.seal(*secret, key.id, *job.services.random)});
    else
      ++job.unreadable;
  }
  return command;
}

std::string sealed_text(const seal_job& job) {
  auto text = "sealed " + std::to_string(job.sealed) + (job.sealed == 1 ? " secret" : " secrets") + " with the key " +
              job.services.node.sealing->id();
  if (job.unreadable > 0) text += "; " + std::to_string(job.unreadable) + " can't be opened and stay as they are";
  return (job.json ? json_text(json_object{{"done", text}}) : text) + "\n";
}

void seal_page(const std::shared_ptr<seal_job>& job, const std::string& after);

// `last`: of the page; empty: no page follows.
void end_seal_page(const std::shared_ptr<seal_job>& job, const std::string& last) {
  last.empty() ? job->then(sealed_text(*job)) : seal_page(job, last);
}

void seal_page(const std::shared_ptr<seal_job>& job, const std::string& after) {
  actors::keys_query query;
  query.after = after;
  query.max = metadata::sealed_keys_max;
  actors::ask_metadata<actors::key_list>(
      job->services.node,
      [job](const result<actors::key_list>& page) {
        if (!page) return job->then(page.error());
        const auto& keys = **page;
        auto command = seal_secrets(*job, keys);
        const auto last = keys.size() == metadata::sealed_keys_max ? keys.back().id : std::string{};
        if (command.keys.empty()) return end_seal_page(job, last);
        actors::ask_metadata<actors::committed>(
            job->services.node,
            [job, last](const result<actors::committed>& outcome) {
              if (!outcome) return job->then(explained(outcome.error()));
              job->sealed += outcome->result.more;
              end_seal_page(job, last);
            },
            actors::commit_atom_v, actors::command_box{std::make_shared<const metadata::command>(std::move(command))});
      },
      actors::list_atom_v, query);
}

void seal(const key_page_services& services, bool json, answer then) {
  if (!services.node.sealing)
    return then(wrong("this node has no key to seal with: set auth.sealing_key_file or CAIRN_SEALING_KEY"));
  seal_page(std::make_shared<seal_job>(seal_job{services, json, std::move(then)}), {});
}

// The keys, page by page, then the names of the buckets.
struct list_job {
  key_page_services services;
  std::string after;
  std::uint32_t max = 0;
  std::function<void(result<key_page>)> then;
  key_page page;
  bool named = true;
  std::shared_ptr<const metadata::access_key_row> only; // null: the buckets of all keys
};

void name_buckets(const std::shared_ptr<list_job>& job, const std::string& after = {}) {
  metadata::buckets_query query;
  query.after = after;
  query.only_of = job->only;
  actors::ask_metadata<actors::buckets_listing>(
      job->services.node,
      [job](result<actors::buckets_listing> page) {
        if (!page) return job->then(page.error());
        for (const auto& bucket : (*page)->buckets) job->page.names.emplace(bucket.id, bucket.name);
        if ((*page)->truncated) return name_buckets(job, (*page)->last);
        job->then(std::move(job->page));
      },
      actors::list_atom_v, query);
}

void next_page(const std::shared_ptr<list_job>& job) {
  actors::keys_query query;
  query.after = job->page.keys.empty() ? job->after : job->page.keys.back().id;
  if (job->max > 0) query.max = job->max;
  actors::ask_metadata<actors::key_list>(
      job->services.node,
      [job, max = query.max](result<actors::key_list> page) {
        if (!page) return job->then(page.error());
        auto& keys = job->page.keys;
        keys.insert(keys.end(), (*page)->begin(), (*page)->end());
        const bool more = (*page)->size() == max;
        if (more && job->max == 0) return next_page(job);
        if (more) job->page.next = keys.back().id;
        job->named ? name_buckets(job) : job->then(std::move(job->page));
      },
      actors::list_atom_v, query);
}

struct shown_grant {
  std::string bucket;
  std::uint8_t rights;
};

std::vector<shown_grant> shown_grants(const metadata::access_key_row& key, const bucket_names& names) {
  std::vector<shown_grant> grants;
  for (const auto& grant : key.grants)
    if (const auto name = names.find(grant.bucket); name != names.end()) grants.push_back({name->second, grant.rights});
  std::ranges::sort(grants, {}, &shown_grant::bucket);
  return grants;
}

json_value key_json(const metadata::access_key_row& key, const bucket_names& names) {
  json_array grants;
  for (const auto& grant : shown_grants(key, names)) {
    json_object shown{{"bucket", grant.bucket}};
    add_rights(shown, grant.rights);
    grants.push_back(std::move(shown));
  }
  return json_object{{"access_key", key.id},
                     {"label", key.label},
                     {"created_ms", key.created},
                     {"creates_buckets", key.creates_buckets},
                     {"user", key.user.empty() ? json_value{} : json_value(key.user)},
                     {"active", key.active},
                     {"grants", std::move(grants)}};
}

std::string key_text(const metadata::access_key_row& key, const bucket_names& names) {
  std::string out = key.id + (key.label.empty() ? "" : "  " + key.label) + "\n";
  if (!key.user.empty()) out += "    of the user " + key.user + (key.active ? "" : ", inactive") + "\n";
  if (key.creates_buckets) out += "    may create buckets\n";
  for (const auto& grant : shown_grants(key, names)) {
    out.append("    ").append(grant.bucket).append(":");
    for (const auto& [name, right] : named_rights)
      if ((grant.rights & right) != 0) out.append(" ").append(name);
    out += "\n";
  }
  return out;
}

} // namespace

std::optional<key_request> key_request_of(std::string_view kind) {
  const auto found = std::ranges::find(key_request_kinds, kind, [](const auto& k) { return k.first; });
  return found == key_request_kinds.end() ? std::nullopt : std::optional{found->second};
}

result<key_command> complete_key_command(key_command c, const request_target& asked) {
  const auto text = [&asked](std::string_view name) {
    const auto* value = asked.find(name);
    return value ? *value : std::string{};
  };
  c.label = text("label");
  if (c.bucket.empty()) c.bucket = text("bucket");
  const auto rights = read_rights(text("rights"));
  if (!rights) return rights.error();
  c.rights = *rights;
  const auto creates = read_switch(asked, "create_buckets", "yes", "no");
  const auto on = read_switch(asked, "value", "on", "off");
  for (const auto* flag : {&creates, &on})
    if (!*flag) return flag->error();
  c.creates_buckets = *creates;
  c.on = *on;
  if (auto good = check_parts(c, asked.find("value") != nullptr); !good) return good.error();
  return c;
}

result<key_command> parse_key_command(const request_target& asked) {
  const auto* kind = asked.find("kind");
  const auto request = kind ? key_request_of(*kind) : std::nullopt;
  if (!request) return wrong("expected kind=create, list, delete, allow, deny or public-read");
  const auto json = read_switch(asked, "format", "json", "text");
  if (!json) return json.error();
  key_command c{.kind = *request, .json = *json};
  if (const auto* key = asked.find("key")) c.key = *key;
  return complete_key_command(std::move(c), asked);
}

std::string new_access_key(random_source& random) {
  return "CK" + random_text(random, 18, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");
}

void add_rights(json_object& to, std::uint8_t rights) {
  for (const auto& [name, right] : named_rights) to[name] = (rights & right) != 0;
}

json_array keys_json(const std::vector<metadata::access_key_row>& keys, const bucket_names& names) {
  json_array all;
  for (const auto& key : keys) all.push_back(key_json(key, names));
  return all;
}

std::string keys_answer(const std::vector<metadata::access_key_row>& keys, const bucket_names& names, bool json) {
  if (json) return json_text(keys_json(keys, names)) + "\n";
  std::string out;
  for (const auto& key : keys) out += key_text(key, names);
  return out.empty() ? "There is no access key; `cairn key create` makes one.\n" : out;
}

void list_keys(const key_page_services& services, std::string after, std::uint32_t max,
               std::function<void(result<key_page>)> done) {
  next_page(std::make_shared<list_job>(
      list_job{.services = services, .after = std::move(after), .max = max, .then = std::move(done)}));
}

void name_grants(const key_page_services& services, std::shared_ptr<const metadata::access_key_row> key,
                 std::function<void(result<key_page>)> done) {
  auto job = std::make_shared<list_job>(list_job{.services = services, .then = std::move(done)});
  job->page.keys = {*key};
  job->only = std::move(key);
  name_buckets(job);
}

void read_keys(const key_page_services& services, std::function<void(result<key_page>)> done) {
  next_page(std::make_shared<list_job>(list_job{.services = services, .then = std::move(done), .named = false}));
}

void run_key_command(const key_page_services& services, key_command c, answer done) {
  switch (c.kind) {
    case key_request::create: return create(services, c, std::move(done));
    case key_request::list:
      return list_keys(services, {}, 0, [json = c.json, done = std::move(done)](const result<key_page>& page) {
        done(page ? result<std::string>{keys_answer(page->keys, page->names, json)} : page.error());
      });
    case key_request::seal: return seal(services, c.json, std::move(done));
    case key_request::remove: {
      metadata::delete_key command;
      command.id = c.key;
      return commit(services, std::move(command), done_text(c, "deleted " + c.key), std::move(done));
    }
    case key_request::allow:
    case key_request::deny: return change(services, c, std::move(done));
    case key_request::public_read: {
      metadata::set_bucket command;
      command.name = c.bucket;
      command.public_read = c.on;
      const std::string what = c.bucket + (c.on ? " is public: anybody may list and read it" : " is private");
      return commit(services, std::move(command), done_text(c, what), std::move(done));
    }
  }
}

} // namespace cairn::net
