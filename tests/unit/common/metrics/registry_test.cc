#include "common/metrics/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace meshdns::metrics {
namespace {

using testing::HasSubstr;

TEST(Registry, the_same_name_and_labels_give_the_same_object) {
  Registry registry;
  registry.counter("meshdns_test_things_total", "things", {{"kind", "a"}}).add(2);
  registry.counter("meshdns_test_things_total", "things", {{"kind", "a"}}).add();
  registry.counter("meshdns_test_things_total", "things", {{"kind", "b"}}).add();
  registry.gauge("meshdns_test_size_bytes", "size").set(12);
  const std::string text = registry.text();
  EXPECT_THAT(text, HasSubstr("meshdns_test_things_total{kind=\"a\"} 3"));
  EXPECT_THAT(text, HasSubstr("meshdns_test_things_total{kind=\"b\"} 1"));
  EXPECT_THAT(text, HasSubstr("meshdns_test_size_bytes 12"));
}

TEST(Registry, collected_samples_are_fresh_on_every_scrape) {
  Registry registry;
  double value = 1;
  registry.collect_with([&value](std::vector<Sample>& out) {
    out.push_back({Sample::Kind::Counter, "meshdns_test_seen_total", "seen", {{"w", "0"}}, value});
  });
  EXPECT_THAT(registry.text(), HasSubstr("meshdns_test_seen_total{w=\"0\"} 1"));
  value = 5;
  EXPECT_THAT(registry.text(), HasSubstr("meshdns_test_seen_total{w=\"0\"} 5"));
}

TEST(Registry, collected_histograms_have_buckets_a_sum_and_a_count) {
  Registry registry;
  registry.collect_with([](std::vector<Sample>& out) {
    Sample sample{Sample::Kind::Histogram, "meshdns_test_took_seconds", "took", {}, 2.5};
    sample.buckets = {{0.1, 3}, {std::numeric_limits<double>::infinity(), 5}};
    out.push_back(sample);
  });
  const std::string text = registry.text();
  EXPECT_THAT(text, HasSubstr("# TYPE meshdns_test_took_seconds histogram"));
  EXPECT_THAT(text, HasSubstr("meshdns_test_took_seconds_bucket{le=\"0.1\"} 3"));
  EXPECT_THAT(text, HasSubstr("meshdns_test_took_seconds_bucket{le=\"+Inf\"} 5"));
  EXPECT_THAT(text, HasSubstr("meshdns_test_took_seconds_sum 2.5"));
  EXPECT_THAT(text, HasSubstr("meshdns_test_took_seconds_count 5"));
}

}  // namespace
}  // namespace meshdns::metrics
