#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/health/health_machine.h"
#include "agent/probes/check.h"
#include "common/model/endpoint.h"
#include "common/model/shared.h"

namespace meshdns::discovery {

/// One check of an endpoint: what it does, and how often. A check that connects somewhere is made at the endpoint's
/// first address of each family, unless it names an address.
struct CheckSpec {
  probes::AnyCheck what = probes::TcpCheck{};
  health::CheckSettings settings;
  bool evidence = false;  // of a pod: only a refusal counts, and only where the port has been open before

  friend bool operator==(const CheckSpec&, const CheckSpec&) = default;
};

/// An endpoint as a discovery source lists it. Its node is empty and its health is Pending; Monitor sets both.
struct Discovered {
  /// Equal to endpoint.key. Of a file: "namespace/service/address:port", with the first address and port. Of a pod:
  /// "pod/<uid>". Of a container: "container/<the first 12 digits of its id>".
  std::string key;
  model::Endpoint endpoint;
  /// At least one; a pod may have none, because its kubelet checks it. Copies of the endpoint share them.
  model::Shared<std::vector<CheckSpec>> checks;
  /// Why the source knows that the endpoint does not serve, whatever its checks say: "container paused". Empty = it
  /// knows no reason.
  std::string down{};

  friend bool operator==(const Discovered&, const Discovered&) = default;
};

}  // namespace meshdns::discovery
