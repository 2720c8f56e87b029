#include "dnsd/app/dns_policy.h"

#include <algorithm>
#include <optional>

#include "common/base/check.h"
#include "common/base/text.h"
#include "common/base/whole_file.h"
#include "common/config/load.h"

namespace meshdns::dnsd::app {
namespace {

using Texts = google::protobuf::RepeatedPtrField<std::string>;

std::vector<Prefix> prefixes_of(const Texts& texts) {
  std::vector<Prefix> out;
  for (const std::string& text : texts) {
    const auto prefix = Prefix::parse(text);
    MESHDNS_CHECK(prefix.has_value());  // config::load_dnsd() has checked it
    out.push_back(*prefix);
  }
  return out;
}

std::optional<std::uint8_t> digit(char text) {
  if (text >= '0' && text <= '9') return static_cast<std::uint8_t>(text - '0');
  const char lower = static_cast<char>(text | 0x20);
  if (lower >= 'a' && lower <= 'f') return static_cast<std::uint8_t>(lower - 'a' + 10);
  return std::nullopt;
}

query::RateLimit rate_limit_of(const config::v1::Dns& dns, const std::vector<Prefix>& forwarders) {
  // Queries of this machine and of trusted forwarders are never limited: a forwarder asks for many clients.
  std::vector<Prefix> exempt = {Prefix::of(IpAddress::v4(0x7F000000), 8), Prefix::host(*IpAddress::parse("::1"))};
  exempt.insert(exempt.end(), forwarders.begin(), forwarders.end());
  for (const Prefix& prefix : prefixes_of(dns.rate_limit().exempt())) exempt.push_back(prefix);
  return {dns.rate_limit().per_second(), dns.rate_limit().burst(), dns.rate_limit().slip(), PrefixList(exempt)};
}

}  // namespace

Result<wire::CookieSecret> parse_cookie_secret(std::string_view contents) {
  wire::CookieSecret out;
  if (contents.size() == out.size()) {
    std::copy(contents.begin(), contents.end(), out.begin());
    return out;
  }
  const std::string_view text = trim(contents);
  const Error wrong(Code::InvalidArgument, "expected 32 hexadecimal digits, or 16 bytes");
  if (text.size() != 2 * out.size()) return wrong;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto high = digit(text[2 * i]);
    const auto low = digit(text[2 * i + 1]);
    if (!high || !low) return wrong;
    out[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  return out;
}

Result<query::Policy> read_policy(const config::v1::Dns& dns, const std::filesystem::path& folder) {
  query::Policy out;
  for (const std::string& name : dns.cookie_secrets()) {
    const std::filesystem::path path = folder / name;
    const auto contents = read_file(path.string());
    if (!contents) return contents.error().with_context("dns.cookie_secrets");
    const auto secret = parse_cookie_secret(*contents);
    if (!secret) return secret.error().with_context("dns.cookie_secrets: " + path.string());
    out.cookies.push_back(*secret);
  }
  out.nsid = dns.nsid();
  out.allow = PrefixList(prefixes_of(dns.allow()));
  set_forwarders(dns, {}, out);
  return out;
}

void set_forwarders(const config::v1::Dns& dns, const std::vector<Prefix>& more, query::Policy& out) {
  std::vector<Prefix> forwarders = more;
  for (const auto& forwarder : dns.trusted_forwarders()) {
    if (!forwarder.has_kubernetes()) forwarders.push_back(*Prefix::parse(forwarder.prefix()));
  }
  out.forwarders = PrefixList(forwarders);
  out.rate_limit = rate_limit_of(dns, forwarders);
}

}  // namespace meshdns::dnsd::app
