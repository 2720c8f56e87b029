#include "dnsd/answers/host_compiler.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <span>
#include <tuple>
#include <unordered_map>

#include "common/base/names.h"
#include "common/base/text.h"
#include "common/model/limits.h"
#include "dnsd/answers/explain.h"
#include "dnsd/answers/numbered.h"

namespace meshdns::answers {
namespace {

std::uint32_t seconds(Duration duration) {
  return static_cast<std::uint32_t>(std::max<std::int64_t>(0, duration / 1s));
}

std::int32_t steps(TimePoint since) {
  const auto count =
      std::chrono::floor<std::chrono::duration<std::int64_t, std::deci>>(since.time_since_epoch()).count();
  static_assert(Host::kSinceStep == std::chrono::duration<std::int64_t, std::deci>(1));
  using Limits = std::numeric_limits<std::int32_t>;
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(count, Limits::min(), Limits::max()));
}

constexpr std::size_t kMostSharing = 64;  // sets with which a new set may share tiers; more would cost too much time

bool has_equals(auto& list) {
  std::ranges::sort(list);
  return std::ranges::adjacent_find(list) != list.end();
}

}  // namespace

/// Collects the arrays of one host in vectors, then copies them into one block.
class HostBuilder {
 public:
  HostBuilder(const topology::HostPlan& plan, HostParts& parts) : plan_(plan), parts_(parts) {
    for (const topology::Candidate& candidate : plan.candidates) add_row(candidate);
    std::vector<std::uint16_t> all(rows_.size());
    std::iota(all.begin(), all.end(), std::uint16_t{0});
    repeats_ = repeats_addresses(all);
    twins_ = repeats_ && topology::has_twins(plan);
  }

  void add_class(const topology::Decision& decision) {
    Set set = set_of(decision);
    const std::size_t hash = hash_of(set);
    const auto [begin, end] = sets_by_hash_.equal_range(hash);
    const auto equal = std::find_if(begin, end, [&](const auto& entry) { return same(set, sets_[entry.second]); });
    if (equal != end) {  // its rows and tiers are taken back: the equal set has them
      classes_.push_back(equal->second);
      set_rows_.resize(set.first_row);
      resize_tiers(set.first_tier);
    } else {
      classes_.push_back(static_cast<std::uint16_t>(sets_.size()));
      sets_by_hash_.emplace(hash, classes_.back());
      share_tiers(set);
      sets_.push_back(set);
    }
  }

  /// Adds the next class, whose clients get what those of an earlier class get.
  void add_class_like(std::uint16_t earlier) { classes_.push_back(classes_[earlier]); }

  /// Adds rows of all gateways on the way to the endpoints: their names exist even while nobody is answered with them.
  void add_gateways(const topology::Geography& geography) {
    if (!topology::has_gateways(geography.clusters)) return;
    std::vector<bool> seen(localities_.size(), false);
    std::set<IpAddress> known;
    for (const auto& [key, row] : gateway_rows_) known.insert(std::get<0>(key));
    for (std::uint32_t i = 0; i < plan_.candidates.size(); ++i) {
      const model::Locality& place = plan_.candidates[i].locality;
      if (place.network.empty() || seen[rows_[i].locality]) continue;
      seen[rows_[i].locality] = true;
      for (const auto& [name, cluster] : geography.clusters) {
        if (!same_name(name, place.cluster) && !model::same(cluster.locality, place, model::Part::Network)) continue;
        for (const model::Gateway& gateway : cluster.gateways) {
          if (known.insert(gateway.address).second) gateway_row({&gateway, 100, {i}});
        }
      }
    }
  }

  static Ref<const Host> copy(const Host& host, std::uint32_t zone) {
    const std::size_t arrays = host.memory() - sizeof(Host);
    auto* out = new (Host::Arrays{arrays}) Host(host);
    std::memcpy(reinterpret_cast<std::byte*>(out) + sizeof(Host),
                reinterpret_cast<const std::byte*>(&host) + sizeof(Host), arrays);
    out->zone = zone;
    return Ref<const Host>(out);
  }

