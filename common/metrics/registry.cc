#include "common/metrics/registry.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <mutex>
#include <utility>

namespace meshdns::metrics {
namespace {

class PrometheusCounter : public Counter {
 public:
  explicit PrometheusCounter(prometheus::Counter& counter) : counter_(counter) {}
  void add(double by) override { counter_.Increment(by); }
  double value() const override { return counter_.Value(); }

 private:
  prometheus::Counter& counter_;
};

class PrometheusGauge : public Gauge {
 public:
  explicit PrometheusGauge(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void set(double value) override { gauge_.Set(value); }
  double value() const override { return gauge_.Value(); }

 private:
  prometheus::Gauge& gauge_;
};

prometheus::MetricType type_of(Sample::Kind kind) {
  if (kind == Sample::Kind::Histogram) return prometheus::MetricType::Histogram;
  return kind == Sample::Kind::Counter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
}

prometheus::ClientMetric client_metric(const Sample& sample) {
  prometheus::ClientMetric out;
  for (const auto& [name, value] : sample.labels) out.label.push_back({name, value});
  out.counter.value = sample.value;
  out.gauge.value = sample.value;
  if (sample.kind != Sample::Kind::Histogram) return out;
  out.histogram.sample_sum = sample.value;
  for (const Sample::Bucket& bucket : sample.buckets) {
    out.histogram.bucket.push_back({bucket.count, bucket.bound});
    out.histogram.sample_count = bucket.count;
  }
  return out;
}

std::vector<prometheus::MetricFamily> families_of(const std::vector<Sample>& samples) {
  std::map<std::string, prometheus::MetricFamily> by_name;
  for (const auto& sample : samples) {
    auto& family = by_name[sample.name];
    family.name = sample.name;
    family.help = sample.help;
    family.type = type_of(sample.kind);
    family.metric.push_back(client_metric(sample));
  }
  std::vector<prometheus::MetricFamily> out;
  for (auto& [name, family] : by_name) out.push_back(std::move(family));
  return out;
}

}  // namespace

struct Registry::State {
  using Key = std::pair<std::string, Labels>;
  prometheus::Registry registry{prometheus::Registry::InsertBehavior::Merge};
  mutable std::mutex mutex;
  std::map<Key, std::unique_ptr<Counter>> counters;
  std::map<Key, std::unique_ptr<Gauge>> gauges;
  std::vector<std::function<void(std::vector<Sample>&)>> collectors;
};

Registry::Registry() : state_(std::make_unique<State>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& slot = state_->counters[{name, labels}];
  if (!slot) {
    auto& family = prometheus::BuildCounter().Name(name).Help(help).Register(state_->registry);
    slot = std::make_unique<PrometheusCounter>(family.Add(labels));
  }
  return *slot;
}

Gauge& Registry::gauge(const std::string& name, const std::string& help, const Labels& labels) {
  const std::lock_guard lock(state_->mutex);
  auto& slot = state_->gauges[{name, labels}];
  if (!slot) {
    auto& family = prometheus::BuildGauge().Name(name).Help(help).Register(state_->registry);
    slot = std::make_unique<PrometheusGauge>(family.Add(labels));
  }
  return *slot;
}

void Registry::collect_with(std::function<void(std::vector<Sample>&)> collect) {
  const std::lock_guard lock(state_->mutex);
  state_->collectors.push_back(std::move(collect));
}

std::string Registry::text() const {
  const std::lock_guard lock(state_->mutex);
  std::vector<Sample> samples;
  for (const auto& collect : state_->collectors) collect(samples);
  auto families = state_->registry.Collect();
  for (auto& family : families_of(samples)) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace meshdns::metrics
