#pragma once

#include <string>

#include "common/model/endpoint.h"

namespace meshdns::catalog {

inline constexpr TimePoint kNow{1h};

/// A good endpoint: "eu-1/n1/a"
inline model::Endpoint endpoint(const std::string& node = "eu-1/n1", const std::string& key = "a") {
  model::Endpoint out;
  out.key = node + "/" + key;
  out.node = node;
  out.source = "files";
  out.namespace_ = "shop";
  out.service = "web";
  out.addresses = {IpAddress::v4(0x0A00000B)};
  out.ports = {{"http", 8080, "TCP", "http"}};
  out.health = {.state = model::HealthState::Serving, .since = kNow};
  return out;
}

inline model::Node node(const std::string& name = "n1") {
  model::Node out;
  out.key = "eu-1/" + name;
  out.locality = {"", "eu", "eu-a", "", "eu-1", name};
  return out;
}

}  // namespace meshdns::catalog