  Ref<const Host> build(const HostFrame& frame) {
    Host layout;
    layout.name_size_ = static_cast<std::uint8_t>(frame.name.size());
    layout.row_count_ = static_cast<std::uint16_t>(rows_.size());
    layout.endpoint_count_ = static_cast<std::uint16_t>(plan_.candidates.size());
    layout.set_count_ = static_cast<std::uint16_t>(sets_.size());
    layout.has_v6_ = std::ranges::any_of(traits_.list(), [](const auto& traits) { return traits.knows_v6(); });
    layout.has_loads_ = has_loads_;
    share_port_numbers(layout);
    // arrays that most answers need come first
    append(frame.name);
    layout.classes_ = append(classes_);
    layout.sets_ = append(sets_);
    layout.tiers_ = append(tiers_);
    layout.set_rows_ = rows_.size() > Host::kFewRows
                           ? append(set_rows_)
                           : append(std::vector<std::uint8_t>(set_rows_.begin(), set_rows_.end()));
    layout.rows_ = append(rows_);
    layout.traits_ = append(traits_.list());
    layout.port_numbers_ = append(port_numbers_);
    layout.v6_ = append(layout.has_v6_ ? v6_ : std::vector<Host::V6>());
    if (has_loads_) append(loads_);
    return finished(layout, frame);
  }

 private:
  void add_row(const topology::Candidate& candidate) {
    EndpointRow row;
    EndpointTraits traits;
    traits.weight = std::min(candidate.weight, model::kMostWeight);
    traits.port = candidate.port;
    traits.standing = candidate.standing;
    traits.in_doubt = candidate.in_doubt;
    traits.known = candidate.known;
    traits.displaced = candidate.displaced;
    traits.group = candidate.group;
    traits.start = candidate.start;
    traits.why = texts_.index_of(candidate.why);
    v6_.emplace_back();
    if (candidate.v4) take_address(*candidate.v4, row, traits);
    if (candidate.v6) take_address(*candidate.v6, row, traits);
    if (candidate.out) take_out_address(*candidate.out, row, traits);
    row.since = steps(candidate.since);
    row.locality = localities_.index_of(parts_.locality(candidate.locality));
    row.traits = traits_.index_of(traits);
    for (const std::uint16_t number : candidate.ports) port_numbers_.push_back(number);
    rows_.push_back(row);
  }

  /// Sets an address of the row that is being added.
  void take_address(const IpAddress& address, EndpointRow& row, EndpointTraits& traits) {
    if (address.is_v4()) traits.has_v4 = true;
    if (!address.is_v4()) traits.has_v6 = true;
    put_bytes(address, row);
  }

  void take_out_address(const IpAddress& address, EndpointRow& row, EndpointTraits& traits) {
    if (address.is_v4()) {
      traits.out_v4 = true;
    } else {
      traits.out_v6 = true;
    }
    put_bytes(address, row);
  }

  void put_bytes(const IpAddress& address, EndpointRow& row) {
    if (address.is_v4()) {
      std::ranges::copy(address.bytes(), row.v4.begin());
    } else {
      std::ranges::copy(address.bytes(), v6_.back().begin());
    }
  }

