#include "dnsd/answers/locator.h"

#include <algorithm>

#include "dnsd/wire/byte_order.h"

namespace meshdns::answers {

void Locator::complete() {
  ranges = static_cast<std::uint32_t>(v4.size() + v6.size());
  constexpr std::uint32_t kHalves = 0x10000;
  v4_index.assign(kHalves + 1, static_cast<std::uint32_t>(v4.size() - 1));
  std::uint32_t range = 0;
  for (std::uint32_t half = 0; half < kHalves; ++half) {
    while (range + 1 < v4.size() && v4[range + 1].start <= half << 16) ++range;
    v4_index[half] = range;
  }
}

Locator::Found Locator::find_v4(std::uint32_t address) const noexcept {
  std::size_t at = 0;
  std::size_t last = v4.size() - 1;
  if (!v4_index.empty()) {
    at = v4_index[address >> 16];
    last = v4_index[(address >> 16) + 1];
  }
  if (at != last) {
    const auto begin = v4.begin() + static_cast<std::ptrdiff_t>(at) + 1;
    const auto end = v4.begin() + static_cast<std::ptrdiff_t>(last) + 1;
    const auto after = std::upper_bound(begin, end, address,
                                        [](std::uint32_t value, const RangeV4& range) { return value < range.start; });
    at = static_cast<std::size_t>(after - v4.begin()) - 1;
  }
  return {at, v4[at].length, v4[at].known};
}

Locator::Found Locator::find_v6(const std::array<std::uint8_t, 16>& address) const noexcept {
  const auto after = std::upper_bound(v6.begin(), v6.end(), address,
                                      [](const auto& value, const RangeV6& range) { return value < range.start; });
  const auto& range = *std::prev(after);
  return {v4.size() + static_cast<std::size_t>(&range - v6.data()), range.length, range.known};
}

Locator::Found Locator::find(const IpAddress& address) const noexcept {
  if (address.is_v4()) return find_v4(address.v4_host_order());
  std::array<std::uint8_t, 16> bytes;
  std::copy_n(address.bytes().begin(), 16, bytes.begin());
  return find_v6(bytes);
}

const Locator::Verdict& Locator::passed_on(std::uint32_t place, std::size_t at) const noexcept {
  if (alternatives.empty() || cluster_of_place[place] == 0) return exact[at];
  const std::uint64_t order = std::uint64_t{at} << 16 | cluster_of_place[place];
  const auto found = std::ranges::lower_bound(alternatives, order, {}, &Alternative::order);
  return found != alternatives.end() && found->order() == order ? found->verdict : exact[at];
}

Located Locator::locate(const IpAddress& client, std::uint16_t listener,
                        const wire::ClientSubnet& subnet) const noexcept {
  const Found own = find(client);
  const auto located = [&own](const Verdict& verdict) {
    return Located{verdict.place, verdict.source, verdict.reason, false, 0, own.length};
  };
  const std::size_t forwarder = forwarders.find(client);
  if (forwarder == PrefixList::kNone) return located(exact[listener * ranges + own.range]);
  const Verdict& cut = coarse[(std::size_t{granularities[forwarder]} * listeners + listener) * ranges + own.range];
  Located out = located(cut);
  out.subnet_trusted = subnet.present;
  if (!subnet.present || subnet.source == 0) return out;  // source /0: do not use (RFC 7871 7.1.2)
  const Found asked = subnet.family == 1 ? find_v4(wire::load32(subnet.address.data())) : find_v6(subnet.address);
  if (asked.known) {
    out = located(passed_on(cut.place, listener * ranges + asked.range));
    out.subnet_trusted = true;
    if (out.source == PlaceSource::Prefix) out.source = PlaceSource::ClientSubnet;
  }
  out.scope = asked.length;
  return out;
}

}  // namespace meshdns::answers
