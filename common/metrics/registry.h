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

/// Only grows. thread: any
class Counter {
 public:
  virtual ~Counter() = default;
  virtual void add(double by = 1) = 0;
  virtual double value() const = 0;
};

/// thread: any
class Gauge {
 public:
  virtual ~Gauge() = default;
  virtual void set(double value) = 0;
  virtual double value() const = 0;
};

/// thread: any
class Histogram {
 public:
  virtual ~Histogram() = default;
  virtual void observe(double value) = 0;
};

/// A value that is computed when somebody scrapes.
struct Sample {
  enum class Kind { Counter, Gauge, Histogram };
  struct Bucket {
    double bound = 0;         // the upper one; infinity for the last
    std::uint64_t count = 0;  // of what is at or below the bound
  };
  Kind kind = Kind::Gauge;
  std::string name;
  std::string help;
  Labels labels;
  double value = 0;               // of a histogram: the sum of what was observed
  std::vector<Bucket> buckets{};  // of a histogram
};

/// The metrics of one process; prometheus-cpp behind it. Objects that it hands out live as long as it does;
/// the same name and labels give the same object.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// name: meshdns_<component>_<what>_<unit>[_total]
  Counter& counter(const std::string& name, const std::string& help, const Labels& labels = {});
  Gauge& gauge(const std::string& name, const std::string& help, const Labels& labels = {});
  /// bounds: upper bounds of the buckets, ascending, without infinity
  Histogram& histogram(const std::string& name, const std::string& help, const std::vector<double>& bounds,
                       const Labels& labels = {});

  /// `collect` appends samples on every text(); it must be callable as long as the registry lives.
  void collect_with(std::function<void(std::vector<Sample>&)> collect);

  /// The Prometheus text exposition format, version 0.0.4. thread: any
  std::string text() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace meshdns::metrics
