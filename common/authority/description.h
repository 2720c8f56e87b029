#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// OpenSSL's X509. Its headers stay private to sources.
struct x509_st;

namespace meshdns::authority {

/// The content of a certificate, for people and for whoever decides by it. The texts come from the certificate and may
/// contain any character.
struct Description {
  bool is_authority = false;           // may sign other certificates
  bool of_pod = false;                 // its owner is a pod: only a token of a living pod renews it
  std::string subject;                 // "CN=node eu-1/n7" (RFC 2253)
  std::vector<std::string> uris;       // of subjectAltName
  std::vector<std::string> addresses;  // its DNS names and IP addresses
  std::int64_t not_before = 0;         // unix seconds
  std::int64_t not_after = 0;
  std::string serial;    // hexadecimal
  std::string key_hash;  // SHA-256 of the public key (SubjectPublicKeyInfo), hexadecimal
};

/// Describes all certificates of a PEM text, in their order.
/// errors: InvalidArgument: the text has none, or one of them is damaged
Result<std::vector<Description>> describe(std::string_view certificates);

/// Describes one certificate that OpenSSL has read.
Description describe(x509_st& certificate);

}  // namespace meshdns::authority
