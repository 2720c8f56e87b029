#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "dnsd/topology/decide.h"

namespace meshdns::explain {

/// What one class of clients is answered, to be compared and told.
struct Answer {
  /// Of one tier with a load
  struct Part {
    std::uint32_t load = 0;              // percent
    std::vector<std::string> addresses;  // that are answered, of both families, sorted
    std::size_t endpoints = 0;           // that stand behind them
    std::string number;                  // "tier 1"
    std::string tier;                    // "80% region=eu, region eu-2"
    std::string brief;                   // the same without share or group: "region eu-2"
    std::string families;                // "IPv4 from tier 2", "no IPv6"; empty = the tier has both, or no tier has

    friend bool operator==(const Part& a, const Part& b) {  // which number the tier has changes no answer
      return a.load == b.load && a.addresses == b.addresses && a.endpoints == b.endpoints;
    }
  };
  std::vector<Part> parts;
  std::string unusual;  // "last resort (failing)"; without parts: why nothing is answered
  bool serves = false;

  friend bool operator==(const Answer&, const Answer&) = default;
};

Answer answer_of(const topology::HostPlan& host, const topology::Decision& decision);

/// The addresses that clients get that have drawn a tier, each once: the IPv4 ones, then the IPv6 ones. With
/// `families: independent` those of a family may be another tier's.
std::vector<std::string> addresses_of(const topology::HostPlan& host, const topology::Decision& decision,
                                      const topology::Tier& tier);

/// For tables: "tier 1 region eu-2: 2 endpoints"; "tier 0 80%, tier 3 20%" where there are several; "nothing"
std::string summary(const Answer& answer);
/// The same with addresses, the first few: "tier 1 region eu-2: 10.0.0.1, 10.0.0.2"; "nothing: " and why
std::string text(const Answer& answer);

}  // namespace meshdns::explain
