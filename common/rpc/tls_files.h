#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"

namespace meshdns::rpc {

/// Where one end of TLS has its own certificate (PEM, with its chain), the key of that, and the certificates of those
/// who sign the other end's.
struct TlsFiles {
  std::string certificate, key, ca;

  friend bool operator==(const TlsFiles&, const TlsFiles&) = default;
};

/// Whether the files can be used.
/// errors: "FILE: why"; the first thing that is wrong
Result<void> check(const TlsFiles& files);

/// Whether the own certificate's time is over; false if it cannot be read.
bool is_expired(const TlsFiles& files, std::int64_t unix_seconds);

}  // namespace meshdns::rpc
