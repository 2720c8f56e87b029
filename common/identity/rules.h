#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.h"
#include "common/identity/identity.h"

namespace meshdns::identity {

/// Maps URIs of another public key infrastructure to identities: what `identity.rules` lists in meshdnsd.yaml.
///
/// In `uri` a `*` stands for one or more characters of one segment; a segment has at most one. In `cluster`, `name` and
/// `level`, `{1}` stands for what the first `*` matched, `{2}` for the second, up to `{9}`.
struct Rule {
  std::string uri;  // "spiffe://corp.example/agent/*/*"
  Role role = Role::Anonymous;
  std::string cluster;  // "{1}"; empty for operators
  std::string name;     // "{2}"
  std::string level;    // only for operators
};

/// Checks a rule before anybody connects.
/// errors: InvalidArgument: a rule that cannot match, a name that its role does not have, or a `{N}` that its URI does
///         not have
Result<void> check(const Rule& rule);

/// Finds out who presents a certificate.
class Rules {
 public:
  /// The rules are tried in order, and the first one that matches decides. A URI that none matches is read as the
  /// mesh's own form: "spiffe://TRUST-DOMAIN/meshdns/node/CLUSTER/NODE", and the like for the other roles (uri()).
  /// trust_domain: the only one in which the mesh's own form counts; empty = any
  /// errors:       those of check()
  static Result<Rules> make(std::vector<Rule> rules, std::string trust_domain);

  /// Returns the identity of a certificate.
  /// uris:   the certificate's URIs (subjectAltName). Exactly one is needed, as in every SPIFFE certificate, because
  ///         with two of them somebody would have to choose
  /// errors: PermissionDenied, with the URI and the reason
  Result<Identity> identify(const std::vector<std::string>& uris) const;

 private:
  Rules(std::vector<Rule> rules, std::string trust_domain);
  Result<Identity> identify_one(std::string_view uri) const;

  std::vector<Rule> rules_;
  std::string trust_domain_;
};

/// Compares a URI with the pattern of a rule, segment by segment.
/// returns: what each `*` stands for, as views into `text`; nothing if the text does not match
std::optional<std::vector<std::string_view>> match(std::string_view pattern, std::string_view text);

}  // namespace meshdns::identity
