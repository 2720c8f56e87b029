#pragma once

#include <cstdint>
#include <string>

#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/net/host_address.h"
#include "common/time/time.h"
#include "dnsd/federation/report_peer.h"
#include "meshdns/v1/federation.pb.h"

// The first message of an agent. Used by ReportSession.
namespace meshdns::federation {

/// What an agent says of itself.
struct Introduction {
  model::Node node;
  std::string instance_uid;
  std::string boot_id;
  std::uint64_t digest = 0;      // of its records
  std::uint64_t last_epoch = 0;  // that it knows
  bool names_all_pods = false;   // it reports pods without a service of their own, too (convert::kWithoutService)
  bool maps_ports = false;       // it takes Settings.mappings (convert::kPortMapping)
};

/// The reason why a Hello is refused, and when the agent may try again.
struct HelloRefusal {
  v1::Goodbye::Reason reason = v1::Goodbye::PROTOCOL_ERROR;
  std::string message;
  Duration retry_after = 60s;
};

constexpr std::size_t kLongestId = 256;  // bytes of instance_uid, and of boot_id

/// Reads a Hello. What the node may claim is for NodeRules to say.
/// returns: the introduction; or the refusal: of another protocol, of a node that is malformed, of a caller that may
///          not report for this node
tl::expected<Introduction, HelloRefusal> read_hello(const v1::Hello& hello, const ReportPeer& peer, Loopback loopback);

}  // namespace meshdns::federation
