#include "agent/app/own_place.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_folder.h"

namespace meshdns::agent::app {
namespace {

using testing::ElementsAre;

constexpr const char* kAws =
    R"({"v1": {"cloud_name": "aws", "region": "eu-central-1", "availability_zone": "eu-central-1a"}})";

class OwnPlaceTest : public testing::Test {
 protected:
  OwnPlaceTest() : machine_{"vm7", "0123abcd", "boot-1"} {
    machine_.place_files = {folder_.path("instance-data.json"), folder_.path("dmi")};
  }

  Configuration load(const std::string& locality) {
    std::ofstream(folder_.path("agent.yaml")) << "cluster: eu-1\nfederation: {servers: [\"127.0.0.1:7400\"]}\n"
                                              << (locality.empty() ? "" : "locality: " + locality + "\n");
    auto out = load_configuration(folder_.path("agent.yaml"), machine_);
    EXPECT_TRUE(out) << config::problems_text(out.error());
    return *out;
  }
  void write_data(const char* text) { std::ofstream(machine_.place_files.instance_data) << text; }
  std::string source_of(const Configuration& configuration) { return place_source(configuration, configuration.node); }
  double region_known(const Configuration& configuration) {
    std::vector<metrics::Sample> samples;
    collect_place(configuration, configuration.node, samples);
    return samples.empty() ? -1 : samples.front().value;
  }

  test::TemporaryFolder folder_;
  Machine machine_;
};

TEST_F(OwnPlaceTest, the_machine_says_it) {
  write_data(kAws);
  const auto found = load("auto");
  EXPECT_EQ(found.node.locality.text(), "eu-central-1/eu-central-1a/eu-1");
  EXPECT_EQ(found.node.locality.node, "vm7");
  EXPECT_EQ(source_of(found), "cloud-init (aws)");
  EXPECT_EQ(region_known(found), 1);
}

TEST_F(OwnPlaceTest, an_operators_words_come_first) {
  write_data(kAws);
  const auto network = load("{auto: true, network: corp}");
  EXPECT_EQ(network.node.locality.network, "corp");
  EXPECT_EQ(network.node.locality.zone, "eu-central-1a");
  EXPECT_EQ(source_of(network), "agent.yaml, cloud-init (aws)");
  const auto region = load("{auto: true, region: EU-central-1, zone: eu-central-1b}");
  EXPECT_EQ(region.node.locality.text(), "EU-central-1/eu-central-1b/eu-1");
  EXPECT_EQ(source_of(region), "agent.yaml");
  const auto another = load("{auto: true, region: us}");
  EXPECT_EQ(another.node.locality.text(), "us/-/eu-1") << "a zone of another region is no zone of this one";
}

TEST_F(OwnPlaceTest, without_auto_nobody_is_asked) {
  write_data(kAws);
  const auto none = load("");
  EXPECT_EQ(none.node.locality.region, "");
  EXPECT_EQ(source_of(none), "");
  EXPECT_EQ(region_known(none), -1);
  EXPECT_EQ(source_of(load("{region: eu}")), "agent.yaml");
}

TEST_F(OwnPlaceTest, nothing_is_found) {
  const auto found = load("auto");
  EXPECT_EQ(found.node.locality.region, "");
  EXPECT_EQ(source_of(found), "unknown: there is no instance data of cloud-init, and there is no DMI");
  EXPECT_EQ(region_known(found), 0);
}

TEST_F(OwnPlaceTest, kubernetes_says_the_rest) {
  const auto found = load("{auto: true, network: corp}");
  model::Node described = found.node;
  described.locality.region = "eu";
  EXPECT_EQ(place_source(found, described), "agent.yaml, Kubernetes");
}

TEST_F(OwnPlaceTest, a_new_place_needs_a_restart) {
  write_data(kAws);
  const auto before = load("auto");
  EXPECT_THAT(restart_needed(before, load("auto")), testing::IsEmpty());
  std::filesystem::remove(machine_.place_files.instance_data);
  EXPECT_THAT(restart_needed(before, load("auto")), ElementsAre("locality"));
  EXPECT_THAT(restart_needed(before, load("{region: eu-central-1, zone: eu-central-1a}")), testing::IsEmpty());
}

TEST_F(OwnPlaceTest, programs_are_off_unless_they_are_enabled) {
  EXPECT_FALSE(load("").programs().enabled);
  Configuration on = load("");
  on.file.mutable_exec()->set_enabled(true);
  EXPECT_TRUE(on.programs().enabled);
  EXPECT_THAT(restart_needed(load(""), on), ElementsAre("exec"));
}

}  // namespace
}  // namespace meshdns::agent::app
