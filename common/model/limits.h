#pragma once

#include <cstddef>
#include <cstdint>

// Limits of the size of records, wherever the records come from: an agent, another federation, a store or a file. A
// larger record is refused with the name of the field; text for people is cut instead. Together these limits keep every
// record below kMostRecordBytes, so that a record always fits into a message.
namespace meshdns::model {

/// The longest name, label and short text of a record, in bytes; the longest DNS name.
inline constexpr std::size_t kLongestText = 253;
/// The longest key of a record, in bytes: cluster, node and the agent's own key.
inline constexpr std::size_t kLongestKey = 4 * kLongestText;
/// The length in bytes to which text for people, like the detail of a health state, is cut.
inline constexpr std::size_t kLongestDetail = 1024;

// ---- the most elements of a list, and the largest numbers ----

/// Addresses of an endpoint or a node.
inline constexpr std::size_t kMostAddresses = 16;
/// Ports of an endpoint, of an object or of a gateway, and names of ports of a service.
inline constexpr std::size_t kMostPorts = 64;
/// Services that an endpoint belongs to besides its own, and the ports that all of these together have for it.
inline constexpr std::size_t kMostMemberships = 64;
inline constexpr std::size_t kMostMembershipPorts = 512;
/// Labels of an endpoint.
inline constexpr std::size_t kMostLabels = 64;
/// The weight of an endpoint: SRV weights have 16 bits (RFC 2782).
inline constexpr std::uint32_t kMostWeight = 65535;
/// Prefixes of a node.
inline constexpr std::size_t kMostPrefixes = 256;
/// Addresses kept of a hostname that external endpoints name.
inline constexpr std::size_t kMostResolved = 256;
/// Clusters, and gateways, in a ClusterStatus.
inline constexpr std::size_t kMostMeasured = 4096;

/// Endpoints of a node.
inline constexpr std::size_t kMostNodeEndpoints = 10'000;
/// Text of all endpoints of a node together, in bytes (text_bytes()).
inline constexpr std::size_t kMostNodeBytes = std::size_t{16} << 20;

/// The encoded body of a record, in bytes: a quarter of the largest gRPC message.
inline constexpr std::size_t kMostRecordBytes = std::size_t{1} << 20;

}  // namespace meshdns::model
