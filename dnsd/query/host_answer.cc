#include "dnsd/query/host_answer.h"

#include <algorithm>

#include "dnsd/query/address_set.h"

namespace meshdns::query {
namespace {

constexpr std::size_t kRecordHead = 12;  // owner (pointer), type, class, TTL, RDLENGTH

RowFilter family_filter(const answers::Host& host, wire::Type type) noexcept {
  return {.host = host, .v4 = type == wire::Type::A, .v6 = type == wire::Type::AAAA};
}

/// Returns whether the tier has IPv4 addresses that all fail, so that clients without IPv6 need the next tier. There is
/// no such way out for IPv6, because clients with both families would prefer a far IPv6 address to a near IPv4 one (RFC
/// 6724).
bool fails_over(const answers::Host& host, const answers::RowIndexes& rows, wire::Type type) noexcept {
  return type == wire::Type::A &&
         std::any_of(rows.begin(), rows.end(), [&](std::uint16_t row) { return host.traits(row).out_v4; });
}

}  // namespace

std::uint32_t HostAnswer::ttl() const noexcept { return std::min(set.ttl, kMostDynamicTtl); }

bool HostAnswer::is_warm(std::size_t of_tier) const noexcept {
  const auto loads = host.loads(set);
  return !loads.empty() && loads[of_tier].panic != 0;
}

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

std::size_t HostAnswer::address_limit(wire::Type type) const noexcept {
  const std::size_t fit = response.writer().room() / (kRecordHead + (type == wire::Type::A ? 4 : 16));
  return std::min<std::size_t>(fit, host.max_answers);
}

Outcome HostAnswer::chosen(const ChosenRows& choice, wire::Type type) const noexcept {
  for (const std::uint16_t row : choice.view()) {
    if (!write_address(Section::Answer, owner, row, type, ttl())) return Outcome::Truncated;
  }
  // the policy's limit is no truncation, the message's is (RFC 2181 9)
  if (choice.cut && choice.count < host.max_answers) return Outcome::Truncated;
  return choice.count == 0 ? Outcome::NoData : Outcome::Answered;
}

Outcome HostAnswer::addresses(wire::Type type) const noexcept {
  const RowFilter filter = family_filter(host, type);
  const std::size_t limit = address_limit(type);
  ChosenRows choice;
  for (std::size_t i = 0; i < set.tier_count; ++i) {
    const std::size_t at = i == 0 ? tier : i - (i <= tier ? 1 : 0);  // the drawn tier, then from the nearest on
    const bool equal = set.equal_weights && at == 0;
    choose(tier_rows(host, set, at), filter, {equal, limit, is_warm(at), set.repeats, seat}, random, choice);
    if (choice.count > 0 || choice.cut) return chosen(choice, type);
    if (!host.independent_families && !fails_over(host, tier_rows(host, set, at), type)) break;
  }
  return Outcome::NoDataForView;
}

bool HostAnswer::lacks_family(wire::Type type) const noexcept {
  if (host.independent_families || set.tier_count == 0) return false;
  if (!(type == wire::Type::A ? set.some_v4 : set.some_v6)) return false;
  const answers::RowIndexes rows = tier_rows(host, set, tier);
  return std::none_of(rows.begin(), rows.end(), family_filter(host, type));
}

Outcome HostAnswer::all_addresses(wire::Type type) const noexcept {
  const RowFilter filter = family_filter(host, type);
  const answers::RowIndexes rows = host.rows_of(set);
  // a gateway has a row in each tier with endpoints behind it, one for each weight
  const bool may_repeat = set.repeats || host.rows().size() > host.endpoints().size();
  AddressSet seen(host, may_repeat ? rows.size() : 0);
  for (const std::uint16_t row : rows) {
    if (!filter(row) || (may_repeat && !seen.add(row, type == wire::Type::A))) continue;
    if (!write_address(Section::Answer, owner, row, type, ttl())) return Outcome::Truncated;
  }
  return response.records(Section::Answer) > 0 ? Outcome::Answered : Outcome::NoDataForView;
}

Outcome HostAnswer::instance(std::uint16_t row, wire::Type type) const noexcept {
  const answers::EndpointTraits& endpoint = host.traits(row);
  const bool has = type == wire::Type::A ? endpoint.has_v4 : type == wire::Type::AAAA && endpoint.has_v6;
  if (!has) return Outcome::NoData;
  const std::uint32_t instance_ttl = std::min<std::uint32_t>(host.ttl, kMostDynamicTtl);
  return write_address(Section::Answer, owner, row, type, instance_ttl) ? Outcome::Answered : Outcome::Truncated;
}

}  // namespace meshdns::query
