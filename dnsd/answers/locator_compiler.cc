#include "dnsd/answers/locator_compiler.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "dnsd/topology/plan.h"

namespace meshdns::answers {
namespace {

using Claims = std::map<Prefix, Claim>;

bool may_report(const model::Records& records, const model::Node& node, const Prefix& prefix) {
  const auto cluster = records.clusters.find(node.locality.cluster);
  if (cluster == records.clusters.end() || !cluster->second.allowed_prefixes) return true;
  return std::ranges::any_of(*cluster->second.allowed_prefixes,
                             [&](const Prefix& allowed) { return allowed.contains(prefix); });
}

void for_node_prefixes(const model::Records& records,
                       const std::function<void(const model::Node&, const Prefix&)>& visit) {
  for (const auto& [key, node] : records.nodes) {
    for (const Prefix& prefix : node.prefixes) {
      if (may_report(records, node, prefix)) visit(node, prefix);
    }
    for (const IpAddress& address : node.addresses) {
      if (may_report(records, node, Prefix::host(address))) visit(node, Prefix::host(address));
    }
  }
}

/// Configuration wins ties, so it comes first.
Claims collect_claims(const model::Records& records) {
  Claims claims;
  for (const auto& [name, cluster] : records.clusters) {
    model::Locality place = cluster.locality;
    place.cluster = name;
    for (const Prefix& prefix : cluster.client_prefixes) {
      claims.emplace(prefix, Claim{place, "by client prefix " + prefix.text() + " (" + name + ")"});
    }
  }
  for_node_prefixes(records, [&](const model::Node& node, const Prefix& prefix) {
    claims.emplace(prefix, Claim{model::locality_of(records, node.key),
                                 "by node prefix " + prefix.text() + " (" + node.locality.node + ")"});
  });
  return claims;
}

/// A range: its first address, its length as a prefix, and what covers it (null = nothing).
struct Range {
  Prefix prefix;
  const Claim* claim = nullptr;
};

/// Cuts `prefix` along the claims [first, last) that lie inside it; equal neighbours stay together.
void cut(const Prefix& prefix, const Claim* claim, Claims::const_iterator first, Claims::const_iterator last,
         std::vector<Range>& out) {
  if (first != last && first->first == prefix) claim = &(first++)->second;
  if (first == last) {
    out.push_back({prefix, claim});
    return;
  }
  const int length = prefix.length() + 1;
  const Prefix low = Prefix::of(prefix.address(), length);
  const auto middle = std::find_if(first, last, [&](const auto& entry) { return !low.contains(entry.first); });
  std::array<std::uint8_t, 16> bytes{};
  std::ranges::copy(prefix.address().bytes(), bytes.begin());
  const auto bit = static_cast<std::size_t>(prefix.length());
  bytes[bit / 8] = static_cast<std::uint8_t>(bytes[bit / 8] | (0x80U >> (bit % 8)));
  const IpAddress high = prefix.address().is_v4() ? IpAddress::v4_bytes(std::span(bytes).first<4>())
                                                  : IpAddress::v6_bytes(std::span(bytes));
  cut(low, claim, first, middle, out);
  cut(Prefix::of(high, length), claim, middle, last, out);
}

/// Prefix order is by address, then length, so a prefix stands right before what it contains.
std::vector<Range> cut_family(const Claims& claims, Family family) {
  const auto middle =
      std::find_if(claims.begin(), claims.end(), [](const auto& entry) { return entry.first.family() == Family::V6; });
  std::vector<Range> out;
  if (family == Family::V4) {
    cut(Prefix{}, nullptr, claims.begin(), middle, out);
  } else {
    cut(Prefix::of(IpAddress::v6_bytes(std::array<std::uint8_t, 16>{}), 0), nullptr, middle, claims.end(), out);
  }
  return out;
}

/// A forwarder's place, cut to what it may count for.
model::Locality cut_to(const model::Locality& place, model::Part granularity, const Clusters& clusters) {
  if (granularity == model::Part::Node) return place;
  model::Locality out;
  if (granularity != model::Part::Cluster) {
    for (const model::Part part : model::kParts) {
      if (part <= granularity) out.part(part) = place.part(part);
    }
    return out;
  }
  const auto cluster = clusters.find(place.cluster);
  if (cluster != clusters.end()) out = cluster->second.locality;
  out.network = place.network;
  out.cluster = place.cluster;
  return out;
}

/// Builds the verdicts; holds what they share.
class Judge {
 public:
  Judge(const Clusters& clusters, const Settings& settings, Places& places, Locator& out)
      : clusters_(clusters), settings_(settings), places_(places), out_(out) {
    out_.reasons.clear();
    reason("as nothing says where");
  }

