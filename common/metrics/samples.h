#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/metrics/registry.h"

namespace meshdns::metrics {

/// Appends one value of a counter.
inline void count(std::vector<Sample>& out, const std::string& name, const std::string& help, const Labels& labels,
                  std::uint64_t value) {
  out.push_back({Sample::Kind::Counter, name, help, labels, static_cast<double>(value)});
}

/// Appends one value of a gauge.
inline void gauge(std::vector<Sample>& out, const std::string& name, const std::string& help, const Labels& labels,
                  double value) {
  out.push_back({Sample::Kind::Gauge, name, help, labels, value});
}

}  // namespace meshdns::metrics
