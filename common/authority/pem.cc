#include "common/authority/pem.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace meshdns::authority {
namespace {

struct FreeText {
  void operator()(BIO* text) const { BIO_free(text); }
};
using Text = std::unique_ptr<BIO, FreeText>;

/// Gives no passphrase. OpenSSL's default callback would ask for one on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

/// Returns a text for OpenSSL to read. The view must outlive it.
Text reader_of(std::string_view pem) { return Text(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))); }

/// Returns what `write` writes.
template <class Write>
Result<std::string> written(std::string_view what, Write write) {
  const Text text(BIO_new(BIO_s_mem()));
  if (text == nullptr || write(text.get()) != 1) return openssl_error(what);
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Error absent(std::string_view what) {
  ERR_clear_error();
  return {Code::InvalidArgument, std::string("no ") + std::string(what) + " in PEM"};
}

}  // namespace

void Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void Free::operator()(X509_req_st* request) const { X509_REQ_free(request); }
void Free::operator()(x509_st* certificate) const { X509_free(certificate); }

Result<std::vector<Certificate>> read_certificates(std::string_view pem) {
  const Text text = reader_of(pem);
  if (text == nullptr) return openssl_error("certificates");
  std::vector<Certificate> out;
  while (X509* next = PEM_read_bio_X509(text.get(), nullptr, no_passphrase, nullptr)) out.emplace_back(next);
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (!ended) return Error(Code::InvalidArgument, "a certificate is damaged");
  if (out.empty()) return absent("certificate");
  return out;
}

Result<Key> read_key(std::string_view pem) {
  const Text text = reader_of(pem);
  if (text == nullptr) return openssl_error("key");
  Key out(PEM_read_bio_PrivateKey(text.get(), nullptr, no_passphrase, nullptr));
  ERR_clear_error();
  if (out == nullptr) return absent("private key, without a passphrase,");
  return out;
}

Result<SigningRequest> read_request(std::string_view pem) {
  const Text text = reader_of(pem);
  if (text == nullptr) return openssl_error("request");
  SigningRequest out(PEM_read_bio_X509_REQ(text.get(), nullptr, no_passphrase, nullptr));
  if (out == nullptr) return absent("certificate signing request");
  return out;
}

Result<std::string> pem_of(const x509_st* certificate) {
  return written("certificate", [&](BIO* text) { return PEM_write_bio_X509(text, certificate); });
}
Result<std::string> pem_of(const evp_pkey_st* key) {
  return written("key", [&](BIO* text) {
    return PEM_write_bio_PKCS8PrivateKey(text, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}
Result<std::string> pem_of(const X509_req_st* request) {
  return written("request", [&](BIO* text) { return PEM_write_bio_X509_REQ(text, request); });
}

Error openssl_error(std::string_view what) {
  const char* reason = ERR_reason_error_string(ERR_peek_last_error());
  ERR_clear_error();
  return {Code::Internal, std::string(what) + ": OpenSSL: " + (reason == nullptr ? "failed" : reason)};
}

}  // namespace meshdns::authority
