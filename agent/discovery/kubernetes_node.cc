#include "agent/discovery/kubernetes_node.h"

#include <algorithm>
#include <set>

#include "common/base/names.h"
#include "common/base/printable.h"
#include "common/kubernetes/object_reader.h"
#include "common/kubernetes/place_name.h"
#include "common/model/limits.h"

namespace meshdns::discovery {
namespace {

void read_pod_prefixes(const kubernetes::ObjectReader& spec, KubernetesNode& out) {
  auto texts = spec.list_of_texts("podCIDRs");
  if (texts.empty() && !spec.text("podCIDR").empty()) texts = {spec.text("podCIDR")};
  for (const std::string& text : texts) {
    const auto prefix = Prefix::parse(text);
    if (!prefix) return spec.fail("podCIDRs", printable(prefix.error().message()));
    out.pod_prefixes.push_back(*prefix);
  }
}

void read_addresses(const kubernetes::ObjectReader& status, KubernetesNode& out) {
  for (const kubernetes::ObjectReader& address : status.list("addresses")) {
    if (address.text("type") != "InternalIP") continue;
    const auto parsed = IpAddress::parse(address.text("address"));
    if (!parsed) return address.fail("address", printable(parsed.error().message()));
    out.addresses.push_back(*parsed);
  }
}

/// Returns the addresses that only pods of the node have.
std::set<IpAddress> pod_addresses(const std::map<std::string, Pod>& pods) {
  std::set<IpAddress> out;
  for (const auto& [uid, pod] : pods) {
    if (!pod.has_ended() && !pod.host_network) out.insert(pod.addresses.begin(), pod.addresses.end());
  }
  return out;
}

bool contain_all(const std::vector<Prefix>& prefixes, const std::set<IpAddress>& addresses) {
  return std::ranges::all_of(addresses, [&](const IpAddress& address) {
    return std::ranges::any_of(prefixes, [&](const Prefix& prefix) { return prefix.contains(address); });
  });
}

}  // namespace

Result<KubernetesNode> read_node(const boost::json::object& object) {
  KubernetesNode out;
  std::string problem;
  const kubernetes::ObjectReader reader(object, problem);
  const auto metadata = reader.object("metadata");
  out.name = metadata.text("name");
  if (out.name.empty()) metadata.fail("name", "expected a text (got nothing)");
  out.uid = metadata.text("uid");
  const auto labels = metadata.object("labels");
  out.region = kubernetes::place_name(labels.text(kubernetes::kRegionLabel));
  out.zone = kubernetes::place_name(labels.text(kubernetes::kZoneLabel));
  read_pod_prefixes(reader.object("spec"), out);
  read_addresses(reader.object("status"), out);
  if (!problem.empty()) return Error(Code::InvalidArgument, problem);
  return out;
}

model::Locality with_place_of(model::Locality place, const KubernetesNode& node) {
  if (place.region.empty()) place.region = node.region;
  const bool same_region = same_name(place.region, node.region) || node.region.empty();
  if (place.zone.empty() && same_region) place.zone = node.zone;
  return place;
}

ClientPrefixes client_prefixes(const KubernetesNode& node, const std::map<std::string, Pod>& pods) {
  std::vector<Prefix> all;
  for (const IpAddress& address : node.addresses) all.push_back(Prefix::host(address));
  const auto addresses = pod_addresses(pods);
  if (contain_all(node.pod_prefixes, addresses)) {
    all.insert(all.end(), node.pod_prefixes.begin(), node.pod_prefixes.end());
  } else {
    for (const IpAddress& address : addresses) all.push_back(Prefix::host(address));
  }
  ClientPrefixes out{all, 0};
  if (all.size() > model::kMostPrefixes) {
    out.left_out = all.size() - model::kMostPrefixes;
    out.prefixes.resize(model::kMostPrefixes);
  }
  return out;
}

}  // namespace meshdns::discovery
