#include "agent/report/settings_reader.h"

#include "common/convert/peer_bounds.h"
#include "common/convert/report_convert.h"

namespace meshdns::report {
namespace {

constexpr std::uint32_t kMostPort = 65535;

bool is_port(std::uint32_t number) { return number > 0 && number <= kMostPort; }

}  // namespace

std::vector<MeasureTarget> read_targets(const v1::Settings& settings) {
  std::vector<MeasureTarget> out;
  for (const v1::Target& target : settings.measure()) {
    const auto address = IpAddress::from_bytes(target.address());
    if (!address || !is_port(target.port())) continue;
    const Duration interval = target.has_interval() ? convert::from_wire(target.interval(), convert::kShortestInterval,
                                                                         convert::kLongestInterval)
                                                    : MeasureTarget::kInterval;
    out.push_back({target.key(), {*address, static_cast<std::uint16_t>(target.port())}, interval});
  }
  return out;
}

PortMappings read_mappings(const v1::Settings& settings) {
  if (!settings.has_mappings()) return std::nullopt;
  std::vector<PortMapping> out;
  for (const v1::PortMapping& mapping : settings.mappings().ports()) {
    const bool known = mapping.protocol() == "TCP" || mapping.protocol() == "UDP";
    if (!known || !is_port(mapping.number()) || !is_port(mapping.target())) continue;
    if (out.size() == kMostMappings) break;
    out.push_back({mapping.endpoint(), mapping.protocol(), static_cast<std::uint16_t>(mapping.number()),
                   static_cast<std::uint16_t>(mapping.target())});
  }
  return out;
}

}  // namespace meshdns::report
