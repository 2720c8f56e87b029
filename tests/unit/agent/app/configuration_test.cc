#include "agent/app/configuration.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

namespace meshdns::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

const Machine kMachine{"vm7", "0123abcd", "boot-1"};
const std::string kFederation = "federation: {servers: [\"127.0.0.1:7400\"]}\n";

class ConfigurationTest : public testing::Test {
 protected:
  ~ConfigurationTest() override { std::remove(path.c_str()); }

  config::Loaded<Configuration> load(const std::string& text, const Machine& machine = kMachine) {
    std::ofstream(path) << text;
    return load_configuration(path, machine);
  }
  const std::string folder = testing::TempDir();
  const std::string path =
      folder + testing::UnitTest::GetInstance()->current_test_info()->name() + std::string(".yaml");
};

TEST_F(ConfigurationTest, what_is_left_out_comes_from_the_machine) {
  const auto found = load("cluster: eu-1\n" + kFederation);
  ASSERT_TRUE(found) << config::problems_text(found.error());
  EXPECT_EQ(found->node.key, "eu-1/vm7");
  EXPECT_EQ(found->node.locality.node, "vm7");
  EXPECT_EQ(found->node.locality.cluster, "eu-1");
  EXPECT_EQ(found->node.addresses.size(), 1U);
  EXPECT_EQ(found->instance_uid, "0123abcd/vm7/run/meshdns/agent.sock");
  EXPECT_EQ(found->boot_id, "boot-1");
  EXPECT_EQ(found->admin_address().text(), "127.0.0.1:7402");
}

TEST_F(ConfigurationTest, what_is_written_counts) {
  const auto found = load("cluster: eu-1\nnode: n1\naddresses: [10.0.0.11]\nprefixes: [10.0.0.0/24]\n" + kFederation);
  ASSERT_TRUE(found) << config::problems_text(found.error());
  EXPECT_EQ(found->node.key, "eu-1/n1");
  EXPECT_THAT(found->node.addresses, ElementsAre(IpAddress::parse("10.0.0.11").value()));
  EXPECT_THAT(found->node.prefixes, ElementsAre(Prefix::parse("10.0.0.0/24").value()));
  EXPECT_EQ(found->instance_uid, "0123abcd/n1/run/meshdns/agent.sock")
      << "several agents of one machine are several instances";
}

TEST_F(ConfigurationTest, a_relative_folder_is_beside_the_file) {
  EXPECT_EQ(load("cluster: eu-1\n" + kFederation)->directory, folder + "endpoints.d");
  EXPECT_EQ(load("cluster: eu-1\ndiscovery: {static: {directory: /srv/e}}\n" + kFederation)->directory, "/srv/e");
}

TEST_F(ConfigurationTest, a_hostname_that_is_no_name_is_a_problem) {
  const auto found = load("cluster: eu-1\n" + kFederation, {"my_host", "", ""});
  ASSERT_FALSE(found);
  EXPECT_THAT(config::problems_text(found.error()), HasSubstr("node: is missing, and the hostname \"my_host\""));
}

TEST_F(ConfigurationTest, a_file_that_is_not_there_is_one_problem) {
  const auto found = load_configuration("/nowhere/agent.yaml", kMachine);
  ASSERT_FALSE(found);
  EXPECT_THAT(config::problems_text(found.error()), StartsWith("/nowhere/agent.yaml: No such file"));
}

TEST_F(ConfigurationTest, dev_is_loopback_and_the_current_folder) {
  const auto found = dev_configuration("/run/user/7", kMachine);
  ASSERT_TRUE(found) << config::problems_text(found.error());
  EXPECT_EQ(found->node.key, "dev/vm7");
  EXPECT_EQ(found->node.locality.text(), "-/-/dev");
  EXPECT_EQ(found->directory, "endpoints.d");
  EXPECT_EQ(found->file.admin().socket(), "/run/user/7/meshdns-agent.sock");
  EXPECT_THAT(found->servers(), ElementsAre("127.0.0.1:7400"));
}

TEST_F(ConfigurationTest, only_what_the_federation_was_told_needs_a_restart) {
  const std::string text = "cluster: eu-1\naddresses: [10.0.0.1]\n" + kFederation;
  const auto before = load(text);
  EXPECT_THAT(restart_needed(*before, *load(text + "leave_on_stop: true\n")), IsEmpty());
  EXPECT_THAT(restart_needed(*before, *load(text + "discovery: {static: {directory: other.d}}\n")), IsEmpty());
  EXPECT_THAT(restart_needed(*before, *load(text + "node: n2\nlocality: {zone: eu-b}\n")),
              ElementsAre("node", "locality"));
  EXPECT_THAT(restart_needed(*before, *load("cluster: us-1\naddresses: [10.0.0.2]\nprefixes: [10.0.0.0/24]\n"
                                            "federation: {servers: [\"unix:/f\"]}\nadmin: {socket: /s}\n")),
              ElementsAre("cluster", "addresses", "prefixes", "federation", "admin"));
}

TEST(MachineTest, loopback_is_the_way_to_loopback) {
  const auto loopback = IpAddress::parse("127.0.0.1").value();
  EXPECT_THAT(address_towards(loopback), ElementsAre(loopback));
}

TEST(MachineTest, a_node_always_has_an_address) {
  EXPECT_THAT(routed_addresses({"fed.example:7400", "unix:/run/fed.sock", "127.0.0.1:7400"}), testing::SizeIs(1));
}

TEST(MachineTest, this_machine_has_a_name_and_a_boot) {
  EXPECT_FALSE(this_machine().name.empty());
  EXPECT_EQ(this_machine().name.find('.'), std::string::npos);
  EXPECT_FALSE(this_machine().boot_id.empty());
}

}  // namespace
}  // namespace meshdns::app
