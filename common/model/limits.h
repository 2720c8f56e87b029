#pragma once

#include <cstddef>
#include <cstdint>

// How large records may be, whoever they come from: an agent, another federation, a store or a file. What is larger is
// refused by name, except text for people, which is cut. Together these limits keep every record below
// kMostRecordBytes, so that a record always fits into a message.
namespace meshdns::model {

/// The longest name, label and short text of a record, in bytes; the longest DNS name.
inline constexpr std::size_t kLongestText = 253;
/// The longest key of a record, in bytes: cluster, node and the agent's own key.
inline constexpr std::size_t kLongestKey = 4 * kLongestText;
/// Text for people, like the detail of a health state, is cut to so many bytes.
inline constexpr std::size_t kLongestDetail = 1024;

/// Addresses of an endpoint or a node.
inline constexpr std::size_t kMostAddresses = 16;
/// Ports of an endpoint, of an object or of a gateway, and names of ports of a service.
inline constexpr std::size_t kMostPorts = 64;
/// Labels of an endpoint.
inline constexpr std::size_t kMostLabels = 64;
/// SRV weights have 16 bits (RFC 2782).
inline constexpr std::uint32_t kMostWeight = 65535;
/// Prefixes of a node.
inline constexpr std::size_t kMostPrefixes = 256;
/// Addresses that a hostname of external endpoints resolves to.
inline constexpr std::size_t kMostResolved = 256;
/// Clusters and gateways that a ClusterStatus speaks of.
inline constexpr std::size_t kMostMeasured = 4096;

/// Endpoints of a node, and their text together in bytes (text_bytes()).
inline constexpr std::size_t kMostNodeEndpoints = 10'000;
inline constexpr std::size_t kMostNodeBytes = std::size_t{16} << 20;

/// The encoded body of a record, in bytes: a quarter of what a gRPC message may have.
inline constexpr std::size_t kMostRecordBytes = std::size_t{1} << 20;

}  // namespace meshdns::model
