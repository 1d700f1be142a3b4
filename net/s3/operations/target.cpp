#include "net/s3/operations/target.hpp"

#include "net/wire/grammar/ascii.hpp"
#include "net/wire/grammar/host_check.hpp"

namespace cairn::net {

result<s3_target> parse_s3_target(std::string_view target, std::string_view host,
                                  const std::vector<std::string>& domains) {
  auto parsed = parse_target(target);
  if (!parsed) return parsed.error();
  s3_target named{std::move(*parsed), {}, {}};
  if (named.asterisk) return named;
  if (!named.authority.empty() && !host.empty() && !iequals(named.authority, host))
    return error{errc::invalid_argument, "its host is another one than that of the Host header"};
  const auto path = std::string_view{named.path}.substr(1);
  if (auto bucket = subdomain_of(named.authority.empty() ? host : named.authority, domains);
      bucket && !bucket->empty()) {
    auto key = percent_decode(path, false);
    if (!key) return error{errc::invalid_argument, "the target holds a bad percent escape"};
    named.bucket = std::move(*bucket);
    named.key = std::move(*key);
    named.host_names_bucket = true;
    return named;
  }
  const auto slash = path.find('/');
  auto bucket = percent_decode(path.substr(0, slash), false);
  auto key = percent_decode(slash == path.npos ? std::string_view{} : path.substr(slash + 1), false);
  if (!bucket || !key) return error{errc::invalid_argument, "the target holds a bad percent escape"};
  named.bucket = std::move(*bucket);
  named.key = std::move(*key);
  return named;
}

} // namespace cairn::net
