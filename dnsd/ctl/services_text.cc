#include "dnsd/ctl/services_text.h"

#include <algorithm>

#include "common/base/names.h"
#include "common/base/text.h"

namespace meshdns::ctl {
namespace {

constexpr const char* kOfNoAgent = "kubernetes-api";

template <class Ports>
std::vector<std::string> texts_of(const Ports& ports) {
  std::vector<std::string> out;
  for (const v1::Port& port : ports) {
    out.push_back((port.name().empty() ? "" : port.name() + " ") + std::to_string(port.number()) + "/" +
                  port.protocol());
  }
  return out;
}

std::string redirection(const v1::MappedPort& port) {
  return std::to_string(port.number()) + "->" + std::to_string(port.target()) + "/" + port.protocol();
}

std::string membership_text(const v1::Membership& membership) {
  std::vector<std::string> out = texts_of(membership.ports());
  if (out.empty()) out.emplace_back("no port");
  if (!membership.hostname().empty()) out.push_back("as " + membership.hostname());
  out.emplace_back(membership.exported() ? "exported" : "not exported");
  if (membership.not_ready_too()) out.emplace_back("published while not ready");
  return membership.service() + ": " + join(out, ", ");
}

}  // namespace

std::vector<std::string> services_of(const v1::EndpointInfo& endpoint) {
  std::vector<std::string> out;
  if (!endpoint.service().empty()) out.push_back(endpoint.namespace_() + "/" + endpoint.service());
  for (const v1::Membership& membership : endpoint.memberships()) {
    if (same_name(membership.service(), endpoint.service())) continue;
    out.push_back(endpoint.namespace_() + "/" + membership.service());
  }
  return out;
}

std::string services_text(const v1::EndpointInfo& endpoint) {
  const auto services = services_of(endpoint);
  return services.empty() ? endpoint.namespace_() + "/-" : join(services, ",");
}

std::string source_text(const v1::EndpointInfo& endpoint) {
  if (endpoint.source() == kOfNoAgent) return "the federation (" + endpoint.source() + "): no agent owns it";
  return "the agent of its node (" + endpoint.source() + ")";
}

std::string memberships_text(const v1::EndpointInfo& endpoint) {
  std::vector<std::string> out;
  for (const v1::Membership& membership : endpoint.memberships()) out.push_back(membership_text(membership));
  return join(out, "; ");
}

std::string ports_text(const v1::EndpointInfo& endpoint, const std::string& separator) {
  std::vector<std::string> out = texts_of(endpoint.ports());
  for (const v1::MappedPort& port : endpoint.mapped()) {
    if (port.problem().empty()) out.push_back(redirection(port));
  }
  return out.empty() ? "-" : join(out, separator);
}

std::string mapped_text(const v1::EndpointInfo& endpoint) {
  std::vector<std::string> out;
  for (const v1::MappedPort& port : endpoint.mapped()) {
    out.push_back(redirection(port) + (port.problem().empty() ? "" : " refused: " + port.problem()));
  }
  return join(out, "; ");
}

}  // namespace meshdns::ctl
