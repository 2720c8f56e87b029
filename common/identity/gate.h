#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/identity/authorizer.h"
#include "common/identity/rules.h"

namespace meshdns::identity {

/// An authority that may vouch for the members of some clusters only.
struct BoundAuthority {
  std::string file;                   // names it in refusals
  std::vector<std::string> clusters;  // patterns, where `*` stands for any characters
};

/// Finds the authority that has signed a certificate.
/// chain:   the certificate, which the port has verified, and those that its owner has sent with it, as PEM
/// returns: null = one that may vouch for everybody
/// errors:  PermissionDenied: none that is known now
/// thread:  any, several at once
using FindAuthority = std::function<Result<const BoundAuthority*>(std::string_view chain)>;

/// Asked by each service of a gRPC port when a call begins: who is the caller? The Caller that it returns says what
/// the caller may do.
/// thread: any
class Gate {
 public:
  /// find: empty = all authorities that the port believes may vouch for everybody
  Gate(Rules rules, Realm realm, FindAuthority find = {});

  /// uris:   of the certificate that the port has verified; nothing = the caller has shown none
  /// key:    tells the certificate's key from others, for Caller::key()
  /// chain:  for FindAuthority
  /// errors: PermissionDenied: no certificate although the port needs one, a certificate of nobody, or of somebody for
  ///         whom its authority may not vouch
  Result<Caller> caller(const std::optional<std::vector<std::string>>& uris, std::string key = "",
                        std::string_view chain = "") const;

 private:
  /// errors: PermissionDenied: the authority of the certificate may not vouch for its owner
  Result<void> check_authority(const Identity& who, std::string_view chain) const;

  const Rules rules_;
  const FindAuthority find_;
  const bool open_;
  const std::shared_ptr<const Authorizer> authorizer_;
};

/// Decides by the URIs of a server's certificate whether it is the server that a client expects.
/// thread: any, several at once
using ServerCheck = std::function<Result<void>(const std::vector<std::string>& uris)>;

/// Returns a check that accepts instances of the federation of one cluster.
ServerCheck expect_federation(Rules rules, std::string cluster);

/// Checks whether a daemon's own certificate is of the identity that the other end will expect.
/// needed: its name may be empty: then any name will do
/// errors: PermissionDenied: "it is of node eu-1/n8, and node eu-1/n7 is needed"
Result<void> check_own(const Rules& rules, const std::vector<std::string>& uris, const Identity& needed);

}  // namespace meshdns::identity
