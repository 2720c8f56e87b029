#include "common/convert/record_convert.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/convert/report_convert.h"

namespace meshdns::convert {
namespace {

using testing::HasSubstr;

constexpr TimePoint kNow{std::chrono::hours(5)};

model::Endpoint endpoint() {
  model::Endpoint out;
  out.key = "eu-1/n1/shop/web/10.0.0.1:80";
  out.uid = "u";
  out.source = "static";
  out.namespace_ = "shop";
  out.service = "web";
  out.labels = {{"app", "web"}, {"a", "1"}, {"z", "2"}, {"tier", "front"}};
  out.addresses = {IpAddress::parse("10.0.0.1").value(), IpAddress::parse("fd00::1").value()};
  out.ports = {{"http", 80, "TCP", "http"}};
  out.weight = 7;
  out.health = {.state = model::HealthState::Failing, .detail = "http 503", .since = kNow - 90s};
  out.node = "eu-1/n1";
  return out;
}

v1::Object object() {
  v1::Object out;
  out.mutable_metadata()->set_name("app-b");
  out.mutable_metadata()->set_namespace_("shop");
  out.mutable_metadata()->set_revision(7);
  out.mutable_virtual_destination()->add_hosts("app-b.mesh.internal");
  out.mutable_status()->add_conditions()->set_type("Accepted");
  return out;
}

TEST(RecordConvert, endpoints_come_back_as_they_were) {
  const auto back = endpoint_of(endpoint().key, endpoint_body(endpoint()), kNow - 90s);
  EXPECT_EQ(back.value(), endpoint());
}

// Guards the hashes: two processes that know the same have the same bytes, whenever they encode them.
TEST(RecordConvert, the_same_endpoint_has_the_same_bytes_at_any_time) {
  model::Endpoint later = endpoint();
  later.health.since = kNow + 1h;
  later.health.drain_until = kNow + 2h;
  EXPECT_EQ(endpoint_body(later), endpoint_body(endpoint()));
  model::Endpoint other = endpoint();
  other.labels.edit()["app"] = "api";
  EXPECT_NE(endpoint_body(other), endpoint_body(endpoint()));
}

TEST(RecordConvert, labels_are_written_in_order) {
  model::Endpoint many = endpoint();
  for (int i = 0; i < 50; ++i) many.labels.edit()["label-" + std::to_string(i)] = std::to_string(i);
  const std::string body = endpoint_body(many);
  EXPECT_EQ(endpoint_body(endpoint_of(many.key, body, kNow).value()), body);
}

TEST(RecordConvert, other_records_come_back_as_they_were) {
  model::Node node;
  node.key = "eu-1/n1";
  node.locality = {"corp", "eu", "eu-a", "", "eu-1", "n1"};
  node.addresses = {IpAddress::parse("10.0.0.1").value()};
  node.prefixes = {Prefix::parse("10.0.0.0/24").value()};
  EXPECT_EQ(node_of(node_body(node)).value(), node);
  const model::NodeStatus status{true, false, kNow - 5s, "zone"};
  EXPECT_EQ(status_of(status_body(status), kNow - 5s).value(), status);
  const model::ServiceKey service{"shop", "web"};
  EXPECT_EQ(service_of(service_body(service, 17)).value(), (NamedService{service, 17}));
  EXPECT_EQ(service_of(service_body(service, 17, true)).value(), (NamedService{service, 17, true}));
}

TEST(RecordConvert, an_object_travels_without_its_revision_and_status) {
  const v1::Object back = object_of(object_body(object())).value();
  EXPECT_EQ(back.metadata().name(), "app-b");
  EXPECT_EQ(back.virtual_destination().hosts(0), "app-b.mesh.internal");
  EXPECT_EQ(back.metadata().revision(), 0U);
  EXPECT_FALSE(back.has_status());
}

TEST(RecordConvert, what_is_no_record_names_the_field) {
  const std::string garbage = "\xff\xff\xff\xff";
  EXPECT_THAT(endpoint_of("eu-1/n1/a", garbage, kNow).error().message(), HasSubstr("body: not a Endpoint"));
  EXPECT_THAT(node_of(garbage).error().message(), HasSubstr("body: not a Node"));
  EXPECT_THAT(status_of(garbage, kNow).error().message(), HasSubstr("body: not a NodeStatus"));
  EXPECT_THAT(service_of(garbage).error().message(), HasSubstr("body: not a Service"));
  EXPECT_THAT(object_of(garbage).error().message(), HasSubstr("body: not a Object"));
}

TEST(RecordConvert, an_endpoint_needs_a_key_that_names_its_node) {
  for (const char* key : {"", "a", "eu-1/n1"}) {
    EXPECT_THAT(endpoint_of(key, endpoint_body(endpoint()), kNow).error().message(), HasSubstr("names no node")) << key;
  }
  EXPECT_THAT(endpoint_of("eu-1/n1/", endpoint_body(endpoint()), kNow).error().message(), HasSubstr("key"));
  EXPECT_EQ(endpoint_of("eu-1/n1/a/b", endpoint_body(endpoint()), kNow).value().node, "eu-1/n1");
}

TEST(RecordConvert, buckets_are_spread_and_stay) {
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string key = "eu-1/n1/" + std::to_string(i);
    const std::uint32_t bucket = bucket_of("Endpoint", key, 64);
    ASSERT_LT(bucket, 64U);
    EXPECT_EQ(bucket, bucket_of("Endpoint", key, 64));
    seen.insert(bucket);
  }
  EXPECT_EQ(seen.size(), 64U);
}

}  // namespace
}  // namespace meshdns::convert
