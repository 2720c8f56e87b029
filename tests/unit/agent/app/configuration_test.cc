#include "agent/app/configuration.h"

#include <gmock/gmock.h>

#include <cstdio>
#include <fstream>

namespace meshdns::agent::app {
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
  EXPECT_FALSE(found->node.addresses.empty());
  EXPECT_TRUE(found->own_addresses);
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

// In a pod the host's name may be the pod's, and the certificate is that of the node.
TEST_F(ConfigurationTest, a_pod_that_joins_has_the_name_of_its_node_and_the_files_of_kubernetes) {
  Machine pod = kMachine;
  pod.environment = [](const std::string& name) -> std::optional<std::string> {
    return name == "NODE_NAME" ? std::optional<std::string>("ip-10-0-0-1.ec2.internal") : std::nullopt;
  };
  const std::string join = "cluster: eu-1\nfederation: {servers: [\"f.example:7400\"], join: {kubernetes: ";
  const auto found = load(join + "{}}}\n", pod);
  ASSERT_TRUE(found) << config::problems_text(found.error());
  EXPECT_EQ(found->node.key, "eu-1/ip-10-0-0-1.ec2.internal");
  EXPECT_EQ(found->member().pod->token, "/var/run/secrets/meshdns/token");
  EXPECT_EQ(found->member().pod->authority, "/etc/meshdns/authority/ca.crt");
  EXPECT_EQ(found->member().token_file, "");
  const auto other = load("node: n1\n" + join + "{token_file: /t, ca_file: ca.crt}}}\n", pod);
  ASSERT_TRUE(other) << config::problems_text(other.error());
  EXPECT_EQ(other->node.key, "eu-1/n1");
  EXPECT_EQ(other->member().pod->token, "/t");
  EXPECT_EQ(other->member().pod->authority, folder + "ca.crt");
  EXPECT_EQ(load("cluster: eu-1\n" + kFederation, pod)->node.key, "eu-1/vm7") << "without that join";
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

TEST_F(ConfigurationTest, a_name_that_many_machines_have_is_a_problem) {
  for (const char* hostname : {"localhost", "10.0.0.5", ""}) {
    const auto found = load("cluster: eu-1\n" + kFederation, {hostname, "", ""});
    ASSERT_FALSE(found) << hostname;
    EXPECT_THAT(config::problems_text(found.error()), HasSubstr("node: is missing, and the hostname cannot be used"));
  }
  const auto written = load("cluster: eu-1\nnode: localhost\n" + kFederation);
  ASSERT_FALSE(written);
  EXPECT_THAT(config::problems_text(written.error()),
              HasSubstr("node: \"localhost\" means every machine: give the node a name of its own, like n1"));
}

TEST_F(ConfigurationTest, dev_works_on_a_machine_without_a_name) {
  const auto found = dev_configuration("/run/user/7", {"localhost", "", ""});
  ASSERT_TRUE(found) << config::problems_text(found.error());
  EXPECT_EQ(found->node.key, "dev/dev-node");
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
  EXPECT_EQ(found->instance_uid, "0123abcd/vm7/run/user/7/meshdns-agent.sock") << "another user's agent is another one";
  EXPECT_THAT(found->servers(), ElementsAre("127.0.0.1:7400"));
}

TEST_F(ConfigurationTest, containers_are_looked_for_where_docker_and_podman_have_their_sockets) {
  const std::string text = "cluster: eu-1\naddresses: [10.0.0.1]\n" + kFederation;
  EXPECT_THAT(load(text)->container_sockets, IsEmpty());
  EXPECT_THAT(load(text + "discovery: {containers: {}}\n")->container_sockets,
              ElementsAre("/run/docker.sock", "/run/podman/podman.sock"));
  EXPECT_THAT(load(text + "discovery: {containers: {socket: /run/user/7/podman.sock}}\n")->container_sockets,
              ElementsAre("/run/user/7/podman.sock"));
}

TEST_F(ConfigurationTest, only_what_the_federation_was_told_needs_a_restart) {
  const std::string text = "cluster: eu-1\naddresses: [10.0.0.1]\n" + kFederation;
  const auto before = load(text);
  EXPECT_THAT(restart_needed(*before, *load(text + "leave_on_stop: true\n")), IsEmpty());
  EXPECT_THAT(restart_needed(*before, *load(text + "discovery: {static: {directory: other.d}}\n")), IsEmpty());
  EXPECT_THAT(restart_needed(*before, *load(text + "discovery: {containers: {}}\n")),
              ElementsAre("discovery.containers"));
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

TEST(MachineTest, loopback_is_an_address_only_for_a_federation_on_this_machine) {
  const auto loopback = IpAddress::parse("127.0.0.1").value();
  for (const auto& federation : {std::optional<IpAddress>(), std::optional(loopback)}) {
    EXPECT_THAT(routed_addresses(federation), testing::Not(IsEmpty()));
  }
  for (const char* afar : {"192.0.2.77", "2001:db8::77"}) {
    for (const IpAddress& address : routed_addresses(IpAddress::parse(afar).value())) {
      EXPECT_TRUE(is_reachable_from_afar(address)) << address.text();
    }
  }
}

TEST(MachineTest, what_others_cannot_reach) {
  const auto reachable = [](const char* text) { return is_reachable_from_afar(IpAddress::parse(text).value()); };
  for (const char* own : {"127.0.0.1", "127.8.0.1", "::1", "169.254.3.4", "fe80::1", "febf::1", "0.0.0.0", "::"}) {
    EXPECT_FALSE(reachable(own)) << own;
  }
  for (const char* afar : {"10.0.0.1", "169.253.0.1", "fd00::1", "2001:db8::1", "fec0::1"}) {
    EXPECT_TRUE(reachable(afar)) << afar;
  }
}

TEST(MachineTest, servers_that_are_addresses) {
  EXPECT_EQ(address_of_server("10.0.0.1:7400"), IpAddress::parse("10.0.0.1").value());
  EXPECT_EQ(address_of_server("[fd00::1]:7400"), IpAddress::parse("fd00::1").value());
  EXPECT_EQ(address_of_server("fed.example:7400"), std::nullopt);
  EXPECT_EQ(address_of_server("unix:/run/fed.sock"), std::nullopt);
}

TEST(MachineTest, names_that_many_machines_have_are_no_names_of_nodes) {
  for (const char* name : {"", "localhost", "LOCALHOST", "localhost.localdomain", "10", "10.0.0.5", "::1"}) {
    EXPECT_THAT(node_name_problem(name), HasSubstr(": give the node a name of its own")) << name;
  }
  for (const char* name : {"n1", "10a", "eu1-n1.example", "vm-10", "local"}) EXPECT_EQ(node_name_problem(name), "");
}

TEST(MachineTest, this_machine_has_a_name_and_a_boot) {
  EXPECT_FALSE(this_machine().name.empty());
  EXPECT_EQ(this_machine().name.find('.'), std::string::npos);
  EXPECT_FALSE(this_machine().boot_id.empty());
}

}  // namespace
}  // namespace meshdns::agent::app
