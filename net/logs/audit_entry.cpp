#include "net/logs/audit_entry.hpp"

#include "base/json.hpp"
#include "net/wire/grammar/http_date.hpp"

namespace cairn::net {

std::string audit_line(const audit_entry& e) {
  std::string time;
  append_iso_time(time, e.time);
  json_object line{{"time", time}, {"port", e.port}};
  const auto add = [&line](std::string_view name, std::string_view value) {
    if (!value.empty()) line[name] = value;
  };
  add("request", e.request);
  add("address", e.address);
  add("who", e.who);
  add("access_key", e.access_key);
  add("user", e.user);
  add("signature", e.signature);
  add("operation", e.operation);
  add("action", e.action);
  add("bucket", e.bucket);
  add("key", e.key);
  add("version", e.version);
  add("source", e.source);
  add("upload", e.upload);
  add("part", e.part);
  add("subject", e.subject);
  if (!e.parameters.empty()) {
    json_object parameters;
    for (const auto& [name, value] : e.parameters) parameters[name] = value;
    line["parameters"] = std::move(parameters);
  }
  line["status"] = e.status;
  add("error", e.error);
  add("allowed_by", e.allowed_by);
  add("statement", e.statement);
  return json_text(line) + "\n";
}

} // namespace cairn::net
