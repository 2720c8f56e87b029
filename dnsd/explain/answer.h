#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dnsd/topology/decide.h"

namespace meshdns::explain {

/// The answer for one class of clients, in a form that can be compared and shown.
struct Answer {
  /// The part of one tier with a load.
  struct Part {
    std::uint32_t load = 0;              // percent
    std::vector<std::string> addresses;  // the answered addresses of both families, sorted
    std::size_t endpoints = 0;           // number of endpoints with these addresses
    std::string number;                  // "tier 1"
    std::string tier;                    // "80% region=eu, region eu-2"
    std::string brief;                   // `tier` without share or group: "region eu-2"
    std::string families;  // "IPv4 from tier 2", "no IPv6"; empty = both families, or no tier has the other

    friend bool operator==(const Part& a, const Part& b) {  // the number of a tier is no part of the answer
      return a.load == b.load && a.addresses == b.addresses && a.endpoints == b.endpoints;
    }
  };
  std::vector<Part> parts;
  std::string unusual;  // "last resort (failing)"; without parts, why nothing is answered
  bool serves = false;

  friend bool operator==(const Answer&, const Answer&) = default;
};

/// Returns the answer of a decision.
Answer answer_of(const topology::HostPlan& host, const topology::Decision& decision);

/// Returns the addresses that clients get who have drawn a tier, each once: IPv4 first, then IPv6. With `families:
/// independent`, those of one family may come from another tier.
std::vector<std::string> addresses_of(const topology::HostPlan& host, const topology::Decision& decision,
                                      const topology::Tier& tier);

/// Returns a short text for tables: "tier 1 region eu-2: 2 endpoints", "tier 0 80%, tier 3 20%" or "nothing".
std::string summary(const Answer& answer);
/// Returns a text with the first addresses: "tier 1 region eu-2: 10.0.0.1, 10.0.0.2", or "nothing: " and the reason.
std::string text(const Answer& answer);

}  // namespace meshdns::explain
