#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/identity/gate.h"

namespace grpc {
class AuthContext;
}

namespace meshdns::rpc {

/// Returns the URIs (subjectAltName) of the peer's certificate, which gRPC has verified.
/// returns: nothing = the connection is not encrypted, so the peer has shown no certificate
std::optional<std::vector<std::string>> certificate_uris(const grpc::AuthContext& context);

/// Returns the SHA-256 of the public key (SubjectPublicKeyInfo) of the peer's certificate; empty = the peer has shown
/// none.
std::string certificate_key(const grpc::AuthContext& context);

/// Whether the peer's certificate says that its owner is a pod (authority::Description::of_pod); false if the peer has
/// shown none.
bool certificate_is_of_pod(const grpc::AuthContext& context);

/// Returns the peer's certificate and those that the peer has sent with it, as PEM; empty = the peer has shown none.
std::string certificate_chain(const grpc::AuthContext& context);

/// Returns who the peer of a connection is, and what the peer may do.
/// errors: those of Gate::caller()
Result<identity::Caller> caller_of(const identity::Gate& gate, const grpc::AuthContext& context);

}  // namespace meshdns::rpc
