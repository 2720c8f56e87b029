#include "common/rpc/tls_files.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <algorithm>
#include <memory>
#include <utility>

#include "common/authority/description.h"
#include "common/authority/digest.h"
#include "common/authority/pem.h"
#include "common/base/whole_file.h"
#include "common/rpc/refusal.h"
#include "common/time/validity_text.h"

namespace meshdns::rpc {
namespace {

using authority::Certificate;
using authority::Description;

/// Describes all certificates of a file.
/// errors: "FILE: why": the file has none, or one of them is damaged
Result<std::vector<Description>> certificates_in(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return text.error();
  auto out = authority::describe(*text);
  return out ? out : out.error().with_context(path);
}

Result<std::vector<Certificate>> read_certificates(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return text.error();
  auto out = authority::read_certificates(*text);
  if (!out) return out.error().with_context(path);
  return out;
}

Result<authority::Key> read_key(const std::string& path) {
  const auto text = read_file(path);
  if (!text) return text.error();
  auto out = authority::read_key(*text);
  if (!out) return Error(Code::InvalidArgument, path + ": no private key in PEM, without a passphrase");
  return out;
}

std::string problem_at(const TlsFile& file, std::int64_t unix_seconds) {
  return validity_problem(file.not_before, file.not_after, unix_seconds);
}

TlsFile file_of(const std::string& path, const Description& certificate, std::int64_t unix_seconds) {
  TlsFile out{path, certificate.subject, certificate.not_before, certificate.not_after, ""};
  out.problem = problem_at(out, unix_seconds);
  return out;
}

TlsFile unusable(const std::string& path, const std::string& message) {
  TlsFile out{.path = path};
  out.problem = message.starts_with(path + ": ") ? message.substr(path.size() + 2) : message;
  return out;
}

TlsFile inspected(const std::string& path, std::int64_t unix_seconds) {
  const auto certificates = certificates_in(path);
  return certificates ? file_of(path, certificates->front(), unix_seconds)
                      : unusable(path, certificates.error().message());
}

/// Returns the validity of the certificate in the file that lasts longest: the authorities are independent, and one
/// that is valid is enough.
TlsFile inspected_authorities(const std::string& path, std::int64_t unix_seconds) {
  const auto certificates = certificates_in(path);
  if (!certificates) return unusable(path, certificates.error().message());
  TlsFile out = file_of(path, certificates->front(), unix_seconds);
  for (const Description& certificate : *certificates) {
    TlsFile other = file_of(path, certificate, unix_seconds);
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
  for (const std::string& path : files.more_ca) {
    if (const auto authorities = read_certificates(path); !authorities) return authorities.error();
  }
  const bool fits = X509_check_private_key(certificates->front().get(), key->get()) == 1;
  ERR_clear_error();
  if (!fits) return Error(Code::InvalidArgument, files.key + ": not the key of " + files.certificate);
  return {};
}

std::vector<TlsFile> inspect(const TlsFiles& files, std::int64_t unix_seconds) {
  std::vector<TlsFile> out = {inspected(files.certificate, unix_seconds),
                              inspected_authorities(files.ca, unix_seconds)};
  for (const std::string& path : files.more_ca) out.push_back(inspected_authorities(path, unix_seconds));
  const bool readable = out[0].not_after != 0 && out[1].not_after != 0;
  if (const auto usable = check(files); readable && !usable) out[0].problem = usable.error().message();
  return out;
}

Result<std::vector<std::string>> uris_of(const std::string& path) {
  auto certificates = certificates_in(path);
  if (!certificates) return certificates.error();
  return std::move(certificates->front().uris);
}

Result<void> check_pinned(std::string_view chain, std::string_view key_hash, std::int64_t unix_seconds) {
  const auto denied = [](std::string why) { return Error(Code::PermissionDenied, std::move(why)); };
  const auto found = authority::read_certificates(chain);
  if (!found) return denied("the server has shown no certificate");
  const auto authority = std::ranges::find_if(
      *found, [&](const Certificate& each) { return authority::hex(authority::key_digest(*each)) == key_hash; });
  if (authority == found->end()) return denied("its authority is not the one that the token names");
  const std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store(X509_STORE_new(), X509_STORE_free);
  const std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> context(X509_STORE_CTX_new(),
                                                                                X509_STORE_CTX_free);
  X509_STORE_add_cert(store.get(), authority->get());
  X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN);
  X509_STORE_CTX_init(context.get(), store.get(), found->front().get(), nullptr);
  X509_STORE_CTX_set_time(context.get(), 0, unix_seconds);
  const bool valid = X509_verify_cert(context.get()) == 1;
  const std::string why = valid ? "" : refusal_text(*context, unix_seconds);
  ERR_clear_error();
  return valid ? Result<void>{}
               : denied("its certificate cannot be verified with the authority that the token names: " + why);
}

std::string problem_text(const TlsFile& file, std::int64_t unix_seconds) {
  if (file.problem.empty() || file.problem != problem_at(file, unix_seconds)) return file.problem;
  return fmt::format("{}, the certificate of {}; {}", file.problem, file.subject, clock_hint(unix_seconds));
}

Result<void> check_now(const TlsFiles& files, std::int64_t unix_seconds) {
  std::string problems;
  for (const TlsFile& file : inspect(files, unix_seconds)) {
    if (file.problem.empty()) continue;
    problems += (problems.empty() ? "" : "\n") + file.path + ": " + problem_text(file, unix_seconds);
  }
  return problems.empty() ? Result<void>{} : Error(Code::InvalidArgument, problems);
}

}  // namespace meshdns::rpc
