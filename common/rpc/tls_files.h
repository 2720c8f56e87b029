#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

namespace meshdns::rpc {

/// The paths of one end's TLS files, all PEM: its own certificate with its chain, the certificate's key, and the
/// authorities (ca) that may sign the other end's certificate.
struct TlsFiles {
  std::string certificate, key, ca;
  std::vector<std::string> more_ca{};  // further files of authorities

  friend auto operator<=>(const TlsFiles&, const TlsFiles&) = default;
};

/// The validity of one file with certificates.
struct TlsFile {
  std::string path;
  std::string subject{};        // "CN=n7,O=Example"; empty = unknown
  std::int64_t not_before = 0;  // unix seconds; 0 = unknown
  std::int64_t not_after = 0;
  std::string problem{};  // "expired at 2026-11-30T12:00:00Z", "No such file or directory"; empty = can be used

  friend bool operator==(const TlsFile&, const TlsFile&) = default;
};

/// Checks whether the files can be read and belong together. Ignores the time: an expired certificate passes.
/// errors: "FILE: why", for the first problem
Result<void> check(const TlsFiles& files);

/// Returns the validity of the own certificate and of each file of authorities. If a file has several authorities, the
/// one that lasts longest counts. A key that does not belong to the certificate is reported as the certificate's
/// problem.
std::vector<TlsFile> inspect(const TlsFiles& files, std::int64_t unix_seconds);

/// Returns the URIs (subjectAltName) of the first certificate of a file.
/// errors: "FILE: why": no certificate can be read
Result<std::vector<std::string>> uris_of(const std::string& path);

/// Checks that a server's chain ends at the authority with a certain key: the first certificate is valid at the time
/// and signed by a certificate of the chain that has this key.
///
/// chain:    PEM
///
/// key_hash: SHA-256 of the authority's public key (SubjectPublicKeyInfo), hexadecimal
/// errors:   PermissionDenied, with the reason
Result<void> check_pinned(std::string_view chain, std::string_view key_hash, std::int64_t unix_seconds);

/// Returns the problem of a file for people. If the time is the problem, the text says whose certificate it is and what
/// this machine's clock says, which may be wrong. Empty = the file can be used.
std::string problem_text(const TlsFile& file, std::int64_t unix_seconds);

/// Checks whether the files can be used at a time.
/// errors: "FILE: why", one line for each problem; see problem_text()
Result<void> check_now(const TlsFiles& files, std::int64_t unix_seconds);

}  // namespace meshdns::rpc
