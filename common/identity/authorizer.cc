#include "common/identity/authorizer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace meshdns::identity {
namespace {

constexpr std::array<std::string_view, 8> kVerbs = {
    "report", "watch as a replica", "watch as an instance", "watch as a peer", "view",
    "steer",  "change objects",     "manage credentials"};
static_assert(kVerbs.size() == static_cast<std::size_t>(Verb::Credentials) + 1);

/// The rule that refuses; empty = allowed.
using RuleName = std::string_view;
constexpr RuleName kAllowed;

RuleName report(const Identity& who, const Request& request, const Realm& realm) {
  if (who.role != Role::Node) return "role-node";
  if (who.cluster != realm.cluster) return "own-cluster";
  return who.cluster == request.cluster && who.name == request.node ? kAllowed : RuleName("own-node");
}

RuleName of_cluster(const Identity& who, Role role, const Realm& realm) {
  if (who.role != role) return role == Role::Dns ? "role-dns" : "role-federation";
  return who.cluster == realm.cluster ? kAllowed : RuleName("own-cluster");
}

RuleName peer(const Identity& who, const Realm& realm) {
  if (who.role != Role::Federation) return "role-federation";
  if (who.cluster == realm.cluster) return "other-cluster";
  return std::find(realm.peers.begin(), realm.peers.end(), who.cluster) != realm.peers.end() ? kAllowed
                                                                                             : RuleName("peers");
}

RuleName at_least(const Identity& who, Level level) {
  if (who.role != Role::Operator) return "role-operator";
  if (who.level >= level) return kAllowed;
  return level == Level::Admin ? "level-admin" : "level-operator";
}

RuleName refusing_rule(const Identity& who, const Request& request, const Realm& realm) {
  switch (request.verb) {
    case Verb::Report: return report(who, request, realm);
    case Verb::Replicate: return of_cluster(who, Role::Dns, realm);
    case Verb::Stand: return of_cluster(who, Role::Federation, realm);
    case Verb::Peer: return peer(who, realm);
    case Verb::View: return at_least(who, Level::Viewer);
    case Verb::Steer: return at_least(who, Level::Operator);
    case Verb::Change:
    case Verb::Credentials: return at_least(who, Level::Admin);
  }
  return "unknown-verb";
}

std::string object(const Request& request) {
  return request.verb == Verb::Report ? fmt::format(" as {}/{}", request.cluster, request.node) : "";
}

}  // namespace

std::string_view verb_name(Verb verb) { return kVerbs[static_cast<std::size_t>(verb)]; }

Authorizer::Authorizer(Realm realm) : realm_(std::move(realm)) {}

Result<void> Authorizer::allow(const Identity& identity, const Request& request) const {
  if (realm_.open && identity.role == Role::Anonymous) return {};
  const RuleName rule = refusing_rule(identity, request, realm_);
  if (rule.empty()) return {};
  return Error(Code::PermissionDenied, fmt::format("{} may not {}{} (rule {})", text(identity), verb_name(request.verb),
                                                   object(request), rule));
}

Caller::Caller() : Caller({}, std::make_shared<const Authorizer>(Realm{.cluster = "", .peers = {}, .open = false})) {}

Caller Caller::everybody() {
  return {{}, std::make_shared<const Authorizer>(Realm{.cluster = "", .peers = {}, .open = true})};
}

Caller::Caller(Identity who, std::shared_ptr<const Authorizer> authorizer, std::string key)
    : who_(std::move(who)), authorizer_(std::move(authorizer)), key_(std::move(key)) {}

}  // namespace meshdns::identity