  /// Returns the row of a gateway that stands for this weight, and adds it; nothing = the host has no room for a row.
  std::optional<std::uint16_t> gateway_row(const topology::GatewayTarget& target) {
    constexpr std::uint64_t kMostWeight = std::numeric_limits<std::uint32_t>::max();
    std::vector<std::uint16_t> ports;
    for (std::size_t port = 0; port < plan_.ports.size(); ++port)
      ports.push_back(topology::port_of(plan_, target, port));
    const GatewayRow key{target.gateway->address, std::min(target.hundredths, kMostWeight), ports};
    const auto known = gateway_rows_.find(key);
    if (known != gateway_rows_.end()) return known->second;
    if (rows_.size() == std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
    const auto index = static_cast<std::uint16_t>(rows_.size());
    EndpointRow row;
    EndpointTraits traits;
    traits.weight = static_cast<std::uint32_t>(std::get<1>(key));
    traits.hundredths = true;
    traits.port = ports.empty() ? plan_.candidates[target.members.front()].port : ports.front();
    v6_.emplace_back();
    take_address(target.gateway->address, row, traits);
    row.locality = localities_.index_of(parts_.locality({}));
    row.traits = traits_.index_of(traits);
    port_numbers_.insert(port_numbers_.end(), ports.begin(), ports.end());
    rows_.push_back(row);
    gateway_rows_.emplace(key, index);
    return index;
  }

  Set set_of(const topology::Decision& decision) {
    Set set;
    set.ttl = seconds(decision.ttl);
    set.last_resort = decision.last_resort();
    std::vector<std::string> notes = note_texts(decision);
    const bool gateways = rows_.size() > plan_.candidates.size();
    if (std::string cap = cap_text(plan_, decision, repeats_ || gateways); !cap.empty()) {
      set.capped = true;
      notes.push_back(std::move(cap));
    }
    set.note = texts_.index_of(join(notes, "; "));
    using enum topology::Emptiness;
    const bool kept_out = decision.emptiness == Unlocated || decision.emptiness == Fenced;
    if (kept_out || decision.emptiness == FenceUnknown) {
      set.has_ede = true;
      set.ede = wire::Ede::Prohibited;
      set.ede_text = texts_.index_of(std::string(emptiness_text(decision.emptiness)));
    }
    set.first_row = static_cast<std::uint32_t>(set_rows_.size());
    set.first_tier = static_cast<std::uint32_t>(tiers_.size());
    for (const topology::Tier& tier : decision.tiers) add_tier(tier, set);
    set.row_count = static_cast<std::uint16_t>(set_rows_.size() - set.first_row);
    set.tier_count = static_cast<std::uint16_t>(tiers_.size() - set.first_tier);
    return set;
  }

  void add_tier(const topology::Tier& tier, Set& set) {
    if (tier.answering.empty()) return;
    const bool first = tiers_.size() == set.first_tier;
    const auto begin = static_cast<std::ptrdiff_t>(set_rows_.size());
    for (const std::uint32_t member : tier.gateways.empty() ? tier.answering : tier.direct) {
      set_rows_.push_back(static_cast<std::uint16_t>(member));
    }
    for (const topology::GatewayTarget& target : tier.gateways) {
      if (const auto row = gateway_row(target)) set_rows_.push_back(*row);
    }
    // a worker that looks at some of the rows begins anywhere: in the order of keys it would get neighbours
    std::ranges::shuffle(set_rows_.begin() + begin, set_rows_.end(),
                         std::minstd_rand(static_cast<std::uint32_t>(plan_.candidates.size())));
    tiers_.push_back(
        {static_cast<std::uint16_t>(tier.number), static_cast<std::uint16_t>(set_rows_.size() - set.first_row)});
    const auto of_tier = std::span(set_rows_).subspan(static_cast<std::size_t>(begin));
    const bool may_repeat = repeats_ || !tier.gateways.empty();
    set.repeats = set.repeats || (may_repeat && repeats_addresses(of_tier));
    for (const std::uint16_t row : of_tier) {
      set.some_v4 = set.some_v4 || traits_[rows_[row].traits].has_v4;
      set.some_v6 = set.some_v6 || traits_[rows_[row].traits].has_v6;
    }
    loads_.push_back({static_cast<std::uint8_t>(tier.load), static_cast<std::uint8_t>(tier.panic)});
    has_loads_ = has_loads_ || tier.panic || tier.load != (first ? 100 : 0);
    if (!first) return;
    const auto traits_of = [&](std::uint16_t row) -> const EndpointTraits& { return traits_[rows_[row].traits]; };
    set.spread = tier.load != 100;
    set.equal_weights = !set.spread && !set.repeats && std::ranges::all_of(of_tier, [&](std::uint16_t row) {
      return traits_of(row).share() == traits_of(of_tier.front()).share();
    });
    set.all_v4 = std::ranges::all_of(of_tier, [&](std::uint16_t row) { return traits_of(row).has_v4; });
  }

  bool repeats_addresses(std::span<const std::uint16_t> rows) const {
    std::vector<std::array<std::uint8_t, 4>> v4;
    std::vector<Host::V6> v6;
    for (const std::uint16_t row : rows) {
      const EndpointTraits& traits = traits_[rows_[row].traits];
      if (traits.has_v4) v4.push_back(rows_[row].v4);
      if (traits.has_v6) v6.push_back(v6_[row]);
    }
    return has_equals(v4) || has_equals(v6);
  }

  std::span<const Tier> tiers_of(const Set& set) const {
    return std::span(tiers_).subspan(set.first_tier, set.tier_count);
  }
  std::span<const TierLoad> loads_of(const Set& set) const {
    return std::span(loads_).subspan(set.first_tier, set.tier_count);
  }
  void resize_tiers(std::size_t size) {
    tiers_.resize(size);
    loads_.resize(size);
  }

  /// Returns a hash that is equal for sets that are same().
  std::size_t hash_of(const Set& set) const {
    std::size_t hash = std::size_t{set.ttl} << 32 | std::size_t{set.note} << 16 | set.tier_count;
    const auto mix = [&](std::size_t value) { hash = hash * 0x9E3779B97F4A7C15U + value; };
    for (const std::uint16_t row : std::span(set_rows_).subspan(set.first_row, set.row_count)) mix(row);
    return hash;
  }

  /// Returns whether clients of both sets see the same answers, notes and errors.
  bool same(const Set& a, const Set& b) const {
    const auto rows = [&](const Set& set) { return std::span(set_rows_).subspan(set.first_row, set.row_count); };
    return a.ttl == b.ttl && a.last_resort == b.last_resort && a.note == b.note && a.has_ede == b.has_ede &&
           a.ede_text == b.ede_text && std::ranges::equal(rows(a), rows(b)) &&
           std::ranges::equal(tiers_of(a), tiers_of(b)) && std::ranges::equal(loads_of(a), loads_of(b));
  }

  /// Lets a set use the tiers of an earlier one that begins with the same tiers. Looks at the first sets only.
  void share_tiers(Set& set) {
    const auto begins_so = [&](const Set& other) {
      return other.tier_count >= set.tier_count &&
             std::ranges::equal(tiers_of(other).first(set.tier_count), tiers_of(set)) &&
             std::ranges::equal(loads_of(other).first(set.tier_count), loads_of(set));
    };
    const auto first = std::span(sets_).first(std::min(sets_.size(), kMostSharing));
    const auto other = std::ranges::find_if(first, begins_so);
    if (other == first.end()) return;
    resize_tiers(set.first_tier);
    set.first_tier = other->first_tier;
  }

  void share_port_numbers(Host& layout) {
    const std::size_t ports = plan_.ports.size();
    const auto as_first = [&](std::size_t i) { return port_numbers_[i] == port_numbers_[i % ports]; };
    bool equal = true;
    for (std::size_t i = ports; i < port_numbers_.size() && equal; ++i) equal = as_first(i);
    layout.port_stride_ = equal ? std::uint16_t{0} : static_cast<std::uint16_t>(ports);
    if (equal && port_numbers_.size() > ports) port_numbers_.resize(ports);
  }

  /// returns: the offset of the array from the beginning of the host
  template <class T>
  std::uint32_t append(const std::vector<T>& list) {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(Host) % alignof(T) == 0);
    arrays_.resize((arrays_.size() + alignof(T) - 1) / alignof(T) * alignof(T));
    const std::size_t begin = arrays_.size();
    arrays_.resize(begin + list.size() * sizeof(T));
    if (!list.empty()) std::memcpy(arrays_.data() + begin, list.data(), list.size() * sizeof(T));
    return static_cast<std::uint32_t>(sizeof(Host) + begin);
  }

