#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/base/result.h"

// Says who a caller is: a role, and the names that go with the role. `rules.h` finds the identity in a certificate;
// `authorizer.h` decides what an identity may do.
namespace meshdns::identity {

/// The kinds of callers.
enum class Role : std::uint8_t {
  Anonymous,   // nobody has proved anything: a plaintext port
  Node,        // the agent of one node
  Dns,         // a replica of a cluster's federation
  Federation,  // an instance of a cluster's federation
  Operator,    // a person or a pipeline
};

/// The levels of operators. Each level includes the levels before it.
enum class Level : std::uint8_t { Viewer, Operator, Admin };

/// The identity of a caller.
struct Identity {
  Role role = Role::Anonymous;
  std::string cluster;          // empty for Anonymous and Operator
  std::string name;             // of the node, replica, instance or person; empty for Anonymous
  Level level = Level::Viewer;  // only for Operator

  friend bool operator==(const Identity&, const Identity&) = default;
};

std::string_view role_name(Role role);
std::string_view level_name(Level level);
/// Reads "node", "dns", "federation" or "operator": the roles that a certificate can have.
/// errors: InvalidArgument: another text
Result<Role> role_of(std::string_view text);
/// Reads "viewer", "operator" or "admin".
/// errors: InvalidArgument: another text
Result<Level> level_of(std::string_view text);

/// Returns the identity as log lines and replies name it: "node eu-1/n7", "dns eu-1/edge", "operator alice (admin)",
/// "anonymous".
std::string text(const Identity& identity);

/// Returns the URI that certificates of the mesh's own authority carry:
/// "spiffe://mesh.internal/meshdns/node/eu-1/n7". The operator's level comes before the name.
/// requires: the identity is not Anonymous
std::string uri(const Identity& identity, std::string_view trust_domain);

/// Checks that the names fit the role: a cluster is one label, a node or an instance is a host name, and the name of
/// an operator is 1 to 253 characters that a URI can carry (spiffe_id.h).
/// errors: InvalidArgument: which name does not fit
Result<void> check(const Identity& identity);

}  // namespace meshdns::identity
