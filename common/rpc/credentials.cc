#include "common/rpc/credentials.h"

#include <absl/synchronization/mutex.h>
#include <grpc/support/log.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "common/base/text.h"
#include "common/log/log.h"
#include "common/rpc/peer_ration.h"
#include "common/rpc/plain_words.h"
#include "common/rpc/tls_copies.h"

namespace meshdns::rpc {
namespace {

constexpr unsigned kLookEvery = 1;  // seconds

std::shared_ptr<grpc::experimental::CertificateProviderInterface> watch(const TlsFiles& named) {
  const TlsFiles files = copies_of(named);
  return std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(files.key, files.certificate, files.ca,
                                                                              kLookEvery);
}

/// Returns the reason in "Handshake failed ...: error:0A000086:SSL routines::certificate verify failed."; empty = the
/// message is not about a handshake.
std::string reason_of_handshake(const std::string& message) {
  const auto reason = message.rfind("::");
  if (!message.starts_with("Handshake failed") || reason == std::string::npos) return "";
  return message.substr(reason + 2, message.size() - reason - 3);
}

WallClock log_clock = nullptr;  // set by prepare_process()

/// Logs a refused connection; at most once a minute for the same address, certificate and reason.
void log_failed(const FailedHandshake& failed, const std::string& reason) {
  static PeerRation& ration = *new PeerRation;  // never freed: gRPC's threads log until the process ends
  const std::string& why = failed.mistrust.empty() ? failed.alert : failed.mistrust;
  const std::string host = failed.peer.substr(0, failed.peer.rfind(':'));
  const std::string lasting = why.substr(0, why.find("this machine's clock"));  // the time after it is always another
  const auto left_out = ration.admit(host, join({failed.subject, reason, lasting}, "\n"), log_clock());
  if (!left_out) return;
  const std::string more = *left_out == 0 ? "" : " (and " + std::to_string(*left_out) + " more times)";
  const std::string error = (why.empty() ? reason : reason + ": " + why) + more;
  const std::string subject = failed.subject.empty() ? "none" : failed.subject;
  if (failed.server) {
    log::warn("tls handshake failed", {{"error", error}, {"peer", failed.peer}, {"subject", subject}});
  } else {
    log::warn("tls handshake failed", {{"error", error}, {"subject", subject}});
  }
}

void log_grpc(gpr_log_func_args* args) {
  const std::string message = args->message;
  if (args->severity != GPR_LOG_SEVERITY_ERROR) return log::info("grpc", {{"message", message}});
  const std::string reason = reason_of_handshake(message);
  if (reason.empty()) return log::error("grpc", {{"error", message}});
  log_failed(last_failed_handshake(), reason);
}

/// Logs that a server has refused this end after the handshake.
void log_late(const FailedHandshake& failed) { log_failed(failed, "refused by the server"); }

/// Accepts a server that has the address of the channel in its certificate, and that an identity::ServerCheck accepts.
class ServerVerifier : public grpc::experimental::ExternalCertificateVerifier {
 public:
  explicit ServerVerifier(identity::ServerCheck check) : check_(std::move(check)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)>,
              grpc::Status* status) override {
    address_.Verify(request, {}, status);  // it never waits, so the status is there
    if (!status->ok()) return true;
    std::vector<std::string> uris;
    for (const grpc::string_ref& uri : request->uri_names()) uris.emplace_back(uri.data(), uri.size());
    if (const auto fits = check_(uris); !fits)
      *status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(kNotExpected) + fits.error().message());
    return true;
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  const identity::ServerCheck check_;
  grpc::experimental::HostNameCertificateVerifier address_;
};

/// Accepts what a ServerVerifier accepts, if the server's chain ends at the authority with a certain key.
class PinnedVerifier : public grpc::experimental::ExternalCertificateVerifier {
 public:
  PinnedVerifier(std::string key_hash, identity::ServerCheck check, std::int64_t unix_seconds)
      : key_hash_(std::move(key_hash)), unix_seconds_(unix_seconds), server_(std::move(check)) {}

  bool Verify(grpc::experimental::TlsCustomVerificationCheckRequest* request, std::function<void(grpc::Status)> done,
              grpc::Status* status) override {
    const grpc::string_ref chain = request->peer_cert_full_chain();
    if (const auto pinned = check_pinned({chain.data(), chain.size()}, key_hash_, unix_seconds_); !pinned) {
      *status = grpc::Status(grpc::StatusCode::UNAUTHENTICATED, std::string(kNotExpected) + pinned.error().message());
      return true;
    }
    return server_.Verify(request, std::move(done), status);
  }
  void Cancel(grpc::experimental::TlsCustomVerificationCheckRequest*) override {}

 private:
  const std::string key_hash_;
  const std::int64_t unix_seconds_;
  ServerVerifier server_;
};

void prepare(gpr_log_func log) {
  gpr_set_log_function(log);
  // gRPC 1.51 has no setting for the minimum version. Its list of ciphers applies to TLS 1.2 only and may not be empty:
  // with only a pre-shared-key cipher in the list, and no such keys, no handshake of TLS 1.2 can succeed.
  ::setenv("GRPC_SSL_CIPHER_SUITES", "PSK-AES128-GCM-SHA256", 1);
}

}  // namespace

std::shared_ptr<grpc::ServerCredentials> server_credentials(const std::optional<TlsFiles>& files,
                                                            ClientCertificate client) {
  if (!files) return grpc::InsecureServerCredentials();
  grpc::experimental::TlsServerCredentialsOptions options(watch(*files));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  options.set_cert_request_type(client == ClientCertificate::Required
                                    ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                    : GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const std::optional<TlsFiles>& files,
                                                              identity::ServerCheck check) {
  if (!files) return grpc::InsecureChannelCredentials();
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(watch(*files));
  options.watch_identity_key_cert_pairs();
  options.watch_root_certs();
  if (check) {
    options.set_certificate_verifier(
        grpc::experimental::ExternalCertificateVerifier::Create<ServerVerifier>(std::move(check)));
  }
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> pinned_credentials(std::string key_hash, identity::ServerCheck check,
                                                             std::int64_t unix_seconds) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_verify_server_certs(false);  // there is no authority to verify with yet: PinnedVerifier does it
  options.set_certificate_verifier(grpc::experimental::ExternalCertificateVerifier::Create<PinnedVerifier>(
      std::move(key_hash), std::move(check), unix_seconds));
  return grpc::experimental::TlsCredentials(options);
}

std::shared_ptr<grpc::ChannelCredentials> authority_credentials(const std::string& authorities,
                                                                identity::ServerCheck check) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(std::make_shared<grpc::experimental::StaticDataCertificateProvider>(authorities));
  options.watch_root_certs();
  options.set_certificate_verifier(
      grpc::experimental::ExternalCertificateVerifier::Create<ServerVerifier>(std::move(check)));
  return grpc::experimental::TlsCredentials(options);
}

void prepare_process(WallClock clock) {
  log_clock = clock;
  prepare(log_grpc);
  watch_handshakes(clock, log_late);
  // Debian builds Abseil with the detection on: each lock of gRPC is looked up in a graph under a global lock, which
  // took 5 to 8 % of the CPU for the heartbeats of 3,000 agents. All that a finding would do is abort the daemon.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
}

void prepare_command(WallClock clock) {
  prepare([](gpr_log_func_args*) {});
  watch_handshakes(clock, nullptr);
}

}  // namespace meshdns::rpc
