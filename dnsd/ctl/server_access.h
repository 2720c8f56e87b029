#pragma once

#include <optional>
#include <string>

#include "common/base/result.h"
#include "common/rpc/tls_files.h"

namespace meshdns::ctl {

/// The values of --server, --ca, --certificate and --key; empty = not given.
struct ServerFlags {
  std::string server;
  std::string ca;
  std::string certificate;
  std::string key;
};

/// The address of a meshdnsd, and the certificate files for it.
struct ServerAccess {
  std::string address;               // "unix:/path", or "HOST:PORT"
  std::optional<rpc::TlsFiles> tls;  // always set with HOST:PORT
};

/// Returns the server for the flags. A flag that is not given is taken from $MESHDNS_SERVER, $MESHDNS_CA,
/// $MESHDNS_CERTIFICATE or $MESHDNS_KEY. Without a server, returns that of the current context (contexts.h);
/// without one, the meshdnsd of this host: its socket, or the socket of a `meshdnsd --dev` of the same user.
/// errors: InvalidArgument or NotFound: the missing or unusable value
Result<ServerAccess> server_of(ServerFlags flags, std::int64_t unix_seconds);

}  // namespace meshdns::ctl
