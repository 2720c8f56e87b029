#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace meshdns::metrics {

using Labels = std::map<std::string, std::string>;

/// A metric that only grows.
/// thread: any
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double by = 1) = 0;
  virtual double value() const = 0;
};

/// A metric that is set to its present value.
/// thread: any
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual double value() const = 0;
};

/// One value of a metric that is computed at each scrape, instead of being kept in a Counter or Gauge.
/// A histogram is always computed so.
struct Sample {
  enum class Kind { Counter, Gauge, Histogram };
  struct Bucket {
    double bound = 0;         // upper bound; infinity for the last bucket
    std::uint64_t count = 0;  // values at or below the bound, so those of the lower buckets too
  };
  Kind kind = Kind::Gauge;
  std::string name;
  std::string help;
  Labels labels;
  double value = 0;               // for a histogram: the sum of all observed values
  std::vector<Bucket> buckets{};  // only for a histogram
};

/// The metrics of one process. Wraps prometheus-cpp. The metrics it returns live as long as the registry; the same name
/// and labels give the same metric.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// Returns the counter with a name and labels; creates it at the first call.
  /// name: meshdns_<component>_<what>_<unit>[_total]
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});

  /// Calls `collect` at each text() to append samples. `collect` must be callable as long as the registry lives.
  void collect_with(std::function<void(std::vector<Sample>&)> collect);

  /// Returns all metrics in the Prometheus text exposition format, version 0.0.4.
  /// thread: any
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meshdns::metrics
