#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "agent/probes/check.h"
#include "common/base/result.h"
#include "common/net/ip_address.h"

// OpenSSL's SSL_CTX and SSL. Its headers stay private to sources.
struct ssl_ctx_st;
struct ssl_st;

namespace meshdns::probes {

/// The client side of TLS for all checks of an agent.
///
/// How it works: an SSL_CTX holds what the files of a check say. Reading them costs a millisecond, and authorities cost
/// up to a megabyte, so that checks with equal files share one SSL_CTX. Each connection asks the file system whether
/// the files are still the same (stat), so that a renewed certificate is used from the next connection on.
/// thread: the loop's
class TlsClient {
 public:
  struct Free {
    void operator()(ssl_st* session) const;
  };
  using Session = std::unique_ptr<ssl_st, Free>;

  /// Returns the session of a new connection. Its handshake verifies the server's certificate if the options say so.
  /// address: of the server; the certificate has to name it if the options have no server_name
  /// errors:  FailedPrecondition, "FILE: why": a file cannot be read, or the key belongs to another certificate
  Result<Session> session(const TlsOptions& options, const IpAddress& address);

 private:
  using Files = std::tuple<bool, std::string, std::string, std::string>;  // verify, ca, cert, key
  struct Kept {
    std::vector<std::int64_t> stamp;  // of the files when they were read
    std::shared_ptr<ssl_ctx_st> context;
  };

  Result<std::shared_ptr<ssl_ctx_st>> context(const TlsOptions& options);

  std::map<Files, Kept> kept_;
};

/// Returns why the server's certificate was not accepted: "certificate has expired"; empty = it was, or none came.
std::string certificate_problem(const ssl_st* session);

/// Returns the seconds until the server's certificate ends, negative if it has ended; nothing = there is none. The
/// clock is OpenSSL's, by which it also verifies.
std::optional<std::int64_t> seconds_left(const ssl_st* session);

/// Returns a note for the detail of a check: "certificate ends in 13 days". The note changes at most once an hour, so
/// that results which only differ in it are rare.
/// left:    seconds until the end; negative = it has ended, which a check with `verify: false` accepts
/// returns: empty = there are 14 days or more left
std::string certificate_note(std::int64_t left);

/// Returns OpenSSL's reason for an error code of its queue: "wrong version number".
std::string tls_reason(unsigned long code);

}  // namespace meshdns::probes
