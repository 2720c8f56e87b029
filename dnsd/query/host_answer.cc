#include "dnsd/query/host_answer.h"

#include <algorithm>
#include <array>

#include "dnsd/query/instance_name.h"

namespace meshdns::query {
namespace {

constexpr std::size_t kMostServices = 16;
constexpr std::size_t kMostServicesOfTier = 8;
constexpr std::size_t kPointerReach = 0x4000;
constexpr std::uint64_t kMostWeight = 65535;

RowFilter family_filter(const answers::Host& host, wire::Type type) noexcept {
  return {.host = host, .v4 = type == wire::Type::A, .v6 = type == wire::Type::AAAA};
}

/// One SRV, SVCB or HTTPS record to come.
struct Service {
  std::uint16_t row;
  std::uint16_t priority;
  std::uint64_t weight;  // in hundredths
};

struct Services {
  std::array<Service, kMostServices> list;
  std::size_t count = 0;
  std::uint64_t heaviest = 0;

  /// The whole set scaled by one factor where the heaviest does not fit; at least 1.
  std::uint16_t scaled(std::uint64_t weight) const noexcept {
    if (heaviest > kMostWeight) weight = weight * kMostWeight / heaviest;
    return static_cast<std::uint16_t>(std::max<std::uint64_t>(1, weight));
  }
};

/// In a panic nobody is held back for being new: who serves must not get less than who does not.
bool is_warm(const HostAnswer& from, std::size_t tier) noexcept {
  const auto loads = from.host.loads(from.set);
  return !loads.empty() && loads[tier].panic != 0;
}

/// One of the rows before has this row's address too: of it the answer has one record (RFC 2181 5).
template <class Rows>
bool is_repeated(const answers::Host& host, const Rows& before, std::uint16_t row, wire::Type type) noexcept {
  return std::any_of(before.begin(), before.end(), [&](std::uint16_t other) {
    if (type == wire::Type::A) return host.traits(other).has_v4 && host.rows()[other].v4 == host.rows()[row].v4;
    return host.traits(other).has_v6 && host.v6(other) == host.v6(row);
  });
}

/// The tier has IPv4 addresses, and all of them fail: clients without IPv6 need the next tier. Those of IPv6 have no
/// such way out, because clients with both families would prefer a far IPv6 address to a near IPv4 one (RFC 6724).
bool fails_over(const answers::Host& host, const answers::RowIndexes& rows, wire::Type type) noexcept {
  return type == wire::Type::A &&
         std::any_of(rows.begin(), rows.end(), [&](std::uint16_t row) { return host.traits(row).out_v4; });
}

/// What the most advanced endpoint of a tier has of its weight, in percent: the others are held back against it.
std::uint64_t best_start(const answers::Host& host, const answers::RowIndexes& rows) noexcept {
  std::uint64_t best = 1;
  for (const std::uint16_t row : rows) best = std::max<std::uint64_t>(best, host.traits(row).start);
  return best;
}

Services choose_services(const HostAnswer& from, std::size_t port) noexcept {
  Services out;
  Choice choice;
  const RowFilter filter{.host = from.host, .port = port, .named = !has_room_for_instances(from.host)};
  const auto tiers = from.host.tiers(from.set);
  for (std::size_t tier = 0; tier < tiers.size() && out.count < kMostServices; ++tier) {
    const std::size_t limit = std::min(kMostServicesOfTier, kMostServices - out.count);
    const auto rows = tier_rows(from.host, from.set, tier);
    const bool warm = is_warm(from, tier);
    choose(rows, filter, {false, limit, warm}, from.random, choice);
    const std::uint64_t best = choice.count == 0 || warm ? 100 : best_start(from.host, rows);
    for (const std::uint16_t row : choice.view()) {
      const std::uint64_t weight = std::uint64_t{from.host.traits(row).share(warm)} * 100 / best;
      out.list[out.count++] = {row, tiers[tier].number, weight};
      out.heaviest = std::max(out.heaviest, weight);
    }
  }
  return out;
}

}  // namespace

std::uint32_t HostAnswer::ttl() const noexcept { return std::min(set.ttl, kMostDynamicTtl); }

bool HostAnswer::write_address(Section section, std::uint16_t at, std::uint16_t row, wire::Type type,
                               std::uint32_t ttl) const noexcept {
  wire::Writer& writer = response.writer();
  const std::size_t mark = writer.position();
  if (type == wire::Type::A) {
    writer.a(at, ttl, host.rows()[row].v4.data());
  } else {
    writer.aaaa(at, ttl, host.v6(row).data());
  }
  return response.count(section, mark);
}

Outcome HostAnswer::write_addresses(std::span<const std::uint16_t> rows, wire::Type type,
                                    std::uint32_t ttl) const noexcept {
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (set.repeats && is_repeated(host, rows.first(i), rows[i], type)) continue;
    if (!write_address(Section::Answer, owner, rows[i], type, ttl)) return Outcome::Truncated;
  }
  return Outcome::Answered;
}

