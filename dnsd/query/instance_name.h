#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dnsd/answers/answer_table.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {

/// The name of an instance below its host: the dashed form of its first IPv4 address, otherwise of its IPv6 address as
/// eight groups without leading zeros: 10-0-1-12.app-b.mesh.internal, fd00-0-0-0-0-0-0-1.app-b.mesh.internal.
struct InstanceName {
  std::array<std::uint8_t, wire::kMaxName> bytes;
  std::size_t length = 0;  // 0 = the name would be too long, or the row has no address

  InstanceName(const answers::Host& host, std::size_t row) noexcept;
  wire::NameBytes view() const noexcept { return wire::NameBytes(bytes).first(length); }
};

/// The longest label: eight groups of four digits and seven hyphens.
inline constexpr std::size_t kLongestInstance = 39;
inline bool has_room_for_instances(const answers::Host& host) noexcept {
  return host.name().size() + 1 + kLongestInstance <= wire::kMaxName;
}

/// Returns the row with this instance label.
/// label:   folded, without its length byte
/// returns: nothing = no instance has the label
std::optional<std::uint16_t> find_instance(const answers::Host& host, wire::NameBytes label) noexcept;

}  // namespace meshdns::query
