#pragma once

#include <cstdint>
#include <string>

#include "tests/support/temporary_folder.h"

struct ssl_ctx_st;
struct evp_pkey_st;
struct x509_st;

namespace meshdns::probes {

/// What a certificate says.
struct Wanted {
  std::string name = "IP:127.0.0.1";  // subjectAltName
  std::int64_t begins = -3600;        // seconds from now
  std::int64_t ends = std::int64_t{86400} * 365;
};

/// An authority of a test, and the files of the certificates that it signs.
class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  /// Signs a certificate with a key of its own. Writes NAME.crt and NAME.key.
  void sign(const std::string& name, const Wanted& wanted) const;
  /// The path of NAME.crt, NAME.key, or of ca.crt.
  std::string path(const std::string& file) const { return folder_.path(file); }
  const std::string& folder() const { return folder_.path(); }

 private:
  meshdns::test::TemporaryFolder folder_;
  evp_pkey_st* key_;
  x509_st* certificate_;
};

/// The TLS of a server with one certificate.
class ServerTls {
 public:
  /// client_ca: a client has to show a certificate of this authority; empty = none
  ServerTls(const std::string& certificate, const std::string& key, const std::string& client_ca = "");
  ~ServerTls();
  ServerTls(const ServerTls&) = delete;
  ServerTls& operator=(const ServerTls&) = delete;
  ssl_ctx_st* context() const { return context_; }

 private:
  ssl_ctx_st* context_;
};

}  // namespace meshdns::probes
