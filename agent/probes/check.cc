#include "agent/probes/check.h"

#include <algorithm>

namespace meshdns::probes {
namespace {

template <class Check>
concept HasTarget = requires(const Check& check) {
  check.to;
};

struct TargetOf {
  template <class Check>
  const Target* operator()(const Check& check) const {
    if constexpr (HasTarget<Check>) return &check.to;
    return nullptr;
  }
};

struct IsPerFamily {
  template <class Check>
  bool operator()(const Check& check) const {
    if constexpr (HasTarget<Check>) return !check.to.address.has_value();
    return false;
  }
  bool operator()(const GroupCheck& group) const {
    return std::ranges::any_of(group.parts, [](const PartCheck& part) { return std::visit(IsPerFamily{}, part); });
  }
};

struct KindName {
  std::string operator()(const TcpCheck& check) const { return check.tls ? "tls" : "tcp"; }
  std::string operator()(const HttpCheck& check) const { return check.tls ? "https" : "http"; }
  std::string operator()(const GrpcCheck&) const { return "grpc"; }
  std::string operator()(const UdpCheck&) const { return "udp"; }
  std::string operator()(const DnsCheck&) const { return "dns"; }
  std::string operator()(const ExecCheck&) const { return "exec"; }
  std::string operator()(const TtlCheck&) const { return "ttl"; }
  std::string operator()(const SystemdCheck&) const { return "systemd"; }
  std::string operator()(const AliasCheck&) const { return "alias"; }
  std::string operator()(const NoneCheck&) const { return "none"; }
  std::string operator()(const GroupCheck& group) const {
    if (group.needed == group.parts.size()) return "all";
    if (group.needed == 1) return "any";
    return "quorum " + std::to_string(group.needed) + " of " + std::to_string(group.parts.size());
  }
};

struct IsPolled {
  template <class Check>
  bool operator()(const Check&) const {
    return true;
  }
  bool operator()(const TtlCheck&) const { return false; }
  bool operator()(const SystemdCheck&) const { return false; }
  bool operator()(const AliasCheck&) const { return false; }
  bool operator()(const NoneCheck&) const { return false; }
  bool operator()(const GroupCheck& group) const {
    return std::ranges::any_of(group.parts, [](const PartCheck& part) { return std::visit(IsPolled{}, part); });
  }
};

struct DescriptorsOf {
  template <class Check>
  Descriptors operator()(const Check&) const {
    return {.running = 1};
  }
  Descriptors operator()(const HttpCheck&) const { return {.running = 1, .kept = 1}; }
  Descriptors operator()(const GrpcCheck&) const { return {.running = 2, .kept = 2}; }
  Descriptors operator()(const ExecCheck&) const { return {.running = 4}; }  // both ends of a pipe, pidfd, /dev/null
  Descriptors operator()(const TtlCheck&) const { return {}; }
  Descriptors operator()(const SystemdCheck&) const { return {.running = 1, .kept = 1}; }
  Descriptors operator()(const AliasCheck&) const { return {}; }
  Descriptors operator()(const NoneCheck&) const { return {}; }
  Descriptors operator()(const GroupCheck& group) const {
    Descriptors out;
    for (const PartCheck& part : group.parts) {
      const Descriptors more = std::visit(DescriptorsOf{}, part);
      out.running += more.running;
      out.kept += more.kept;
    }
    return out;
  }
};

}  // namespace

const Target* target_of(const AnyCheck& check) { return std::visit(TargetOf{}, check); }

const Target* target_of(const PartCheck& check) { return std::visit(TargetOf{}, check); }

bool is_per_family(const AnyCheck& check) { return std::visit(IsPerFamily{}, check); }

std::string kind_name(const AnyCheck& check) { return std::visit(KindName{}, check); }

std::string kind_name(const PartCheck& check) { return std::visit(KindName{}, check); }

bool is_polled(const AnyCheck& check) { return std::visit(IsPolled{}, check); }

Descriptors descriptors_of(const AnyCheck& check) { return std::visit(DescriptorsOf{}, check); }

std::vector<AliasCheck> aliases_of(const AnyCheck& check) {
  std::vector<AliasCheck> out;
  if (const auto* alias = std::get_if<AliasCheck>(&check)) out.push_back(*alias);
  if (const auto* group = std::get_if<GroupCheck>(&check)) {
    for (const PartCheck& part : group->parts) {
      if (const auto* alias = std::get_if<AliasCheck>(&part)) out.push_back(*alias);
    }
  }
  return out;
}

}  // namespace meshdns::probes