  Locator::Verdict exact(std::size_t listener, const Range& range) {
    const ListenerSettings* from = listener < settings_.listeners.size() ? &settings_.listeners[listener] : nullptr;
    const model::Locality* found = range.claim == nullptr ? nullptr : &range.claim->place;
    model::Locality place;
    Locator::Verdict verdict;
    if (from != nullptr && !from->locality.empty()) {
      place = from->locality;
      verdict = {0, PlaceSource::Listener, reason("by listener " + from->text)};
      if (found != nullptr) place = refined(place, *found);
    } else if (found != nullptr) {
      place = *found;
      verdict = {0, PlaceSource::Prefix, reason(range.claim->reason)};
    } else if (!settings_.own.empty()) {
      verdict = {0, PlaceSource::Server, reason("by the server's own locality")};
    }
    verdict.place = places_.id_of(place.empty() ? settings_.own : refined(place, settings_.own));
    return verdict;
  }

  Locator::Verdict coarse(std::size_t listener, const Range& range, model::Part granularity) {
    const ListenerSettings* from = listener < settings_.listeners.size() ? &settings_.listeners[listener] : nullptr;
    const model::Locality& known = range.claim == nullptr ? settings_.own : range.claim->place;
    model::Locality place = cut_to(known, granularity, clusters_);
    if (from != nullptr && !from->locality.empty()) place = refined(from->locality, place);
    if (place.empty()) return {places_.id_of(place), PlaceSource::Nowhere, 0};
    const std::string text = place.cluster.empty() ? place.text() : "cluster " + place.cluster;
    return {places_.id_of(place), PlaceSource::Forwarder, reason(text)};
  }

 private:
  std::uint32_t reason(const std::string& text) {
    const auto [at, added] = reasons_.emplace(text, static_cast<std::uint32_t>(out_.reasons.size()));
    if (added) out_.reasons.push_back(text);
    return at->second;
  }

  const Clusters& clusters_;
  const Settings& settings_;
  Places& places_;
  Locator& out_;
  std::map<std::string, std::uint32_t> reasons_;
};

void store_ranges(const std::vector<Range>& v4, const std::vector<Range>& v6, Locator& out) {
  out.v4.clear();
  out.v6.clear();
  for (const Range& range : v4) {
    out.v4.push_back({range.prefix.address().v4_host_order(), static_cast<std::uint8_t>(range.prefix.length()),
                      range.claim != nullptr});
  }
  for (const Range& range : v6) {
    Locator::RangeV6 entry;
    std::ranges::copy(range.prefix.address().bytes(), entry.start.begin());
    entry.length = static_cast<std::uint8_t>(range.prefix.length());
    entry.known = range.claim != nullptr;
    out.v6.push_back(entry);
  }
  out.complete();
}

}  // namespace

std::uint32_t Places::id_of(const model::Locality& place) {
  const auto [at, added] = ids_.emplace(place, static_cast<std::uint32_t>(all_.size()));
  if (added) all_.push_back(place);
  return at->second;
}

LocatorInput locator_input(const model::Records& records) {
  LocatorInput out;
  out.claims = collect_claims(records);
  std::set<Prefix> prefixes;
  for_node_prefixes(records, [&](const model::Node&, const Prefix& prefix) { prefixes.insert(prefix); });
  out.node_prefixes = {prefixes.begin(), prefixes.end()};
  out.clusters = records.clusters;
  return out;
}

Locator compile_locator(const LocatorInput& input, const Settings& settings, Places& places) {
  std::vector<Range> ranges = cut_family(input.claims, Family::V4);
  const std::vector<Range> v6 = cut_family(input.claims, Family::V6);
  Locator out;
  store_ranges(ranges, v6, out);
  ranges.insert(ranges.end(), v6.begin(), v6.end());
  out.listeners = static_cast<std::uint32_t>(settings.listeners.size() + 1);
  out.exact.clear();
  Judge judge(input.clusters, settings, places, out);
  for (std::size_t listener = 0; listener < out.listeners; ++listener) {
    for (const Range& range : ranges) out.exact.push_back(judge.exact(listener, range));
  }
  std::vector<model::Part> used;
  std::vector<Prefix> forwarders;
  for (const auto& forwarder : settings.forwarders) {
    auto at = std::ranges::find(used, forwarder.granularity);
    if (at == used.end()) at = used.insert(at, forwarder.granularity);
    out.granularities.push_back(static_cast<std::uint32_t>(at - used.begin()));
    forwarders.push_back(forwarder.prefix);
  }
  out.forwarders = PrefixList(forwarders);
  for (const model::Part granularity : used) {
    for (std::size_t listener = 0; listener < out.listeners; ++listener) {
      for (const Range& range : ranges) out.coarse.push_back(judge.coarse(listener, range, granularity));
    }
  }
  return out;
}

}  // namespace meshdns::answers
