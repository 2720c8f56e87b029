#include "dnsd/kubernetes/export_survey.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/text.h"
#include "common/model/exports.h"

namespace meshdns::kubernetes {
namespace {

constexpr std::size_t kMostClusters = 8;  // in one text
constexpr std::size_t kMostPorts = 16;    // of one cluster in one text

std::string port_text(const model::Port& port) {
  const std::string protocol = port.app_protocol.empty() ? "" : " (" + port.app_protocol + ")";
  return (port.name.empty() ? "unnamed" : port.name) + "/" + port.protocol + protocol;
}

std::string conflict_text(const std::map<std::string, std::set<std::string>>& clusters) {
  std::vector<std::string> out;
  for (const auto& [cluster, ports] : clusters) {
    if (out.size() == kMostClusters) {
      out.emplace_back("...");
      break;
    }
    std::vector<std::string> named;
    for (const std::string& port : ports) {
      named.push_back(named.size() == kMostPorts ? "..." : port);
      if (named.size() > kMostPorts) break;
    }
    out.push_back(cluster + " has " + (named.empty() ? "none" : join(named, ", ")));
  }
  return "the ports differ: " + join(out, "; ");
}

}  // namespace

void ExportSurvey::begin(std::set<ObjectName> services) {
  services_ = std::move(services);
  found_.clear();
  next_.clear();
  under_way_ = true;
}

bool ExportSurvey::step(const model::Records& records, std::size_t most) {
  if (!under_way_) return true;
  auto at = services_.empty() ? records.endpoints.end() : records.endpoints.lower_bound(next_);
  for (std::size_t looked = 0; at != records.endpoints.end() && looked < most; ++at, ++looked) note(at->second);
  if (at != records.endpoints.end()) {
    next_ = at->first;
    return false;
  }
  end();
  return true;
}

void ExportSurvey::note(const model::Endpoint& endpoint) {
  model::for_each_service(endpoint, [&](const std::string& service) {
    const ObjectName name{endpoint.namespace_, service};
    if (!services_.contains(name) || !model::is_exported(endpoint, service)) return;
    Ports& ports = found_[name][endpoint.node.substr(0, endpoint.node.find('/'))];
    model::for_each_port_in(endpoint, service, [&](const model::Port& port) { ports.insert(port_text(port)); });
  });
}

void ExportSurvey::end() {
  under_way_ = false;
  conflicts_.clear();
  for (const auto& [service, clusters] : found_) {
    const Ports& first = clusters.begin()->second;
    const bool agree = std::ranges::all_of(clusters, [&](const auto& entry) { return entry.second == first; });
    if (!agree) conflicts_[service] = conflict_text(clusters);
  }
  found_.clear();
  covered_ = std::move(services_);
  services_.clear();
}

std::string ExportSurvey::conflict(const ObjectName& service) const {
  const auto found = conflicts_.find(service);
  return found == conflicts_.end() ? "" : found->second;
}

}  // namespace meshdns::kubernetes
