#include "dnsd/query/fast_path.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dnsd/query/choice.h"
#include "dnsd/query/response.h"
#include "dnsd/wire/byte_order.h"
#include "dnsd/wire/writer.h"

namespace meshdns::query {
namespace {

constexpr std::size_t kMostRows = 64;    // of the tier in use
constexpr std::size_t kRecordHead = 12;  // owner (pointer), type, class, TTL, RDLENGTH
constexpr std::size_t kSubnetHead = 8;   // option code and length, family, source, scope
constexpr std::uint8_t kAnswer = 0x84;   // QR and AA

/// Returns whether packet, policy and table ask for nothing but records.
bool is_plain(const wire::Query& query, const Context& context) noexcept {
  const bool asked = query.opcode == wire::Opcode::Query && query.qclass == wire::Class::IN && !context.stream &&
                     (query.type == wire::Type::A || query.type == wire::Type::AAAA);
  if (!asked || query.edns.asks != 0 || query.edns.version != 0) return false;
  if (!context.policy.allow.empty() || context.table.stale || context.stale) return false;
  if (context.table.not_ready) return false;
  return context.limiter == nullptr || !context.policy.rate_limit.applies_to(context.client);
}

/// Returns whether the answer needs nothing in the OPT record, and all rows are equally good.
bool is_plain(const answers::Set& set) noexcept {
  // equal_weights is false where load is spread
  return set.tier_count != 0 && set.equal_weights && set.note == 0 && !set.has_ede;
}

/// The rows of the tier in use that have an address of the family, in the order of the tier.
struct Rows {
  std::array<std::uint16_t, kMostRows> list;
  std::size_t count = 0;

