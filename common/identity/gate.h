#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/identity/authorizer.h"
#include "common/identity/rules.h"

namespace meshdns::identity {

/// Asked by each service of a gRPC port when a call begins: who is the caller? The Caller that it returns says what
/// the caller may do.
/// thread: any
class Gate {
 public:
  Gate(Rules rules, Realm realm);

  /// uris:   of the certificate that the port has verified; nothing = the caller has shown none
  /// key:    tells the certificate's key from others, for Caller::key()
  /// errors: PermissionDenied: no certificate although the port needs one, or a certificate of nobody
  Result<Caller> caller(const std::optional<std::vector<std::string>>& uris, std::string key = "") const;

 private:
  const Rules rules_;
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
