#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/authority/pem.h"
#include "common/base/result.h"
#include "common/net/ip_address.h"

// The parts of a certificate that is being made. Functions that return false leave the reason in OpenSSL's list of
// errors (openssl_error()).
namespace meshdns::authority {

/// The names of a certificate's owner (subjectAltName).
struct Names {
  std::string uri;
  std::vector<std::string> dns{};
  std::vector<IpAddress> addresses{};
};

/// Makes a certificate of a public key, with a random serial number of 128 bits. It has no names, and is not signed.
/// from, until: unix seconds
/// errors:      Internal, with OpenSSL's reason
Result<Certificate> new_certificate(evp_pkey_st* key, std::int64_t from, std::int64_t until);
/// Returns the serial number, hexadecimal.
std::string serial_text(const x509_st* certificate);
/// Sets the common name, cut to the 64 characters that it may have. It is for people, and says nothing about the owner.
/// requires: `name` is ASCII
bool set_subject(x509_st* certificate, std::string_view name);
/// Notes in the subject that the owner is a pod in Kubernetes (organizational unit).
bool mark_as_of_pod(x509_st* certificate);
/// Whether mark_as_of_pod() was called for a certificate.
bool is_of_pod(const x509_st* certificate);
/// Adds an extension in the words of OpenSSL's configuration. Never give it a text from elsewhere.
/// kind:   OpenSSL's number of the extension
/// issuer: for the identifier of the issuer's key
bool add_extension(x509_st* certificate, x509_st* issuer, int kind, const char* words);
bool add_names(x509_st* certificate, const Names& names);

}  // namespace meshdns::authority
