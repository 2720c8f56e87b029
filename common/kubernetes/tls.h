#pragma once

#include <string>
#include <string_view>

#include "common/base/result.h"

// OpenSSL's SSL_CTX and SSL. Its headers stay private to sources.
struct ssl_ctx_st;
struct ssl_st;

// What a client of the API server adds to OpenSSL's rules of TLS.
namespace meshdns::kubernetes {

/// Makes the context check each server's certificate against the authorities of a text, as Kubernetes' own clients do:
/// also an authority that another one has signed ends a chain.
/// pem: at least one certificate
/// errors: InvalidArgument: a certificate is damaged, or there is none
Result<void> trust(ssl_ctx_st* context, const std::string& pem);

/// Makes the handshake of a session check that the certificate is one of `host`.
/// host: an IP address or a name
void expect_host(ssl_st* session, const std::string& host);

/// Returns why the certificate of the server was not accepted: "IP address mismatch"; empty = it was, or none came.
std::string certificate_problem(const ssl_st* session);

}  // namespace meshdns::kubernetes
