#include "agent/app/port_mapping.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>

#include "common/time/sim_clock.h"

namespace meshdns::agent::app {
namespace {

using model::MappedPort;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kMapped = "shop/app-b/10.0.0.11:8080";

model::Endpoint endpoint(const std::vector<std::string>& addresses) {
  model::Endpoint out;
  out.key = kMapped;
  out.namespace_ = "shop";
  out.service = "app-b";
  for (const std::string& text : addresses) out.addresses.push_back(IpAddress::parse(text).value());
  return out;
}

class PortMappingTest : public testing::Test {
 protected:
  PortMappingTest() { begin("n1"); }

  void begin(const std::optional<std::string>& node) {
    ports = std::make_unique<PortMapping>(
        PortMapping::Environment{clock,
                                 clock,
                                 syncer,
                                 [this] { ++changes; },
                                 {[this](const std::string& commands) -> Result<std::string> {
                                    ran.push_back(commands);
                                    return std::string();
                                  },
                                  [this]() -> Result<mapping::Facts> { return facts; }}},
        node);
    ports->start();
  }
  void here(const std::string& address) { facts.addresses.insert(IpAddress::parse(address).value()); }
  const model::MappedPorts& reported() const { return syncer.endpoints().at(kMapped).mapped.get(); }

  SimClock clock;
  report::Syncer syncer{{[](const model::Endpoint& each, TimePoint) { return each.key; },
                         [](const std::string& key, const std::string&) { return key.size(); }}};
  mapping::Facts facts;
  std::vector<std::string> ran;
  int changes = 0;
  std::unique_ptr<PortMapping> ports;
};

TEST_F(PortMappingTest, endpoints_say_what_is_mapped) {
  here("10.0.0.11");
  ports->put(endpoint({"10.0.0.11"}));
  EXPECT_THAT(reported(), IsEmpty());
  ports->set({{kMapped, "TCP", 80, 8080}});
  EXPECT_THAT(reported(), ElementsAre(MappedPort{"TCP", 80, 8080, ""}));
  EXPECT_EQ(changes, 2);
  ports->put(endpoint({"10.0.0.11"}));
  EXPECT_EQ(reported().size(), 1U) << "a new state of the endpoint keeps them";
  ports->set({});
  EXPECT_THAT(reported(), IsEmpty());
  EXPECT_EQ(ran.back(), mapping::removal("meshdns-n1"));
}

TEST_F(PortMappingTest, both_families_are_mapped_or_the_port_says_which_is_not) {
  here("10.0.0.11");
  ports->put(endpoint({"10.0.0.11", "fd00::11"}));
  ports->set({{kMapped, "UDP", 53, 5353}});
  EXPECT_THAT(reported(), ElementsAre(MappedPort{"UDP", 53, 5353, "fd00::11 is not an address of this machine"}));
  here("fd00::11");
  clock.advance(PortMapping::kPace);
  EXPECT_THAT(reported(), ElementsAre(MappedPort{"UDP", 53, 5353, ""}));
}

TEST_F(PortMappingTest, the_federation_maps_no_address_that_is_not_an_endpoints) {
  here("10.0.0.11");
  ports->set({{"shop/other", "TCP", 80, 8080}});
  EXPECT_THAT(ran, ElementsAre(mapping::removal("meshdns-n1"))) << "that of the start";
  ports->put(endpoint({"10.0.0.11"}));
  ports->set({{kMapped, "TCP", 80, 8080}});
  EXPECT_EQ(ran.size(), 2U);
}

TEST_F(PortMappingTest, an_endpoint_that_moves_takes_its_mapping_along) {
  here("10.0.0.11");
  here("10.0.0.12");
  ports->put(endpoint({"10.0.0.11"}));
  ports->set({{kMapped, "TCP", 80, 8080}});
  ports->put(endpoint({"10.0.0.12"}));
  clock.advance(PortMapping::kPace);
  EXPECT_THAT(ran.back(), testing::HasSubstr("ip daddr 10.0.0.12 tcp dport 80 "));
  syncer.remove(kMapped);
  clock.advance(PortMapping::kPace);
  EXPECT_EQ(ran.back(), mapping::removal("meshdns-n1"));
}

TEST_F(PortMappingTest, it_is_shown_with_its_problem) {
  ports->put(endpoint({"10.0.0.11"}));
  ports->set({{kMapped, "TCP", 80, 8080}});
  v1::AgentStatus status;
  ports->write_status(status);
  EXPECT_EQ(status.port_mapping().table(), "inet meshdns-n1");
  ASSERT_EQ(status.port_mapping().ports_size(), 1);
  EXPECT_EQ(status.port_mapping().ports(0).from(), "10.0.0.11:80");
  EXPECT_EQ(status.port_mapping().ports(0).refused(), "10.0.0.11 is not an address of this machine");
  std::vector<metrics::Sample> samples;
  ports->collect(samples);
  ASSERT_EQ(samples.size(), 4U);
  EXPECT_EQ(samples[0].value, 0.0) << "mapped";
  EXPECT_EQ(samples[1].value, 1.0) << "refused";
}

TEST_F(PortMappingTest, off_it_does_nothing) {
  ran.clear();
  ports.reset();
  EXPECT_THAT(ran, IsEmpty()) << "there was no table to be removed";
  begin(std::nullopt);
  ports->put(endpoint({"10.0.0.11"}));
  ports->set({{kMapped, "TCP", 80, 8080}});
  clock.advance(10s);
  EXPECT_THAT(ran, IsEmpty());
  EXPECT_THAT(reported(), IsEmpty());
  v1::AgentStatus status;
  ports->write_status(status);
  EXPECT_FALSE(status.has_port_mapping());
}

}  // namespace
}  // namespace meshdns::agent::app
