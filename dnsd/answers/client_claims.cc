#include "dnsd/answers/client_claims.h"

#include <algorithm>
#include <cstdint>
#include <tuple>
#include <utility>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/model/lookup.h"

namespace meshdns::answers {
namespace {

/// Returns the parts in which both places agree. Equal names inside of different places are not the same: zone "a" of
/// two regions, node "n1" of two clusters.
model::Locality agreed(const model::Locality& a, const model::Locality& b) {
  model::Locality out;
  for (const model::Part part : model::kParts) {
    if (model::same(a, b, part)) out.part(part) = a.part(part);
  }
  if (!same_name(a.region, b.region)) out.zone.clear();
  if (out.zone.empty()) out.subzone.clear();
  if (out.cluster.empty()) out.node.clear();
  return out;
}

/// The strength of a claim, compared with other claims of its cluster.
struct Strength {
  bool configured = false;
  bool heard = false;
  std::uint64_t session = 0;

  friend auto operator<=>(const Strength&, const Strength&) = default;
};

/// Collects the claims of one prefix: of each cluster only the strongest.
class Contest {
 public:
  void add(Claim claim, const Strength& strength) {
    const auto [at, added] = best_.try_emplace(claim.place.cluster, strength, claim);
    auto& [known, best] = at->second;
    if (added || strength < known) return;
    if (strength == known) {
      best.place = agreed(best.place, claim.place);
      return;
    }
    known = strength;
    best = std::move(claim);
  }

  Claims claims() && {
    const bool configured = std::ranges::any_of(best_, [](const auto& entry) { return entry.second.first.configured; });
    Claims out;
    for (auto& [cluster, entry] : best_) {
      if (entry.first.configured == configured) out.push_back(std::move(entry.second));
    }
    return out;
  }

 private:
  std::map<std::string, std::pair<Strength, Claim>, NameLess> best_;  // by cluster
};

const Claim* of_cluster(const Claims& claims, const std::string& cluster) {
  const auto found =
      std::ranges::find_if(claims, [&](const Claim& claim) { return same_name(claim.place.cluster, cluster); });
  return cluster.empty() || found == claims.end() ? nullptr : &*found;
}

std::string clusters_text(const Claims& claims) {
  std::vector<std::string> names;
  for (const Claim& claim : claims) names.push_back(claim.place.cluster + (claim.heard ? "" : " (silent)"));
  return join(names, " and ");
}

}  // namespace

ClientClaims client_claims(const model::Records& records) {
  std::map<Prefix, Contest> contests;
  for (const auto& [name, cluster] : records.clusters) {
    model::Locality place = cluster.locality;
    place.cluster = name;
    for (const Prefix& prefix : cluster.client_prefixes) {
      contests[prefix].add({place, "by client prefix " + prefix.text() + " (" + name + ")", true, true},
                           {true, true, 0});
    }
  }
  for_node_prefixes(records, [&](const model::Node& node, const Prefix& prefix) {
    const bool heard = !model::is_silent(records, node.key);
    const std::string reason = "by node prefix " + prefix.text() + " (" + node.locality.node + ")";
    contests[prefix].add({model::locality_of(records, node.key), reason, false, heard}, {false, heard, node.session});
  });
  ClientClaims out;
  for (auto& [prefix, contest] : contests) out.emplace_hint(out.end(), prefix, std::move(contest).claims());
  return out;
}

ClaimedPlace choose(const Claims& claims, const std::string& cluster, const Claims* configured) {
  const auto chosen = [](const Claim& claim) { return ClaimedPlace{claim.place, claim.reason}; };
  if (claims.size() == 1) return chosen(claims.front());
  if (const Claim* own = of_cluster(claims, cluster)) return chosen(*own);
  Claims heard;
  std::ranges::copy_if(claims, std::back_inserter(heard), &Claim::heard);
  if (heard.size() == 1) return chosen(heard.front());
  const Claims& left = heard.empty() ? claims : heard;
  if (configured != nullptr && configured->size() == 1) {
    if (const Claim* stated = of_cluster(left, configured->front().place.cluster)) return chosen(*stated);
  }
  ClaimedPlace out{left.front().place, "as far as " + clusters_text(left) + " agree, which claim the same prefix",
                   true};
  for (const Claim& claim : left) out.place = agreed(out.place, claim.place);
  return out;
}

std::string contested_text(const Prefix& prefix, const Claims& claims) {
  return "prefix " + prefix.text() + " is claimed by " + clusters_text(claims);
}

}  // namespace meshdns::answers
