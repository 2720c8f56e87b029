#include "dnsd/query/choice.h"

#include <algorithm>
#include <utility>

namespace meshdns::query {
namespace {

void gather(const answers::RowIndexes& candidates, const RowFilter& filter, Random& random, Choice& out) noexcept {
  const std::size_t size = candidates.size();
  std::size_t at = size > Choice::kMost ? random.below(static_cast<std::uint32_t>(size)) : 0;
  for (std::size_t i = 0; i < size && out.count < Choice::kMost; ++i) {
    if (filter(candidates[at])) out.rows[out.count++] = candidates[at];
    if (++at == size) at = 0;
  }
}

/// Which of rows[first, count) a draw by weight hits.
std::size_t draw_one(const answers::Host& host, const Choice& among, std::size_t first, bool warm,
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

}  // namespace

void choose(const answers::RowIndexes& candidates, const RowFilter& filter, const Draw& rule, Random& random,
            Choice& out) noexcept {
  out.count = 0;
  gather(candidates, filter, random, out);
  draw(filter.host, rule, random, out);
}

void draw(const answers::Host& host, const Draw& rule, Random& random, Choice& from) noexcept {
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
