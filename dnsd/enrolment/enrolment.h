#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "common/authority/pem.h"
#include "common/base/result.h"
#include "common/identity/proof.h"
#include "common/log/ration.h"
#include "common/time/time.h"
#include "dnsd/enrolment/tokens.h"
#include "meshdns/v1/admin.pb.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::enrolment {

/// Checks what is the same for every kind of request.
/// errors: InvalidArgument: a long name, or two tokens
Result<void> check_request(const v1::EnrollRequest& request);

/// Signs certificates for those who have a token, and renews those that it has signed.
///
/// How it works: the authority is read from its folder for each certificate, so that an exchange of the authority
/// counts at once. The tokens are stored before a token or a certificate leaves the process: after a crash nobody can
/// use a token twice. Whoever asks again and again with one key gets the same certificate for a while: a new one costs
/// a signature, and the control thread has other callers.
/// thread: control
class Enrolment {
 public:
  struct Options {
    std::string authority;   // folder
    std::string tokens;      // file
    std::string cluster;     // of this federation
    Duration lifetime;       // of the certificates
    bool signs_own = false;  // the federation's certificate too is of this authority (own_certificate.h)
  };

  /// errors: of reading the authority or the tokens, with the path
  static Result<Enrolment> open(Options options);

  /// Signs a certificate, or refuses; logs which.
  /// errors: PermissionDenied, with the rule; InvalidArgument: the request; Unavailable: the tokens cannot be stored
  Result<v1::EnrollReply> enroll(const v1::EnrollRequest& request, const identity::Proof& proof, TimePoint now,
                                 std::int64_t unix_seconds);
  /// Like enroll(), for a pod that has shown a service account token.
  /// reviewed: who the pod is, or why it is nobody
  /// errors:   those of `reviewed` besides
  Result<v1::EnrollReply> enroll_pod(const v1::EnrollRequest& request, const identity::Proof& proof,
                                     const Result<identity::Identity>& reviewed, TimePoint now,
                                     std::int64_t unix_seconds);
  /// Makes, lists or revokes tokens.
  /// errors: InvalidArgument; NotFound; Unavailable: the tokens cannot be stored
  Result<v1::TokenReply> token(const v1::TokenRequest& request, std::int64_t now);

 private:
  Result<v1::EnrollReply> signed_for(const v1::EnrollRequest& request, const identity::Proof& proof, std::int64_t now);
  /// Signs the key of a request, unless its owner was given a certificate a moment ago.
  /// key:    of the request: authority::proven_key()
  /// of_pod: authority::Order::of_pod
  Result<v1::EnrollReply> sign(const authority::Key& key, identity::Identity who, bool of_pod, std::int64_t now);
  void tell_refused(const v1::EnrollRequest& request, const identity::Proof& proof, const Error& why, TimePoint now);
  Enrolment(Options options, v1::TokenList list) : options_(std::move(options)), tokens_(std::move(list)) {}

  Result<identity::Identity> by_token(const v1::EnrollRequest& request, const std::string& key_hash,
                                      const identity::Proof& proof, std::int64_t now);
  /// requires: the caller has shown a certificate
  Result<identity::Identity> by_certificate(const std::string& key_hash, const identity::Proof& proof,
                                            std::int64_t now);
  Result<std::string> create(const v1::CreateToken& order, std::int64_t now);
  /// Returns what the owner of a key was given a moment ago; null = nothing.
  const v1::EnrollReply* recent(const std::string& key_hash, const identity::Identity& who, std::int64_t now) const;
  /// Stores the tokens, if they have changed.
  Result<void> store();

  /// A certificate that was signed a moment ago.
  struct Recent {
    std::int64_t at;  // unix seconds
    identity::Identity who;
    v1::EnrollReply reply;
  };

  Options options_;
  Tokens tokens_;
  std::map<std::string, Recent> recent_;  // by the key's hash
  log::Ration refusals_{"refused enrolments"};
  log::Ration signatures_{"signed certificates", 200};
};

}  // namespace meshdns::enrolment
