#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "dnsd/answers/answer_table.h"
#include "dnsd/wire/name.h"

namespace meshdns::query {

/// An instance's name: the dashed form of its first IPv4 address, else of its IPv6 address as eight groups without
/// leading zeros, below the host: 10-0-1-12.app-b.mesh.internal, fd00-0-0-0-0-0-0-1.app-b.mesh.internal.
struct InstanceName {
  std::array<std::uint8_t, wire::kMaxName> bytes;
  std::size_t length = 0;  // 0 = longer than a name can be

  InstanceName(const answers::Host& host, std::size_t row) noexcept;
  wire::NameBytes view() const noexcept { return wire::NameBytes(bytes).first(length); }
};

inline constexpr std::size_t kLongestInstance = 39;  // its label: eight groups of four digits and seven hyphens

/// Whether an instance's name can be had for any address: all but the longest hosts.
inline bool has_room_for_instances(const answers::Host& host) noexcept {
  return host.name().size() + 1 + kLongestInstance <= wire::kMaxName;
}

/// The row whose instance label this is (folded, without its length byte); nothing = no such instance
std::optional<std::uint16_t> find_instance(const answers::Host& host, wire::NameBytes label) noexcept;

}  // namespace meshdns::query
