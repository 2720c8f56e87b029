#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/rpc/tls_files.h"

namespace meshdns::ctl {

/// --server, --ca, --certificate and --key; empty = not given
struct ServerFlags {
  std::string server;
  std::string ca;
  std::string certificate;
  std::string key;
};

/// Where the meshdnsd is, and what is shown to it.
struct Server {
  std::string address;               // "unix:/path", or "HOST:PORT"
  std::optional<rpc::TlsFiles> tls;  // with HOST:PORT always
};

/// What is not given is taken from $MESHDNS_SERVER, $MESHDNS_CA, $MESHDNS_CERTIFICATE and $MESHDNS_KEY; without any
/// server it is the meshdnsd of this host: its socket, or that of a `meshdnsd --dev` of the same user.
/// errors: InvalidArgument or NotFound: what is missing or cannot be used
Result<Server> server_of(ServerFlags flags, std::int64_t unix_seconds);

}  // namespace meshdns::ctl
