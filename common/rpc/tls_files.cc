#include "common/rpc/tls_files.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace meshdns::rpc {
namespace {

template <auto free>
struct Free {
  template <class T>
  void operator()(T* what) const {
    free(what);
  }
};
using File = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

/// Instead of OpenSSL's, which asks on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

Result<File> open(const std::string& path) {
  errno = 0;
  File file(BIO_new_file(path.c_str(), "r"));
  const int why = errno == 0 ? EIO : errno;
  ERR_clear_error();
  if (file == nullptr) return Error(why == ENOENT ? Code::NotFound : Code::Unavailable, path + ": " + strerror(why));
  return file;
}

Result<Certificate> read_certificate(const std::string& path) {
  auto file = open(path);
  if (!file) return file.error();
  Certificate out(PEM_read_bio_X509(file->get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (out == nullptr) return Error(Code::InvalidArgument, path + ": no certificate in PEM");
  return out;
}

Result<Key> read_key(const std::string& path) {
  auto file = open(path);
  if (!file) return file.error();
  Key out(PEM_read_bio_PrivateKey(file->get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (out == nullptr) return Error(Code::InvalidArgument, path + ": no private key in PEM, without a passphrase");
  return out;
}

}  // namespace

Result<void> check(const TlsFiles& files) {
  const auto certificate = read_certificate(files.certificate);
  if (!certificate) return certificate.error();
  const auto key = read_key(files.key);
  if (!key) return key.error();
  if (const auto ca = read_certificate(files.ca); !ca) return ca.error();
  const bool fits = X509_check_private_key(certificate->get(), key->get()) == 1;
  ERR_clear_error();
  if (!fits) return Error(Code::InvalidArgument, files.key + ": not the key of " + files.certificate);
  return {};
}

bool is_expired(const TlsFiles& files, std::int64_t unix_seconds) {
  const auto certificate = read_certificate(files.certificate);
  time_t now = unix_seconds;
  return certificate && X509_cmp_time(X509_get0_notAfter(certificate->get()), &now) < 0;
}

}  // namespace meshdns::rpc
