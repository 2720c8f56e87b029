#include "dnsd/enrolment/enrolment_service.h"

#include <grpcpp/grpcpp.h>

#include <string>
#include <utility>

#include "common/log/log.h"
#include "common/log/ration.h"
#include "common/rpc/certificate.h"
#include "common/rpc/peer.h"
#include "meshdns/v1/enrolment.grpc.pb.h"

namespace meshdns::enrolment {
namespace {

class Calls : public v1::Enrolment::CallbackService {
 public:
  Calls(process::EventLoop& loop, const Clock& clock, Enrolment& enrolment, std::shared_ptr<const identity::Gate> gate)
      : loop_(loop), clock_(clock), enrolment_(enrolment), gate_(std::move(gate)) {}

  grpc::ServerUnaryReactor* Enroll(grpc::CallbackServerContext* context, const v1::EnrollRequest* request,
                                   v1::EnrollReply* reply) override {
    auto* reactor = context->DefaultReactor();
    auto proof = proof_of(*context);
    if (!proof) {
      refuse(context->peer(), *request, proof.error());
      reactor->Finish({grpc::StatusCode::PERMISSION_DENIED, proof.error().message()});
      return reactor;
    }
    loop_.post([this, reactor, request, reply, peer = context->peer(), proof = *std::move(proof)] {
      auto done = enrolment_.enroll(*request, proof, clock_.unix_seconds());
      if (!done) {
        tell_refusal(peer, *request, done.error());
        reactor->Finish({code_of(done.error()), done.error().message()});
        return;
      }
      tell_signed(peer, *request, proof);
      *reply = *std::move(done);
      reactor->Finish(grpc::Status::OK);
    });
    return reactor;
  }

 private:
  /// Returns what the connection proves.
  /// errors: PermissionDenied: the caller has a certificate of nobody
  Result<Proof> proof_of(const grpc::CallbackServerContext& context) const {
    Proof out;
    if (const auto peer = rpc::peer_named(context.peer())) out.where = peer->ip;
    const auto connection = context.auth_context();
    const auto uris = rpc::certificate_uris(*connection);
    if (!uris) return out;
    const auto caller = gate_->caller(uris);
    if (!caller) return caller.error();
    out.who = caller->who();
    out.key_hash = rpc::certificate_key(*connection);
    return out;
  }
  static grpc::StatusCode code_of(const Error& error) {
    switch (error.code()) {
      case Code::PermissionDenied: return grpc::StatusCode::PERMISSION_DENIED;
      case Code::InvalidArgument: return grpc::StatusCode::INVALID_ARGUMENT;
      default: return grpc::StatusCode::UNAVAILABLE;
    }
  }
  void refuse(const std::string& peer, const v1::EnrollRequest& request, const Error& why) {
    loop_.post([this, peer, name = request.name(), why] {
      v1::EnrollRequest said;
      said.set_name(name);
      tell_refusal(peer, said, why);
    });
  }
  void tell_refusal(const std::string& peer, const v1::EnrollRequest& request, const Error& why) {
    refusals_.warn(clock_.now(), "enrolment refused",
                   {{"peer", peer}, {"name", request.name()}, {"reason", why.message()}});
  }
  static void tell_signed(const std::string& peer, const v1::EnrollRequest& request, const Proof& proof) {
    if (request.token().empty()) {
      log::info("certificate renewed", {{"peer", peer}, {"for", identity::text(*proof.who)}});
    } else {
      log::info("certificate signed", {{"peer", peer}, {"name", request.name()}});
    }
  }

  process::EventLoop& loop_;
  const Clock& clock_;
  Enrolment& enrolment_;
  const std::shared_ptr<const identity::Gate> gate_;
  log::Ration refusals_{"refused enrolments"};  // control thread
};

}  // namespace

std::shared_ptr<grpc::Service> service_of(process::EventLoop& loop, const Clock& clock, Enrolment& enrolment,
                                          std::shared_ptr<const identity::Gate> gate) {
  return std::make_shared<Calls>(loop, clock, enrolment, std::move(gate));
}

}  // namespace meshdns::enrolment
