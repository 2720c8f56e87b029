#include "common/model/override.h"

#include <algorithm>
#include <array>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/net/socket_address.h"

namespace meshdns::model {
namespace {

constexpr std::array kKinds = {TargetKind::Endpoint, TargetKind::Node, TargetKind::Service, TargetKind::Zone,
                               TargetKind::Cluster};
constexpr std::array kActions = {Action::Down, Action::Drain, Action::Up, Action::Freeze};

bool is_address_of(const std::string& text, const TargetSubject& subject) {
  const auto address = IpAddress::parse(text);
  const auto socket = SocketAddress::parse(text);
  if (address) return std::ranges::find(subject.addresses, *address) != subject.addresses.end();
  return socket && socket->port == subject.port &&
         std::ranges::find(subject.addresses, socket->ip) != subject.addresses.end();
}

/// Whether `name` is the whole of "a/b", or the part after its last slash.
bool is_or_ends_with(const std::string& whole, const std::string& name) {
  if (whole.size() <= name.size()) return same_name(whole, name);
  return same_name(std::string_view(whole).substr(whole.size() - name.size() - 1), "/" + name);
}

bool is_in_service(const TargetSubject& subject, const std::string& name) {
  const auto is_it = [&](const std::string& service) { return same_name(subject.namespace_ + "/" + service, name); };
  if (!subject.service.empty() && is_it(subject.service)) return true;
  return subject.memberships != nullptr && std::ranges::any_of(*subject.memberships, is_it, &Membership::service);
}

}  // namespace

std::string_view target_kind_name(TargetKind kind) {
  switch (kind) {
    case TargetKind::Endpoint: return "endpoint";
    case TargetKind::Node: return "node";
    case TargetKind::Service: return "service";
    case TargetKind::Zone: return "zone";
    case TargetKind::Cluster: break;
  }
  return "cluster";
}

std::string target_text(const OverrideTarget& target) {
  return std::string(target_kind_name(target.kind)) + "=" + target.name;
}

Result<OverrideTarget> parse_target(std::string_view text) {
  const auto equals = text.find('=');
  const std::string_view word = text.substr(0, equals);
  const auto kind = std::ranges::find(kKinds, word, target_kind_name);
  if (equals == std::string_view::npos || kind == kKinds.end() || equals + 1 == text.size()) {
    return Error(Code::InvalidArgument,
                 "expected endpoint=, node=, service=, zone= or cluster= and a name (got " + std::string(text) + ")");
  }
  return OverrideTarget{*kind, std::string(text.substr(equals + 1))};
}

std::string_view action_name(Action action) {
  switch (action) {
    case Action::Down: return "Down";
    case Action::Drain: return "Drain";
    case Action::Up: return "Up";
    case Action::Freeze: break;
  }
  return "Freeze";
}

std::optional<Action> action_named(std::string_view name) {
  const auto found = std::ranges::find(kActions, name, action_name);
  if (found == kActions.end()) return std::nullopt;
  return *found;
}

bool hits(const OverrideTarget& target, const TargetSubject& subject) {
  switch (target.kind) {
    case TargetKind::Endpoint: return subject.key == target.name || is_address_of(target.name, subject);
    case TargetKind::Node: return !subject.node.empty() && is_or_ends_with(subject.node, target.name);
    case TargetKind::Service: return is_in_service(subject, target.name);
    case TargetKind::Zone:
      return !subject.place.zone.empty() &&
             is_or_ends_with(subject.place.region + "/" + subject.place.zone, target.name);
    case TargetKind::Cluster: return same_name(subject.place.cluster, target.name);
  }
  return false;
}

}  // namespace meshdns::model
