#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "dnsd/answers/answer_table.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {

/// The name of an instance below its host: the dashed form of its first IPv4 address, otherwise of its IPv6 address as
/// eight groups without leading zeros: 10-0-1-12.app-b.mesh.internal, fd00-0-0-0-0-0-0-1.app-b.mesh.internal. In a host
/// with cluster names (topology::HostPlan) the cluster follows, and a name that the instance has itself comes before
/// the dashed one: web-0.eu-1.web.shop.svc.clusterset.local. If that name is too long, the instance has the dashed one.
/// source: for cluster names the Multi-Cluster Services DNS specification 1.0.0, 2.4
struct InstanceName {
  std::array<std::uint8_t, wire::kMaxName> bytes;
  std::size_t length = 0;  // 0 = the name would be too long, or the row has no address

  InstanceName(const answers::Host& host, std::size_t row) noexcept;
  wire::NameBytes view() const noexcept { return wire::NameBytes(bytes).first(length); }

 private:
  void put_label(std::string_view label) noexcept;
};

/// The longest label: eight groups of four digits and seven hyphens.
inline constexpr std::size_t kLongestInstance = 39;
/// Returns the most bytes that the name of an instance has before the host's name.
inline std::size_t longest_instance_part(const answers::Host& host) noexcept {
  return host.cluster_names ? 2 * (1 + wire::kMaxLabel) : 1 + kLongestInstance;
}
inline bool has_room_for_instances(const answers::Host& host) noexcept {
  return host.name().size() + 1 + kLongestInstance <= wire::kMaxName;
}

/// Returns the row with this instance label.
/// label:   folded, without its length byte
/// returns: nothing = no instance has the label
std::optional<std::uint16_t> find_instance(const answers::Host& host, wire::NameBytes label) noexcept;

/// A name `<instance>.<cluster>` below a host. Both labels are folded, without their length bytes.
struct MemberName {
  wire::NameBytes instance;  // a name that an instance has itself; of an instance without one, the dashed label
  wire::NameBytes cluster;
};
/// Returns the first row from row `from` on that has this name. Several endpoints of a cluster may have one name.
/// returns: nothing = there is none
std::optional<std::uint16_t> find_member(const answers::Host& host, const MemberName& name, std::size_t from) noexcept;
/// Returns whether the names of some instances end in this cluster.
bool has_members(const answers::Host& host, wire::NameBytes cluster) noexcept;

}  // namespace meshdns::query
