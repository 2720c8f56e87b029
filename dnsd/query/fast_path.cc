#include "dnsd/query/fast_path.h"

#include <algorithm>
#include <array>

#include "dnsd/query/choice.h"
#include "dnsd/query/response.h"
#include "dnsd/wire/byte_order.h"
#include "dnsd/wire/writer.h"

namespace meshdns::query {
namespace {

constexpr std::size_t kMostRows = 64;    // of the tier in use
constexpr std::size_t kRecordSize = 16;  // owner (pointer), type, class, TTL, RDLENGTH, address
constexpr std::size_t kOptSize = 11;
constexpr std::size_t kSubnetHead = 8;  // option code and length, family, source, scope
constexpr std::uint8_t kAnswer = 0x84;  // QR and AA

/// Nothing in the packet, the policy or the table asks for more than records.
bool is_plain(const wire::Query& query, const Context& context) noexcept {
  const bool asked = query.opcode == wire::Opcode::Query && query.type == wire::Type::A &&
                     query.qclass == wire::Class::IN && !context.stream;
  if (!asked || query.edns.asks != 0 || query.edns.version != 0) return false;
  if (!context.policy.allow.empty() || context.table.stale || context.table.not_ready) return false;
  return context.limiter == nullptr || !context.policy.rate_limit.applies_to(context.client);
}

/// Nothing about this answer needs a word in the OPT record, and any of the rows will do.
bool is_plain(const answers::Set& set, std::size_t rows) noexcept {
  return set.tier_count != 0 && set.all_v4 && set.equal_weights && set.note == 0 && !set.has_ede && rows <= kMostRows;
}

std::size_t opt_size(const wire::Edns& edns, bool subnet) noexcept {
  if (!edns.present) return 0;
  return kOptSize + (subnet ? kSubnetHead + edns.subnet.address_size() : 0);
}

/// source: RFC 6891 6.1.2, RFC 7871 6
void write_opt(std::uint8_t* at, const wire::Edns& edns, const std::uint8_t* scope) noexcept {
  at[0] = 0;
  wire::store16(at + 1, static_cast<std::uint16_t>(wire::Type::OPT));
  wire::store16(at + 3, static_cast<std::uint16_t>(wire::kMaxUdpAnswer));
  wire::store32(at + 5, edns.dnssec_ok ? 0x8000 : 0);
  wire::store16(at + 9, static_cast<std::uint16_t>(opt_size(edns, scope != nullptr) - kOptSize));
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
  wire::store32(buffer + 4, 0x00010000U | static_cast<std::uint32_t>(answers));
  wire::store32(buffer + 8, edns ? 1 : 0);
}

/// A random choice in random order, drawn as choose() draws it.
void write_records(std::uint8_t* at, const answers::Host& host, const answers::Set& set, std::size_t wanted,
                   Random& random) noexcept {
  const auto tier = tier_rows(host, set, 0);
  std::array<std::uint16_t, kMostRows> rows;
  tier.copy_to(rows.data());
  const answers::EndpointRow* all = host.rows().data();
  const std::uint32_t ttl = std::min(set.ttl, kMostDynamicTtl);
  for (std::size_t i = 0; i < wanted; ++i, at += kRecordSize) {
    std::swap(rows[i], rows[i + random.below(static_cast<std::uint32_t>(tier.size() - i))]);
    wire::store32(at, 0xC0000001U | std::uint32_t{wire::kQuestionOffset} << 16);  // the question's name, A
    wire::store16(at + 4, static_cast<std::uint16_t>(wire::Class::IN));
    wire::store32(at + 6, ttl);
    wire::store16(at + 10, 4);
    std::copy_n(all[rows[i]].v4.data(), 4, at + 12);
  }
}

void count(const answers::Host& host, const answers::Set& set, const answers::Located& located,
           Counters& counters) noexcept {
  counters.received.add();
  counters.by_type[static_cast<std::size_t>(CountedType::A)].add();
  counters.by_source[static_cast<std::size_t>(located.source)].add();
  counters.by_rcode[0].add();
  if (set.last_resort) counters.last_resort.add();
  if (host.tiers(set).front().number > 0) counters.beyond_tier_0.add();
}

}  // namespace

std::size_t fast_answer(std::uint8_t* buffer, std::size_t capacity, const wire::Query& query,
                        const Context& context) noexcept {
  if (!is_plain(query, context)) return 0;
  const answers::AnswerTable& table = context.table;
  const answers::Host* host = table.find(query.name.view(), query.name.hash).host;
  if (host == nullptr) return 0;
  const answers::Located located = table.where->locator.locate(context.client, context.listener, query.edns.subnet);
  const answers::Set& set = table.set(*host, located.place);
  const std::size_t rows = set.tier_count == 0 ? 0 : host->tiers(set).front().end;
  if (!is_plain(set, rows)) return 0;
  const std::size_t wanted = std::min<std::size_t>(rows, host->max_answers);
  const bool subnet = query.edns.present && located.subnet_trusted;
  const std::size_t size = query.question_end + wanted * kRecordSize + opt_size(query.edns, subnet);
  if (size > std::min(wire::udp_limit(query.edns), capacity)) return 0;
  std::uint8_t* at = buffer + query.question_end;
  write_records(at, *host, set, wanted, context.random);
  const std::uint8_t scope = host->same_for_all ? std::uint8_t{0} : located.scope;
  if (query.edns.present) write_opt(at + wanted * kRecordSize, query.edns, subnet ? &scope : nullptr);
  write_header(buffer, wanted, query.edns.present);
  count(*host, set, located, context.counters);
  return size;
}

}  // namespace meshdns::query