  void gather(const answers::RowIndexes& tier, const answers::Host& host, bool v4, bool all) noexcept {
    if (all) {
      tier.copy_to(list.data());
      count = tier.size();
      return;
    }
    for (const std::uint16_t row : tier) {
      list[count] = row;
      const answers::EndpointTraits& endpoint = host.traits(row);
      if (v4 ? endpoint.has_v4 : endpoint.has_v6) ++count;
    }
  }
  /// Returns a random row of [i, count), which is not drawn again. Uses the same random numbers as draw() does, since
  /// tests compare both ways byte for byte.
  std::uint16_t take(std::size_t i, Draws& draws) noexcept {
    const std::size_t hit = i + draws.below(static_cast<std::uint32_t>(count - i));
    return std::exchange(list[hit], list[i]);
  }
};

std::size_t opt_size(const wire::Edns& edns, bool subnet) noexcept {
  if (!edns.present) return 0;
  return wire::kOptSize + (subnet ? kSubnetHead + edns.subnet.address_size() : 0);
}

/// source: RFC 6891 6.1.2, RFC 7871 6
void write_opt(std::uint8_t* at, const wire::Edns& edns, const std::uint8_t* scope) noexcept {
  constexpr std::uint64_t kHead = std::uint64_t{static_cast<std::uint16_t>(wire::Type::OPT)} << 40 |
                                  std::uint64_t{wire::kMaxUdpAnswer} << 24;  // the root's byte comes first
  wire::store64(at, kHead | (edns.dnssec_ok ? 0x80 : 0));
  at[8] = 0;
  wire::store16(at + 9, static_cast<std::uint16_t>(opt_size(edns, scope != nullptr) - wire::kOptSize));
  if (scope == nullptr) return;
  const std::size_t address = edns.subnet.address_size();
  wire::store16(at + 11, static_cast<std::uint16_t>(wire::Option::ClientSubnet));
  wire::store16(at + 13, static_cast<std::uint16_t>(kSubnetHead - 4 + address));
  wire::store16(at + 15, edns.subnet.family);
  at[17] = edns.subnet.source;
  at[18] = *scope;
  std::copy_n(edns.subnet.address.data(), address, at + 19);
}

void write_header(std::uint8_t* buffer, std::size_t answers, bool edns) noexcept {
  buffer[2] = static_cast<std::uint8_t>((buffer[2] & kFlagsKept) | kAnswer);
  buffer[3] = 0;
  wire::store64(buffer + 4, std::uint64_t{1} << 48 | std::uint64_t{answers} << 32 | (edns ? 1 : 0));
}

/// Writes owner (a pointer to the question's name), type, class, TTL and RDLENGTH.
void write_record_head(std::uint8_t* at, wire::Type type, std::uint32_t ttl, std::size_t size) noexcept {
  constexpr std::uint64_t kOwnerAndClass = 0xC000000000010000U | std::uint64_t{wire::kQuestionOffset} << 48;
  wire::store64(at, kOwnerAndClass | std::uint64_t{static_cast<std::uint16_t>(type)} << 32 | ttl >> 16);
  wire::store32(at + 8, ttl << 16 | static_cast<std::uint32_t>(size));
}

/// Writes the records of randomly chosen rows in random order.
/// kType: A or AAAA
template <wire::Type kType>
void write_records(std::uint8_t* at, const answers::Host& host, Rows& rows, std::size_t wanted, Draws draws,
                   std::uint32_t ttl) noexcept {
  constexpr std::size_t kSize = kType == wire::Type::A ? 4 : 16;
  const answers::EndpointRow* all = host.rows().data();
  for (std::size_t i = 0; i < wanted; ++i, at += kRecordHead + kSize) {
    write_record_head(at, kType, ttl, kSize);
    const std::uint16_t row = rows.take(i, draws);
    std::copy_n(kType == wire::Type::A ? all[row].v4.data() : host.v6(row).data(), kSize, at + kRecordHead);
  }
}

/// Returns whether by_source counts under the name that the source of a place has.
constexpr bool is_counted_as(answers::PlaceSource source, CountedSource counted) {
  return static_cast<std::size_t>(source) == static_cast<std::size_t>(counted);
}
static_assert(is_counted_as(answers::PlaceSource::Listener, CountedSource::Listener) &&
              is_counted_as(answers::PlaceSource::ClientSubnet, CountedSource::ClientSubnet) &&
              is_counted_as(answers::PlaceSource::Forwarder, CountedSource::Forwarder) &&
              is_counted_as(answers::PlaceSource::Prefix, CountedSource::Prefix) &&
              is_counted_as(answers::PlaceSource::Server, CountedSource::Server) &&
              is_counted_as(answers::PlaceSource::Nowhere, CountedSource::Nowhere));
static_assert(static_cast<std::size_t>(CountedSource::Nowhere) + 1 == kCountedSources);

void count(const answers::Host& host, const answers::Set& set, answers::PlaceSource source, bool v4,
           Counters& counters) noexcept {
  counters.received.add();
  counters.by_type[static_cast<std::size_t>(v4 ? CountedType::A : CountedType::AAAA)].add();
  counters.by_source[static_cast<std::size_t>(source)].add();
  counters.by_rcode[0].add();
  if (set.last_resort) counters.last_resort.add();
  if (host.tiers(set).front().number > 0) counters.beyond_tier_0.add();
}

}  // namespace

[[gnu::flatten]] std::size_t fast_answer(std::uint8_t* buffer, std::size_t capacity, const wire::Query& query,
                                         const Context& context) noexcept {
  if (!is_plain(query, context)) return 0;
  const answers::AnswerTable& table = context.table;
  const answers::Host* host = table.find(query.name.view(), query.name.hash).host;
  if (host == nullptr) return 0;
  const answers::Located located = table.where->locator.locate(context.client, context.listener, query.edns.subnet);
  const answers::Set& set = table.set(*host, located.place);
  if (!is_plain(set)) return 0;
  const auto tier = tier_rows(*host, set, 0);
  if (tier.size() > kMostRows) return 0;
  const bool v4 = query.type == wire::Type::A;
  Rows rows;
  rows.gather(tier, *host, v4, v4 && set.all_v4);
  const std::size_t wanted = rows.count;
  if (wanted == 0 || wanted > host->max_answers) return 0;
  const std::size_t records = wanted * (kRecordHead + (v4 ? 4 : 16));
  const bool subnet = query.edns.present && located.subnet_trusted;
  const std::size_t size = query.question_end + records + opt_size(query.edns, subnet);
  if (size > std::min(wire::udp_limit(query.edns), capacity)) return 0;
  std::uint8_t* at = buffer + query.question_end;
  const std::uint32_t ttl = std::min(set.ttl, kMostDynamicTtl);
  if (v4) {
    write_records<wire::Type::A>(at, *host, rows, wanted, Draws(context.random), ttl);
  } else {
    write_records<wire::Type::AAAA>(at, *host, rows, wanted, Draws(context.random), ttl);
  }
  const std::uint8_t scope = host->same_for_all ? std::uint8_t{0} : located.scope;
  if (query.edns.present) write_opt(at + records, query.edns, subnet ? &scope : nullptr);
  write_header(buffer, wanted, query.edns.present);
  count(*host, set, located.source, v4, context.counters);
  return size;
}

}  // namespace meshdns::query
