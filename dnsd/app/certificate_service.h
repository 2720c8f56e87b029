#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "common/membership/renewal.h"
#include "common/metrics/samples.h"
#include "common/rpc/tls_files.h"
#include "common/rpc/tls_watch.h"
#include "dnsd/app/authority_follower.h"
#include "dnsd/app/role.h"
#include "dnsd/enrolment/own_certificate.h"

namespace meshdns::dnsd::app {

/// The role that watches the TLS files of the federation or of the replica. Shows nothing in a process without TLS.
/// thread: control
class CertificateService : public Role {
 public:
  /// Begins to watch the files, if there are any. `clock` and `timers` must outlive the service.
  void start(const std::optional<rpc::TlsFiles>& files, const Clock& clock, Timers& timers) {
    if (files) watch_.emplace(*files, clock, timers);
  }
  /// Signs the certificate of a federation that has an authority of its own, now and while the process runs. Called
  /// before start(), which watches the files.
  /// errors: those of OwnCertificate::start()
  Result<void> sign(enrolment::OwnCertificate::Options options, const Clock& clock, Timers& timers) {
    return own_.emplace(std::move(options), clock, timers).start();
  }
  /// Renews the certificate while the process runs: one that a token has brought.
  void renew(membership::Member member, const Clock& clock, process::EventLoop& loop) {
    renewal_.emplace(loop, clock, std::move(member));
  }
  /// Keeps the authority equal to the one in a Secret while the process runs.
  void follow(const AuthoritySecretSettings& settings, const Clock& clock, process::EventLoop& loop) {
    follower_.emplace(settings, loop, clock);
  }
  void write(v1::StatusReply& out) const override {
    if (follower_ && !follower_->secret().trouble().empty())
      out.add_identity_troubles("authority in Secret " + follower_->secret().name() + ": " +
                                follower_->secret().trouble());
    if (!watch_) return;
    for (const rpc::TlsFile& file : watch_->files()) {
      v1::CertificateInfo& info = *out.add_certificates();
      info.set_file(file.path);
      info.set_not_after(file.not_after);
      info.set_problem(file.problem);
    }
  }
  void collect(std::vector<metrics::Sample>& out) const override {
    if (watch_) rpc::collect_samples(*watch_, out);
    if (follower_)
      metrics::gauge(out, "meshdns_federation_authority_followed", "1 while the authority's Secret can be read", {},
                     follower_->secret().trouble().empty() ? 1 : 0);
  }

 private:
  std::optional<rpc::TlsWatch> watch_;
  std::optional<membership::Renewal> renewal_;
  std::optional<enrolment::OwnCertificate> own_;
  std::optional<AuthorityFollower> follower_;
};

}  // namespace meshdns::dnsd::app
