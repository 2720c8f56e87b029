#pragma once

#include <filesystem>
#include <vector>

#include "common/base/result.h"
#include "common/net/prefix.h"
#include "dnsd/query/policy.h"
#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::dnsd::app {

/// Parses the content of a cookie secret file: 32 hexadecimal digits, with or without white space around them, or 16
/// raw bytes.
Result<wire::CookieSecret> parse_cookie_secret(std::string_view contents);

/// Reads the part of `dns` that decides which clients are answered, and which options answers carry: access lists, rate
/// limits, cookies, NSID.
/// folder:  of the configuration file, to which paths of cookie secrets are relative
/// returns: a policy without cookie secrets and NSID where the configuration states none
/// errors:  a file of secrets cannot be read, or holds no secret
Result<query::Policy> read_policy(const config::v1::Dns& dns, const std::filesystem::path& folder);

/// Sets the trusted forwarders of a policy, which are exempt from its rate limit: those of the configuration, and more.
void set_forwarders(const config::v1::Dns& dns, const std::vector<Prefix>& more, query::Policy& out);

}  // namespace meshdns::dnsd::app
