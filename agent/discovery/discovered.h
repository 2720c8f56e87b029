#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/health/health_machine.h"
#include "common/model/endpoint.h"

namespace meshdns::discovery {

/// The settings of one check of an endpoint. The check is made at the endpoint's first address of each family.
struct CheckSpec {
  enum class Kind : std::uint8_t { Tcp, Http };

  Kind kind = Kind::Tcp;
  std::uint16_t port = 0;
  std::string path = "/";    // Http only, as are the next three
  std::string host;          // Host header; empty = the address
  int lowest_status = 200;   // lowest status code that is a success
  int highest_status = 399;  // highest status code that is a success
  health::CheckSettings settings;
  bool evidence = false;  // of a pod: only a refusal counts, and only where the port has been open before

  friend bool operator==(const CheckSpec&, const CheckSpec&) = default;
};

/// An endpoint as a discovery source lists it. Its node is empty and its health is Pending; Monitor sets both.
struct Discovered {
  /// Equal to endpoint.key. Of a file: "namespace/service/address:port", with the first address and port. Of a pod:
  /// "pod/<uid>".
  std::string key;
  model::Endpoint endpoint;
  std::vector<CheckSpec> checks;  // at least one; a pod may have none, because its kubelet checks it

  friend bool operator==(const Discovered&, const Discovered&) = default;
};

}  // namespace meshdns::discovery
