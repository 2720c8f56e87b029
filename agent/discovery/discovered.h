#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/health/health_machine.h"
#include "common/model/endpoint.h"

namespace meshdns::discovery {

/// One check of an endpoint, made at the first address of each family.
struct CheckSpec {
  enum class Kind : std::uint8_t { Tcp, Http };

  Kind kind = Kind::Tcp;
  std::uint16_t port = 0;
  std::string path = "/";   // the rest is for Http alone
  std::string host;         // Host header; empty = the address
  int lowest_status = 200;  // what counts as a success
  int highest_status = 399;
  health::Settings settings;

  friend bool operator==(const CheckSpec&, const CheckSpec&) = default;
};

/// An endpoint as a source lists it; its node is empty and its health Pending.
struct Discovered {
  std::string key;  // "namespace/service/address:port", of the first of each; endpoint.key is the same
  model::Endpoint endpoint;
  std::vector<CheckSpec> checks;  // at least one

  friend bool operator==(const Discovered&, const Discovered&) = default;
};

}  // namespace meshdns::discovery
