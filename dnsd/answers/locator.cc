#include "dnsd/answers/locator.h"

#include <algorithm>

#include "dnsd/wire/byte_order.h"

namespace meshdns::answers {

Locator::Found Locator::find_v4(std::uint32_t address) const noexcept {
  const auto after = std::upper_bound(v4.begin(), v4.end(), address,
                                      [](std::uint32_t value, const RangeV4& range) { return value < range.start; });
  const auto& range = *std::prev(after);
  return {static_cast<std::size_t>(&range - v4.data()), range.length, range.known};
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

Located Locator::locate(const IpAddress& client, std::uint16_t listener,
                        const wire::ClientSubnet& subnet) const noexcept {
  const Found own = find(client);
  const auto located = [](const Verdict& verdict) { return Located{verdict.place, verdict.source, verdict.reason}; };
  const auto forwarder = std::find_if(forwarders.begin(), forwarders.end(),
                                      [&](const Forwarder& entry) { return entry.prefix.contains(client); });
  if (forwarder == forwarders.end()) return located(exact[listener * ranges() + own.range]);
  const Verdict& cut = coarse[(std::size_t{forwarder->granularity} * listeners + listener) * ranges() + own.range];
  Located out = located(cut);
  out.subnet_trusted = subnet.present;
  if (!subnet.present || subnet.source == 0) return out;  // source /0: do not use (RFC 7871 7.1.2)
  const Found asked = subnet.family == 1 ? find_v4(wire::load32(subnet.address.data())) : find_v6(subnet.address);
  if (asked.known) {
    out = located(exact[listener * ranges() + asked.range]);
    out.subnet_trusted = true;
    if (out.source == PlaceSource::Prefix) out.source = PlaceSource::ClientSubnet;
  }
  out.scope = asked.length;
  return out;
}

}  // namespace meshdns::answers
