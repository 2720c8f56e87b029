#include "agent/probes/tls_client.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <sys/stat.h>

#include <system_error>
#include <utility>

#include "common/base/text.h"

namespace meshdns::probes {
namespace {

constexpr std::size_t kMostKept = 1024;  // contexts; more are only seen after as many changes of the configuration
constexpr std::int64_t kHour = 3600;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kNoted = 14 * kDay;  // a certificate that lasts longer is not mentioned

/// Appends what changes when a file is written or replaced.
void append_stamp(std::vector<std::int64_t>& out, const std::string& path) {
  struct stat found {};
  if (path.empty() || ::stat(path.c_str(), &found) != 0) return out.push_back(-1);
  out.push_back(static_cast<std::int64_t>(found.st_ino));
  out.push_back(found.st_size);
  out.push_back(found.st_mtim.tv_sec);
  out.push_back(found.st_mtim.tv_nsec);
}

/// Takes the first error of OpenSSL's queue, which is the cause of the others.
Error file_error(const std::string& path) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  return {Code::FailedPrecondition, path + ": " + tls_reason(code)};
}

/// An encrypted key fails; without this, OpenSSL would ask for its password at the terminal.
int no_password(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*data*/) { return 0; }

Result<void> read_files(SSL_CTX* context, const TlsOptions& options) {
  if (options.ca.empty()) {
    SSL_CTX_set_default_verify_paths(context);
  } else if (SSL_CTX_load_verify_file(context, options.ca.c_str()) != 1) {
    return file_error(options.ca);
  }
  if (options.cert.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, options.cert.c_str()) != 1) return file_error(options.cert);
  if (SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) != 1) return file_error(options.key);
  return {};
}

Result<std::shared_ptr<SSL_CTX>> make_context(const TlsOptions& options) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  if (context == nullptr) return file_error("TLS");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_default_passwd_cb(context.get(), no_password);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);  // connections are kept, and mostly idle
  SSL_CTX_set_verify(context.get(), options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  // An authority that another one has signed ends a chain too, if it is what `ca` names.
  if (!options.ca.empty()) X509_STORE_set_flags(SSL_CTX_get_cert_store(context.get()), X509_V_FLAG_PARTIAL_CHAIN);
  if (const auto read = read_files(context.get(), options); !read) return read.error();
  return context;
}

}  // namespace

void TlsClient::Free::operator()(ssl_st* session) const { SSL_free(session); }

Result<std::shared_ptr<ssl_ctx_st>> TlsClient::context(const TlsOptions& options) {
  std::vector<std::int64_t> stamp;
  for (const std::string* path : {&options.ca, &options.cert, &options.key}) append_stamp(stamp, *path);
  const Files files{options.verify, options.ca, options.cert, options.key};
  const auto kept = kept_.find(files);
  if (kept != kept_.end() && kept->second.stamp == stamp) return kept->second.context;
  auto made = make_context(options);
  if (!made) return made.error();
  if (kept_.size() >= kMostKept) kept_.clear();
  kept_.insert_or_assign(files, Kept{std::move(stamp), *made});
  return *made;
}

Result<TlsClient::Session> TlsClient::session(const TlsOptions& options, const IpAddress& address) {
  const auto of_files = context(options);
  if (!of_files) return of_files.error();
  Session session(SSL_new(of_files->get()));
  if (session == nullptr) return file_error("TLS");
  if (options.server_name.empty()) {
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), address.text().c_str());
  } else {
    SSL_set1_host(session.get(), options.server_name.c_str());
    SSL_set_tlsext_host_name(session.get(), options.server_name.c_str());
  }
  return session;
}

std::string certificate_problem(const ssl_st* session) {
  const long result = SSL_get_verify_result(session);
  return result == X509_V_OK ? "" : X509_verify_cert_error_string(result);
}

std::optional<std::int64_t> seconds_left(const ssl_st* session) {
  const X509* certificate = SSL_get0_peer_certificate(session);
  if (certificate == nullptr) return std::nullopt;
  int days = 0;
  int seconds = 0;
  if (ASN1_TIME_diff(&days, &seconds, nullptr, X509_get0_notAfter(certificate)) != 1) return std::nullopt;
  return days * kDay + seconds;
}

std::string certificate_note(std::int64_t left) {
  if (left >= kNoted) return "";
  const auto age = static_cast<std::uint64_t>(left < 0 ? -left : left);
  const auto text = age >= kDay ? counted(age / kDay, "day") : counted(age / kHour, "hour");
  return left < 0 ? "certificate ended " + text + " ago" : "certificate ends in " + text;
}

std::string tls_reason(unsigned long code) {
  if (ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  const char* reason = ERR_reason_error_string(code);
  return reason == nullptr ? "error " + std::to_string(code) : reason;
}

}  // namespace meshdns::probes
