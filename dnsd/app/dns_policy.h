#pragma once

#include <filesystem>

#include "common/base/result.h"
#include "dnsd/query/policy.h"
#include "meshdns/config/v1/dnsd.pb.h"

namespace meshdns::app {

/// A cookie secret as its file holds it: 32 hexadecimal digits with white space around them, or 16 bytes as they are.
Result<wire::CookieSecret> parse_cookie_secret(std::string_view contents);

/// What dns.* says about who is answered, and what besides the records.
/// folder:  of the configuration: cookie secrets are beside it
/// returns: without cookie secrets and NSID where the configuration states none
/// errors:  a file that cannot be read, or is no secret
Result<query::Policy> read_policy(const config::v1::Dns& dns, const std::filesystem::path& folder);

}  // namespace meshdns::app
