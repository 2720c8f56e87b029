#include "dnsd/query/choice.h"

#include <bit>
#include <cmath>
#include <utility>

#include "dnsd/wire/byte_order.h"

namespace meshdns::query {
namespace {

constexpr std::uint64_t kRowBits = 0xFFFF;  // of a key: its row

void gather(const answers::RowIndexes& candidates, const RowFilter& filter, ChosenRows& out) noexcept {
  for (const std::uint16_t row : candidates) {
    if (filter(row)) out.rows[out.count++] = row;
  }
}

/// Returns the index of one of rows[first, count), drawn by weight.
std::size_t draw_one(const answers::Host& host, const ChosenRows& among, std::size_t first, bool warm,
                     Random& random) noexcept {
  std::uint64_t total = 0;
  for (std::size_t i = first; i < among.count; ++i) total += host.traits(among.rows[i]).share(warm);
  std::uint64_t hit = random.next() % total;
  for (std::size_t i = first; i + 1 < among.count; ++i) {
    const std::uint64_t weight = host.traits(among.rows[i]).share(warm);
    if (hit < weight) return i;
    hit -= weight;
  }
  return among.count - 1;
}

/// Returns a number that tells a row from others on every server: its address, and its port where addresses are shared.
std::uint64_t identity_of(const answers::Host& host, std::uint16_t row) noexcept {
  const answers::EndpointTraits& endpoint = host.traits(row);
  const std::uint64_t port = std::uint64_t{endpoint.port} << 32;
  if (endpoint.has_v4) return port | wire::load32(host.rows()[row].v4.data());
  if (!endpoint.has_v6) return port | row;
  const auto& v6 = host.v6(row);
  return mixed(wire::load64(v6.data()) ^ port, wire::load64(v6.data() + 8));
}

}  // namespace

bool RowFilter::has_named_port(std::uint16_t row) const noexcept {
  for (std::size_t i = 0; i < host.ports().size(); ++i) {
    if (!host.ports()[i].name.empty() && host.port_number(i, row) != 0) return true;
  }
  return false;
}

std::uint64_t row_key(const answers::Host& host, std::uint16_t row, std::uint64_t lot, bool equal_weights,
                      bool warm) noexcept {
  std::uint64_t key = mixed(lot, identity_of(host, row));
  if (!equal_weights) {
    // u in (0, 1] has the order of the equal-weight keys. Positive doubles are ordered like their bits, so that the key
    // stays an integer.
    const double u = static_cast<double>((~key >> 11) + 1) * 0x1p-53;
    key = std::bit_cast<std::uint64_t>(std::abs(std::log(u)) / static_cast<double>(host.traits(row).share(warm)));
  }
  return (key & ~kRowBits) | row;
}

void choose(const answers::RowIndexes& candidates, const RowFilter& filter, const Draw& rule, Random& random,
            ChosenRows& out) noexcept {
  out.count = 0;
  out.cut = false;
  if (candidates.size() <= rule.limit && !rule.by_address) {
    gather(candidates, filter, out);
  } else {
    LeastRows least(filter, rule);
    for (const std::uint16_t row : candidates) {
      if (filter(row)) least.add(row);
    }
    least.take(out);
  }
  draw(filter.host, rule, random, out);
}

void draw(const answers::Host& host, const Draw& rule, Random& random, ChosenRows& from) noexcept {
  const std::size_t wanted = std::min(rule.limit, from.count);
  Draws draws(random);
  for (std::size_t i = 0; i < wanted; ++i) {
    const std::size_t hit = rule.equal_weights ? i + draws.below(static_cast<std::uint32_t>(from.count - i))
                                               : draw_one(host, from, i, rule.warm, random);
    std::swap(from.rows[i], from.rows[hit]);
  }
  from.count = wanted;
}

}  // namespace meshdns::query
