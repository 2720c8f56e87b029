#include "dnsd/answers/locator_compiler.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/base/names.h"
#include "common/model/named.h"
#include "dnsd/topology/plan.h"

namespace meshdns::answers {
namespace {

/// The claims of the prefixes that contain a range.
struct Cover {
  const Claims* claims = nullptr;      // of the longest prefix; null = nobody claims the range
  const Claims* configured = nullptr;  // of the longest configured prefix that contains that one; null = none

  /// Returns the cover of a claimed prefix inside the covered range.
  Cover inside(const Claims& inner) const {
    const bool is_configured = claims != nullptr && claims->front().configured;
    return {&inner, is_configured ? claims : configured};
  }
};

/// A range of addresses that is a prefix, and the claims that contain it.
struct Range {
  Prefix prefix;
  Cover cover;
};

/// Cuts `prefix` in halves until no claim of [first, last) lies inside a part. All of these lie inside `prefix`, in the
/// order of addresses.
void cut(const Prefix& prefix, Cover cover, ClientClaims::const_iterator first, ClientClaims::const_iterator last,
         std::vector<Range>& out) {
  if (first != last && first->first == prefix) cover = cover.inside((first++)->second);
  if (first == last) {
    out.push_back({prefix, cover});
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
  cut(low, cover, first, middle, out);
  cut(Prefix::of(high, length), cover, middle, last, out);
}

/// Cuts all addresses of a family. Claims are in the order of address, then length: a prefix comes before its parts.
std::vector<Range> cut_family(const ClientClaims& claims, Family family) {
  const auto middle =
      std::find_if(claims.begin(), claims.end(), [](const auto& entry) { return entry.first.family() == Family::V6; });
  std::vector<Range> out;
  if (family == Family::V4) {
    cut(Prefix{}, {}, claims.begin(), middle, out);
  } else {
    cut(Prefix::of(IpAddress::v6_bytes(std::array<std::uint8_t, 16>{}), 0), {}, middle, claims.end(), out);
  }
  return out;
}

/// Returns a forwarder's place with only the parts that hold for all clients it may stand for.
model::Locality cut_to(const model::Locality& place, model::Part granularity, const Clusters& clusters) {
  if (granularity == model::Part::Node) return place;
  model::Locality out;
  if (granularity != model::Part::Cluster) {
    for (const model::Part part : model::kParts) {
      if (part <= granularity) out.part(part) = place.part(part);
    }
    return out;
  }
  const model::Cluster* cluster = model::find_named(clusters, place.cluster);
  if (cluster != nullptr) out = cluster->locality;
  out.network = place.network;
  out.cluster = place.cluster;
  return out;
}

/// Finds the verdicts of ranges, and numbers their places and reasons.
class Judge {
 public:
  Judge(const Clusters& clusters, const AnswerSettings& settings, Places& places, Locator& out)
      : clusters_(clusters), settings_(settings), places_(places), out_(out) {
    out_.reasons.clear();
    reason("as nothing says where");
  }

  /// Returns the verdict for a client whose address is known.
  /// asked_by: the cluster of the forwarder that passes the query on; empty = the server's own cluster
  Locator::Verdict exact(std::size_t listener, const Range& range, const std::string& asked_by = {}) {
    const ListenerSettings* from = listener_of(listener);
    const std::optional<ClaimedPlace> found =
        choice_for(from, range, asked_by.empty() ? settings_.own.cluster : asked_by);
    model::Locality place;
    Locator::Verdict verdict;
    if (from != nullptr) {
      place = from->locality;
      verdict = {0, PlaceSource::Listener, reason("by listener " + from->text)};
      if (found) place = refined(place, found->place);
    } else if (found) {
      place = found->place;
      verdict = {0, PlaceSource::Prefix, reason(found->reason)};
    } else if (!settings_.own.empty()) {
      verdict = {0, PlaceSource::Server, reason("by the server's own locality")};
    }
    // Claims that disagree are not those of the server's cluster (its own would have won): the server's locality says
    // nothing about the parts in which they disagree.
    const bool is_agreed = from == nullptr && found && found->is_agreed;
    if (!is_agreed) place = place.empty() ? settings_.own : refined(place, settings_.own);
    verdict.place = places_.id_of(place);
    return verdict;
  }

  /// Returns the verdict for the clients of a trusted forwarder in this range that sends no client subnet.
  Locator::Verdict coarse(std::size_t listener, const Range& range, model::Part granularity) {
    const ListenerSettings* from = listener_of(listener);
    const std::optional<ClaimedPlace> found = choice_for(from, range, settings_.own.cluster);
    model::Locality place = cut_to(found ? found->place : settings_.own, granularity, clusters_);
    if (from != nullptr) {
      place = refined(from->locality, place);
      return {places_.id_of(place), PlaceSource::Listener, reason("by listener " + from->text)};
    }
    if (place.empty()) return {places_.id_of(place), PlaceSource::Nowhere, 0};
    const std::string text = place.cluster.empty() ? place.text() : "cluster " + place.cluster;
    return {places_.id_of(place), PlaceSource::Forwarder, reason(text)};
  }

  /// Returns whether the listener states the cluster of its clients.
  bool states_cluster(std::size_t listener) const {
    const ListenerSettings* from = listener_of(listener);
    return from != nullptr && !from->locality.cluster.empty();
  }

 private:
  /// Returns the settings of a listener that states where its clients are; null = it states nothing.
  const ListenerSettings* listener_of(std::size_t listener) const {
    const bool states = listener < settings_.listeners.size() && !settings_.listeners[listener].locality.empty();
    return states ? &settings_.listeners[listener] : nullptr;
  }
  static std::optional<ClaimedPlace> choice_for(const ListenerSettings* from, const Range& range,
                                                const std::string& own) {
    if (range.cover.claims == nullptr) return std::nullopt;
    const bool stated = from != nullptr && !from->locality.cluster.empty();
    return choose(*range.cover.claims, stated ? from->locality.cluster : own, range.cover.configured);
  }

  std::uint32_t reason(const std::string& text) {
    const auto [at, added] = reasons_.emplace(text, static_cast<std::uint32_t>(out_.reasons.size()));
    if (added) out_.reasons.push_back(text);
    return at->second;
  }

  const Clusters& clusters_;
  const AnswerSettings& settings_;
  Places& places_;
  Locator& out_;
  std::map<std::string, std::uint32_t> reasons_;
};

void store_ranges(const std::vector<Range>& v4, const std::vector<Range>& v6, Locator& out) {
  out.v4.clear();
  out.v6.clear();
  for (const Range& range : v4) {
    out.v4.push_back({range.prefix.address().v4_host_order(), static_cast<std::uint8_t>(range.prefix.length()),
                      range.cover.claims != nullptr});
  }
  for (const Range& range : v6) {
    Locator::RangeV6 entry;
    std::ranges::copy(range.prefix.address().bytes(), entry.start.begin());
    entry.length = static_cast<std::uint8_t>(range.prefix.length());
    entry.known = range.cover.claims != nullptr;
    out.v6.push_back(entry);
  }
  out.complete();
}

/// Adds the verdicts for queries that forwarders of other clusters pass on, where several clusters claim a range.
void add_alternatives(const std::vector<Range>& ranges, Judge& judge, Places& places, Locator& out) {
  std::map<std::string, std::uint16_t, NameLess> numbers;
  const auto number_of = [&](const std::string& cluster) {
    return numbers.emplace(cluster, static_cast<std::uint16_t>(numbers.size() + 1)).first->second;
  };
  for (std::uint32_t range = 0; range < ranges.size(); ++range) {
    const Claims* claims = ranges[range].cover.claims;
    if (claims == nullptr || claims->size() == 1) continue;
    for (std::uint32_t listener = 0; listener < out.listeners; ++listener) {
      if (judge.states_cluster(listener)) continue;
      for (const Claim& claim : *claims) {
        const Locator::Verdict verdict = judge.exact(listener, ranges[range], claim.place.cluster);
        out.alternatives.push_back({listener * out.ranges + range, number_of(claim.place.cluster), verdict});
      }
    }
  }
  std::ranges::sort(out.alternatives, {}, &Locator::Alternative::order);
  for (const model::Locality& place : places.all()) {
    const auto known = numbers.find(place.cluster);
    out.cluster_of_place.push_back(known == numbers.end() ? std::uint16_t{0} : known->second);
  }
}

void note_contested(const ClientClaims& claims, Locator& out) {
  for (const auto& [prefix, of_prefix] : claims) {
    if (of_prefix.size() == 1) continue;
    ++out.contested_count;
    if (out.contested.size() < Locator::kMostContested) out.contested.push_back(contested_text(prefix, of_prefix));
  }
}

}  // namespace

std::uint32_t Places::id_of(const model::Locality& place) {
  const auto [at, added] = ids_.emplace(place, static_cast<std::uint32_t>(all_.size()));
  if (added) all_.push_back(place);
  return at->second;
}

LocatorInput locator_input(const model::Records& records) {
  LocatorInput out;
  out.claims = client_claims(records);
  std::set<Prefix> prefixes;
  // The prefixes that an agent reports must not open explanations to others by themselves: they count only where an
  // operator has stated which prefixes the agents of the cluster may report.
  const auto is_stated = [&](const model::Node& node) {
    const model::Cluster* cluster = model::find_named(records.clusters, node.locality.cluster);
    return cluster != nullptr && cluster->allowed_prefixes.has_value();
  };
  for_node_prefixes(records, [&](const model::Node& node, const Prefix& prefix) {
    if (is_stated(node)) prefixes.insert(prefix);
  });
  for (const auto& [key, node] : records.nodes) {
    if (is_stated(node)) continue;
    for (const IpAddress& address : node.addresses) prefixes.insert(Prefix::host(address));
  }
  out.node_prefixes = {prefixes.begin(), prefixes.end()};
  out.clusters = records.clusters;
  return out;
}

Locator compile_locator(const LocatorInput& input, const AnswerSettings& settings, Places& places) {
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
  if (!used.empty()) add_alternatives(ranges, judge, places, out);
  note_contested(input.claims, out);
  return out;
}

}  // namespace meshdns::answers
