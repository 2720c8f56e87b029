#include <utility>

#include "common/convert/report_convert.h"
#include "common/rpc/stream_limits.h"
#include "dnsd/app/federation_role.h"

// How FederationRole gives certificates to those who have a token, and to pods.

namespace meshdns::dnsd::app {

Result<void> FederationRole::open_enrolment() {
  const auto folder = configuration().authority();
  if (!folder) return {};
  auto enrolment = enrolment::Enrolment::open(
      {*folder, configuration().file.data_dir() + "/tokens", configuration().file.cluster(),
       convert::from_wire(configuration().file.federation().certificate_lifetime()), configuration().signs_own()});
  if (!enrolment) return enrolment.error().with_context("federation.authority");
  enrolment_.emplace(*std::move(enrolment));
  if (configuration().kubernetes.pods) pods_.emplace(*configuration().kubernetes.pods, env_.loop, clock());
  return {};
}

void FederationRole::enroll(const v1::EnrollRequest& request, const identity::Proof& applicant,
                            federation::Enrolled done) {
  const bool by_pod = !request.service_account_token().empty() && enrolment::check_request(request);
  if (!by_pod || !pods_) {
    auto out = enrolment_->enroll(request, applicant, clock().now(), clock().unix_seconds());
    note_enrolment(request, applicant, out);
    return done(std::move(out));
  }
  // the request exists until `done` is called
  pods_->reviews.review(
      request.service_account_token(), rpc::quota_address(applicant.peer),
      [this, &request, applicant, done = std::move(done)](const Result<kubernetes::ReviewedToken>& reviewed) {
        const auto who = reviewed ? enrolment::identity_of(*reviewed, pods_->accounts, configuration().file.cluster(),
                                                           request.name())
                                  : reviewed.error();
        auto out = enrolment_->enroll_pod(request, applicant, who, clock().now(), clock().unix_seconds());
        note_enrolment(request, applicant, out);
        done(std::move(out));
      });
}

void FederationRole::note_enrolment(const v1::EnrollRequest& request, const identity::Proof& applicant,
                                    const Result<v1::EnrollReply>& out) {
  const std::string who = identity::text(applicant.who.value_or(identity::Identity{}));
  const bool renewed = request.token().empty() && request.service_account_token().empty();
  const std::string object = renewed ? "certificate renewed" : "certificate for " + request.name();
  // what was signed is not left out because of what others try without a certificate
  const std::string share = out && !applicant.who ? "enrolled " + request.name() : "";
  env_.audit.note({who, applicant.peer, "enroll", object, out ? "" : out.error().message(), share});
}

Result<v1::TokenReply> FederationRole::token(const v1::TokenRequest& request) {
  return enrolment_ ? enrolment_->token(request, clock().unix_seconds()) : RecordSource::token(request);
}

}  // namespace meshdns::dnsd::app
