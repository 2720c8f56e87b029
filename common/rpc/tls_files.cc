#include "common/rpc/tls_files.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include "common/time/time_text.h"

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

/// Gives no passphrase. OpenSSL's default callback would ask for one on the terminal.
int no_passphrase(char*, int, int, void*) { return 0; }

Result<File> open(const std::string& path) {
  errno = 0;
  File file(BIO_new_file(path.c_str(), "r"));
  const int why = errno == 0 ? EIO : errno;
  ERR_clear_error();
  if (file == nullptr) return Error(why == ENOENT ? Code::NotFound : Code::Unavailable, path + ": " + strerror(why));
  return file;
}

/// Reads all certificates of a file.
/// errors: the file has none, or one of them is damaged
Result<std::vector<Certificate>> read_certificates(const std::string& path) {
  auto file = open(path);
  if (!file) return file.error();
  std::vector<Certificate> out;
  while (X509* next = PEM_read_bio_X509(file->get(), nullptr, no_passphrase, nullptr)) out.emplace_back(next);
  const bool ended = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (out.empty()) return Error(Code::InvalidArgument, path + ": no certificate in PEM");
  if (!ended) return Error(Code::InvalidArgument, path + ": a certificate is damaged");
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

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? ::timegm(&parts) : 0;
}

/// source: RFC 2253
std::string subject_of(const X509& certificate) {
  const File text(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(text.get(), X509_get_subject_name(&certificate), 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(text.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

/// Returns the SHA-256 of a certificate's public key, hexadecimal.
std::string key_hash_of(X509& certificate) {
  unsigned char* key = nullptr;
  const int key_size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &key);
  if (key_size <= 0) return "";
  std::array<unsigned char, EVP_MAX_MD_SIZE> hash;
  unsigned int size = 0;
  EVP_Digest(key, static_cast<std::size_t>(key_size), hash.data(), &size, EVP_sha256(), nullptr);
  OPENSSL_free(key);
  std::string out;
  for (unsigned int i = 0; i < size; ++i) out += fmt::format("{:02x}", hash[i]);
  return out;
}

std::string time_problem(const TlsFile& file, std::int64_t unix_seconds) {
  if (unix_seconds > file.not_after) return "expired on " + time_text(file.not_after);
  return unix_seconds < file.not_before ? "not valid before " + time_text(file.not_before) : "";
}

TlsFile inspected(const std::string& path, std::int64_t unix_seconds) {
  TlsFile out{.path = path};
  const auto certificates = read_certificates(path);
  if (!certificates) {
    const std::string message = certificates.error().message();
    out.problem = message.starts_with(path + ": ") ? message.substr(path.size() + 2) : message;
    return out;
  }
  out.subject = subject_of(*certificates->front());
  out.not_before = seconds_of(X509_get0_notBefore(certificates->front().get()));
  out.not_after = seconds_of(X509_get0_notAfter(certificates->front().get()));
  out.problem = time_problem(out, unix_seconds);
  return out;
}

/// Returns the validity of the certificate in the file that lasts longest: the authorities are independent, and one
/// that is valid is enough.
TlsFile inspected_authorities(const std::string& path, std::int64_t unix_seconds) {
  TlsFile out = inspected(path, unix_seconds);
  const auto certificates = read_certificates(path);
  if (!certificates) return out;
  for (const Certificate& certificate : *certificates) {
    TlsFile other{path, subject_of(*certificate), seconds_of(X509_get0_notBefore(certificate.get())),
                  seconds_of(X509_get0_notAfter(certificate.get())), ""};
    other.problem = time_problem(other, unix_seconds);
    const bool better = other.problem.empty() && (!out.problem.empty() || other.not_after > out.not_after);
    if (better) out = std::move(other);
  }
  return out;
}

}  // namespace

Result<void> check(const TlsFiles& files) {
  const auto certificates = read_certificates(files.certificate);
  if (!certificates) return certificates.error();
  const auto key = read_key(files.key);
  if (!key) return key.error();
  if (const auto authorities = read_certificates(files.ca); !authorities) return authorities.error();
  const bool fits = X509_check_private_key(certificates->front().get(), key->get()) == 1;
  ERR_clear_error();
  if (!fits) return Error(Code::InvalidArgument, files.key + ": not the key of " + files.certificate);
  return {};
}

std::vector<TlsFile> inspect(const TlsFiles& files, std::int64_t unix_seconds) {
  std::vector<TlsFile> out = {inspected(files.certificate, unix_seconds),
                              inspected_authorities(files.ca, unix_seconds)};
  const bool readable = out[0].not_after != 0 && out[1].not_after != 0;
  if (const auto usable = check(files); readable && !usable) out[0].problem = usable.error().message();
  return out;
}

Result<std::vector<std::string>> uris_of(const std::string& path) {
  const auto certificates = read_certificates(path);
  if (!certificates) return certificates.error();
  const std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES_free>> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificates->front().get(), NID_subject_alt_name, nullptr, nullptr)));
  std::vector<std::string> out;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    out.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(uri)),
                     static_cast<std::size_t>(ASN1_STRING_length(uri)));
  }
  return out;
}

Result<void> check_pinned(std::string_view chain, std::string_view key_hash) {
  const auto denied = [](std::string why) { return Error(Code::PermissionDenied, std::move(why)); };
  const File text(BIO_new_mem_buf(chain.data(), static_cast<int>(chain.size())));
  std::vector<Certificate> found;
  while (X509* next = PEM_read_bio_X509(text.get(), nullptr, no_passphrase, nullptr)) found.emplace_back(next);
  ERR_clear_error();
  if (found.empty()) return denied("the server has shown no certificate");
  const auto authority =
      std::ranges::find_if(found, [&](const Certificate& each) { return key_hash_of(*each) == key_hash; });
  if (authority == found.end()) return denied("its authority is not the one that the token names");
  const std::unique_ptr<X509_STORE, Free<X509_STORE_free>> store(X509_STORE_new());
  const std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  X509_STORE_add_cert(store.get(), authority->get());
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  X509_STORE_CTX_init(context.get(), store.get(), found.front().get(), nullptr);
  const bool valid = X509_verify_cert(context.get()) == 1;
  const std::string why = X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get()));
  ERR_clear_error();
  return valid ? Result<void>{} : denied("its certificate is not of the authority that the token names: " + why);
}

Result<void> check_now(const TlsFiles& files, std::int64_t unix_seconds) {
  std::string problems;
  for (const TlsFile& file : inspect(files, unix_seconds)) {
    if (!file.problem.empty()) problems += (problems.empty() ? "" : "\n") + file.path + ": " + file.problem;
  }
  return problems.empty() ? Result<void>{} : Error(Code::InvalidArgument, problems);
}

}  // namespace meshdns::rpc