  Ref<const Host> finished(const Host& layout, const HostFrame& frame) {
    auto* host = new (Host::Arrays{arrays_.size()}) Host(layout);
    const Ref<const Host> out(host);
    std::memcpy(reinterpret_cast<std::byte*>(host) + sizeof(Host), arrays_.data(), arrays_.size());
    host->zone = frame.zone;
    host->shape = frame.shape;
    host->spec = parts_.spec(plan_);
    host->localities = parts_.list(localities_.take());
    host->texts = parts_.list(texts_.take());
    host->hostnames = HostParts::hostnames(plan_);
    host->ttl = static_cast<std::uint16_t>(seconds(plan_.policy.ttl));
    host->max_answers = static_cast<std::uint16_t>(plan_.policy.most_addresses());
    host->independent_families = plan_.policy.families == model::Families::Independent;
    host->spread = std::ranges::any_of(sets_, [](const Set& set) { return set.spread; });
    host->panic = std::ranges::any_of(loads_, [](const TierLoad& load) { return load.panic != 0; });
    host->twins = twins_;
    host->timed = host->spread || rows_.size() > host->max_answers;
    host->same_for_all = sets_.size() <= 1 && !host->spread;
    return out;
  }

  using GatewayRow = std::tuple<IpAddress, std::uint64_t, std::vector<std::uint16_t>>;

