#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.h"

namespace meshdns::rpc {

/// Where one end of TLS has its own certificate (PEM, with its chain), the key of that, and the certificates of those
/// who sign the other end's.
struct TlsFiles {
  std::string certificate, key, ca;

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

/// What is known of one of the files that have an end of validity.
struct TlsFile {
  std::string path;
  std::int64_t not_before = 0;  // unix seconds; 0 = unknown
  std::int64_t not_after = 0;
  std::string problem{};  // "expired on 2026-11-30T12:00:00Z", "No such file or directory"; empty = it can be used

  friend bool operator==(const TlsFile&, const TlsFile&) = default;
};

/// Whether the files can be used, whatever the time is.
/// errors: "FILE: why"; the first thing that is wrong
Result<void> check(const TlsFiles& files);

/// The own certificate and the authorities' file. Of several authorities in a file the one that lasts longest counts.
/// A key that does not belong to the certificate is a problem of the certificate.
std::vector<TlsFile> inspect(const TlsFiles& files, std::int64_t unix_seconds);

/// Whether the files can be used now.
/// errors: "FILE: why", a line each
Result<void> check_now(const TlsFiles& files, std::int64_t unix_seconds);

}  // namespace meshdns::rpc