Outcome HostAnswer::addresses(wire::Type type) const noexcept {
  const RowFilter filter = family_filter(host, type);
  Choice choice;
  for (std::size_t i = 0; i < set.tier_count; ++i) {
    const std::size_t at = i == 0 ? tier : i - (i <= tier ? 1 : 0);  // then the nearest that has the family
    choose(tier_rows(host, set, at), filter, {set.equal_weights, host.max_answers, is_warm(*this, at)}, random, choice);
    if (choice.count > 0) return write_addresses(choice.view(), type, ttl());
    if (!host.independent_families && !fails_over(host, tier_rows(host, set, at), type)) break;
  }
  return Outcome::NoDataForView;
}

Outcome HostAnswer::all_addresses(wire::Type type) const noexcept {
  const RowFilter filter = family_filter(host, type);
  const answers::RowIndexes rows = host.rows_of(set);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint16_t row = rows[i];
    // a gateway stands in each tier with endpoints behind it, with a row for each weight
    const bool gateway = row >= host.endpoints().size();
    if (!filter(row) || ((gateway || set.repeats) && is_repeated(host, rows.part(0, i), row, type))) continue;
    if (!write_address(Section::Answer, owner, row, type, ttl())) return Outcome::Truncated;
  }
  return response.records(Section::Answer) > 0 ? Outcome::Answered : Outcome::NoDataForView;
}

Outcome HostAnswer::chosen(const Choice& choice, wire::Type type) const noexcept {
  return choice.count == 0 ? Outcome::NoData : write_addresses(choice.view(), type, ttl());
}

std::uint16_t HostAnswer::write_service_binding(wire::Type type, std::uint16_t row,
                                                const wire::SvcbFields& fields) const noexcept {
  const answers::EndpointTraits& endpoint = host.traits(row);
  wire::SvcbFields all = fields;
  if (endpoint.has_v4) all.ipv4hint = host.rows()[row].v4;
  if (endpoint.has_v6) all.ipv6hint = host.v6(row);
  return response.writer().svcb(owner, type, ttl(), all);
}

Outcome HostAnswer::services(std::size_t port, wire::Type type) const noexcept {
  const Services services = choose_services(*this, port);
  if (services.count == 0) return Outcome::NoDataForView;
  std::array<std::uint16_t, kMostServices> targets;
  wire::Writer& writer = response.writer();
  for (std::size_t i = 0; i < services.count; ++i) {
    const auto [row, priority, own_weight] = services.list[i];
    const InstanceName target(host, row);
    const std::size_t mark = writer.position();
    const std::uint16_t number = host.port_number(port, row);
    if (type == wire::Type::SRV) {
      const std::uint16_t weight = services.scaled(own_weight);
      targets[i] = writer.srv(owner, ttl(), {priority, weight, number, target.view()});
    } else {
      const auto svc_priority = static_cast<std::uint16_t>(priority + 1);  // RFC 9460 2.4.1: 0 is AliasMode
      targets[i] = write_service_binding(type, row, {svc_priority, target.view(), number, {}, {}});
    }
    if (!response.count(Section::Answer, mark)) return Outcome::Truncated;
  }
  std::array<std::uint16_t, kMostServices> rows;
  for (std::size_t i = 0; i < services.count; ++i) {
    rows[i] = services.list[i].row;
    write_additional(targets[i], std::span(rows).first(i), rows[i]);
  }
  return Outcome::Answered;
}

void HostAnswer::write_additional(std::uint16_t target, std::span<const std::uint16_t> before,
                                  std::uint16_t row) const noexcept {
  if (target >= kPointerReach) return;
  const answers::EndpointTraits& endpoint = host.traits(row);
  if (endpoint.has_v4 && !is_repeated(host, before, row, wire::Type::A)) {
    write_address(Section::Additional, target, row, wire::Type::A, host.ttl);
  }
  if (endpoint.has_v6 && !is_repeated(host, before, row, wire::Type::AAAA)) {
    write_address(Section::Additional, target, row, wire::Type::AAAA, host.ttl);
  }
}

Outcome HostAnswer::instance(std::uint16_t row, wire::Type type) const noexcept {
  const answers::EndpointTraits& endpoint = host.traits(row);
  const bool has = type == wire::Type::A ? endpoint.has_v4 : type == wire::Type::AAAA && endpoint.has_v6;
  if (!has) return Outcome::NoData;
  const std::uint32_t instance_ttl = std::min<std::uint32_t>(host.ttl, kMostDynamicTtl);
  return write_address(Section::Answer, owner, row, type, instance_ttl) ? Outcome::Answered : Outcome::Truncated;
}

}  // namespace meshdns::query
