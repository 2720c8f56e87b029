#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/identity/identity.h"

namespace meshdns::identity {

/// What a caller asks of a federation. Each RPC and each call of the Admin API is exactly one of these.
enum class Verb : std::uint8_t {
  Report,       // be the agent of a node
  Replicate,    // Watch as a replica
  Stand,        // Watch as another instance of the same cluster
  Peer,         // Watch as the federation of another cluster
  View,         // get, describe, explain, simulate, lint, history, watch, status, capture
  Steer,        // drain, undrain, force, unforce, freeze, thaw, approve-shrink
  Change,       // apply, delete, forget
  Credentials,  // tokens and the authority
};

/// What a verb is asked for. Names that the verb does not need are empty.
struct Request {
  Verb verb;
  std::string_view cluster;  // Report: of the node
  std::string_view node;     // Report: its name
};

/// What is known about the side that is asked.
struct Realm {
  std::string cluster;             // of this federation
  std::vector<std::string> peers;  // clusters that may watch as peers
  bool open = false;               // `insecure: true`: callers who have proved nothing may do everything
};

std::string_view verb_name(Verb verb);

/// Decides what an identity may do. It is pure, and the one place that knows the table of docs/security.md.
class Authorizer {
 public:
  explicit Authorizer(Realm realm);

  /// errors: PermissionDenied: "node eu-1/n7 may not report as eu-1/n8 (rule own-node)"
  Result<void> allow(const Identity& identity, const Request& request) const;

 private:
  Realm realm_;
};

/// A caller at a port: who it is, and who decides what it may do. Copies share the Authorizer.
class Caller {
 public:
  /// Makes a caller that may do nothing.
  Caller();
  /// Returns a caller at a port without certificates, where everybody may do everything.
  static Caller everybody();
  /// key: tells the key of the caller's certificate from others; empty = the caller has shown none
  Caller(Identity who, std::shared_ptr<const Authorizer> authorizer, std::string key = "");

  const Identity& who() const { return who_; }
  const std::string& key() const { return key_; }
  /// errors: those of Authorizer::allow()
  Result<void> may(const Request& request) const { return authorizer_->allow(who_, request); }

 private:
  Identity who_;
  std::shared_ptr<const Authorizer> authorizer_;
  std::string key_;
};

}  // namespace meshdns::identity
