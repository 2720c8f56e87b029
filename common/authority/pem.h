#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"

// OpenSSL's EVP_PKEY, X509_REQ and X509. Its headers stay private to sources.
struct evp_pkey_st;
struct X509_req_st;
struct x509_st;

// Reads and writes PEM.
namespace meshdns::authority {

/// Frees what OpenSSL has made.
struct Free {
  void operator()(evp_pkey_st* key) const;
  void operator()(X509_req_st* request) const;
  void operator()(x509_st* certificate) const;
};
using Key = std::unique_ptr<evp_pkey_st, Free>;
using SigningRequest = std::unique_ptr<X509_req_st, Free>;
using Certificate = std::unique_ptr<x509_st, Free>;

/// Reads all certificates of a text.
/// errors: InvalidArgument: the text has none, or one of them is damaged
Result<std::vector<Certificate>> read_certificates(std::string_view pem);
/// Reads a private key without a passphrase.
/// errors: InvalidArgument: the text has none
Result<Key> read_key(std::string_view pem);
/// Reads a certificate signing request.
/// errors: InvalidArgument: the text has none
Result<SigningRequest> read_request(std::string_view pem);

// Each of these returns the PEM text.
// errors: Internal, with OpenSSL's reason

Result<std::string> pem_of(const x509_st* certificate);
Result<std::string> pem_of(const evp_pkey_st* key);
Result<std::string> pem_of(const X509_req_st* request);

/// Returns the error for a call of OpenSSL that has failed just now, and empties OpenSSL's list of errors.
Error openssl_error(std::string_view what);

}  // namespace meshdns::authority
