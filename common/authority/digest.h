#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// OpenSSL's EVP_PKEY and X509. Its headers stay private to sources.
struct evp_pkey_st;
struct x509_st;

// Hashes and random bytes, as OpenSSL makes them.
namespace meshdns::authority {

inline constexpr std::size_t kDigestBytes = 32;

/// Returns the SHA-256 of bytes: kDigestBytes bytes.
std::string sha256(std::string_view bytes);
/// Compares two secrets, or their hashes, in a time that does not depend on where they differ.
bool equal_secrets(std::string_view a, std::string_view b);
/// Returns random bytes that nobody can guess, as hexadecimal digits.
/// requires: the system has random bytes; the process ends otherwise
std::string random_hex(std::size_t bytes);
std::string hex(std::string_view bytes);
/// Returns the SHA-256 of a public key (SubjectPublicKeyInfo): kDigestBytes bytes.
std::string key_digest(const evp_pkey_st* key);
/// Returns the same for the public key of a certificate; empty = OpenSSL cannot encode it.
std::string key_digest(const x509_st& certificate);

}  // namespace meshdns::authority