  const topology::HostPlan& plan_;
  HostParts& parts_;
  std::map<GatewayRow, std::uint16_t> gateway_rows_;
  Numbered<Ref<const KnownLocality>, LocalityHash> localities_;
  Numbered<std::string> texts_{{""}};
  std::vector<EndpointRow> rows_;
  Numbered<EndpointTraits, TraitsHash> traits_;
  std::vector<Host::V6> v6_;  // by row
  std::vector<Set> sets_;
  std::unordered_multimap<std::size_t, std::uint16_t> sets_by_hash_;
  std::vector<Tier> tiers_;
  std::vector<TierLoad> loads_;  // by tier
  bool has_loads_ = false;       // some set has spread load or panic
  bool repeats_ = false;         // two endpoints share an address
  bool twins_ = false;           // two endpoints share an address and a port number
  std::vector<std::uint16_t> set_rows_;
  std::vector<std::uint16_t> classes_;
  std::vector<std::uint16_t> port_numbers_;
  std::vector<std::byte> arrays_;
};

Ref<const Host> compile_host(const topology::HostPlan& plan, const HostFrame& frame, HostParts& parts) {
  HostBuilder builder(plan, parts);
  topology::HostDecider decider(plan, frame.geography);
  std::vector<std::uint16_t> class_of_outlook;  // by outlook: the first class that has it
  for (std::size_t i = 0; i < frame.views.size(); ++i) {
    const Host* before = frame.before;
    const bool had = before != nullptr && before->spec->policy.spill;
    const auto client_class = static_cast<std::uint16_t>(i);
    const std::size_t outlook =
        decider.look({frame.views[i], had ? panic_of(*before, before->set_of_class(client_class)) : 0});
    if (outlook < class_of_outlook.size()) {
      builder.add_class_like(class_of_outlook[outlook]);
      continue;
    }
    class_of_outlook.push_back(client_class);
    builder.add_class(decider.decide(outlook));
  }
  builder.add_gateways(frame.geography);
  return builder.build(frame);
}

Ref<const Host> in_zone(const Host& host, std::uint32_t zone) { return HostBuilder::copy(host, zone); }

}  // namespace meshdns::answers
