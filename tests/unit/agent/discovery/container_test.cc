#include "agent/discovery/container.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::discovery {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using Kind = ContainerEvent::Kind;

IpAddress ip(std::string_view text) { return IpAddress::parse(text).value(); }

// As Docker Engine 27.3 sends it (API 1.41), without members of other subjects.
constexpr std::string_view kDocker = R"({
  "Id": "4f66ad9c0b2e5f4f6b57e1a3c3f1c2d4e5f60718293a4b5c6d7e8f9012345678",
  "Created": "2026-11-29T15:59:59.987654321Z", "Path": "/docker-entrypoint.sh", "Args": ["nginx"],
  "State": {"Status": "running", "Running": true, "Paused": false, "Restarting": false, "OOMKilled": false,
            "Dead": false, "Pid": 4711, "ExitCode": 0, "Error": "", "StartedAt": "2026-11-29T16:00:00.1234Z",
            "FinishedAt": "0001-01-01T00:00:00Z",
            "Health": {"Status": "healthy", "FailingStreak": 0, "Log": [{"ExitCode": 0, "Output": "ok"}]}},
  "Name": "/web-1", "RestartCount": 0,
  "HostConfig": {"Binds": null, "NetworkMode": "bridge",
                 "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}},
  "Config": {"Hostname": "4f66ad9c0b2e", "ExposedPorts": {"80/tcp": {}, "443/tcp": {}, "9/sctp": {}},
             "Labels": {"maintainer": "shop", "meshdns.service": "web", "meshdns.check.http.path": "/healthz"}},
  "NetworkSettings": {
    "Bridge": "", "SandboxID": "ab", "Ports": {"443/tcp": null,
      "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}]},
    "Gateway": "172.17.0.1", "IPAddress": "172.17.0.2",
    "Networks": {
      "bridge": {"IPAMConfig": null, "Links": null, "Aliases": null, "Gateway": "172.17.0.1",
                 "IPAddress": "172.17.0.2", "IPPrefixLen": 16, "GlobalIPv6Address": "fd00:17::2"},
      "late": {"IPAMConfig": {}, "IPAddress": "", "GlobalIPv6Address": ""}}}
})";

TEST(Container, reads_an_inspection_of_docker) {
  const auto read = read_container(kDocker);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->id.substr(0, 12), "4f66ad9c0b2e");
  EXPECT_EQ(read->name, "web-1");
  EXPECT_TRUE(read->running);
  EXPECT_FALSE(read->paused);
  EXPECT_EQ(read->health, "healthy");
  EXPECT_THAT(read->labels, ElementsAre(Pair("check.http.path", "/healthz"), Pair("service", "web")));
  EXPECT_FALSE(read->host_network);
  EXPECT_THAT(read->networks, ElementsAre(Pair("bridge", ElementsAre(ip("172.17.0.2"), ip("fd00:17::2")))));
  EXPECT_THAT(read->exposed, ElementsAre(ContainerPort{80, "TCP"}, ContainerPort{443, "TCP"}));
  EXPECT_THAT(read->published, ElementsAre(Pair(ContainerPort{80, "TCP"}, ElementsAre(Published{ip("0.0.0.0"), 8080},
                                                                                      Published{ip("::"), 8080}))));
}

// As Podman 4.3 sends it: paused is not running there, no address of a published port, an empty Health without a check.
TEST(Container, reads_an_inspection_of_podman) {
  const auto read = read_container(R"({
    "Id": "0b2e", "Name": "/web-1",
    "State": {"Status": "paused", "Running": true, "Paused": true, "Health": {"Status": "", "Log": null}},
    "HostConfig": {"NetworkMode": "host"},
    "Config": {"ExposedPorts": null, "Labels": {"meshdns.service": "web"}},
    "NetworkSettings": {"Ports": {"53/udp": [{"HostIp": "", "HostPort": "5300"}]}, "Networks": {}}})");
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_TRUE(read->running);
  EXPECT_TRUE(read->paused);
  EXPECT_EQ(read->health, "");
  EXPECT_TRUE(read->host_network);
  EXPECT_THAT(read->networks, IsEmpty());
  EXPECT_THAT(read->published, ElementsAre(Pair(ContainerPort{53, "UDP"}, ElementsAre(Published{std::nullopt, 5300}))));
}

/// Whether a container in this state runs.
bool runs(const std::string& status) {
  const auto read = read_container(R"({"Id": "a", "State": {"Running": true, "Status": ")" + status + "\"}}");
  return read.value().running;
}

TEST(Container, runs_only_while_it_has_processes) {
  EXPECT_TRUE(runs("running"));
  EXPECT_TRUE(runs("paused"));
  for (const char* status : {"restarting", "exited", "created", "dead", "removing", ""}) {
    EXPECT_FALSE(runs(status)) << status;
  }
}

std::string problem_of(const std::string& body) {
  const auto read = read_container(body);
  return read ? "" : read.error().message();
}

TEST(Container, says_which_member_is_wrong) {
  EXPECT_EQ(problem_of(R"({"Name": "/web"})"), "Id: expected a text (got nothing)");
  EXPECT_EQ(problem_of(R"({"Id": "a", "Config": {"Labels": {"meshdns.port": 80}}})"),
            "Config.Labels.meshdns.port: expected a text (got a number)");
  EXPECT_EQ(problem_of(R"({"Id": "a", "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "x", "HostPort": "1"}]}}})"),
            "NetworkSettings.Ports.80/tcp[0].HostIp: " + IpAddress::parse("x").error().message());
  EXPECT_EQ(problem_of(R"({"Id": "a", "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "", "HostPort": "0"}]}}})"),
            "NetworkSettings.Ports.80/tcp[0].HostPort: expected a port");
  EXPECT_THAT(problem_of("[]"), testing::HasSubstr("not a JSON object"));
}

TEST(Container, list_names_those_with_labels) {
  const auto ids = read_container_list(R"([
    {"Id": "a1", "Names": ["/web"], "Labels": {"meshdns.service": "web"}, "State": "running"},
    {"Id": "b2", "Names": ["/db"], "Labels": {"mesh": "no"}}, {"Id": "c3", "Labels": null},
    {"Id": "d4", "Labels": {"meshdns.port": "80"}}])");
  ASSERT_TRUE(ids) << ids.error().message();
  EXPECT_THAT(*ids, ElementsAre("a1", "d4"));
  EXPECT_THAT(read_container_list("[]\n").value(), IsEmpty());
  EXPECT_FALSE(read_container_list(R"({"message": "no"})"));
  EXPECT_FALSE(read_container_list(R"([{"Labels": {"meshdns.service": "web"}}])"));
  EXPECT_FALSE(read_container_list(R"([{"Id": "a1")"));
}

Kind kind(const std::string& action, const std::string& type = "container") {
  const auto read = read_container_event(R"({"status": "x", "Type": ")" + type + R"(", "Action": ")" + action +
                                         R"(", "Actor": {"ID": "a1", "Attributes": {"name": "web"}}})");
  return read.value().kind;
}

TEST(Container, events_say_what_ended) {
  for (const char* action : {"die", "died", "stop", "destroy", "remove"})
    EXPECT_EQ(kind(action), Kind::Ended) << action;
  for (const char* action : {"start", "restart", "unpause", "rename", "update", "health_status: healthy",
                             "health_status: starting", "health_status"}) {
    EXPECT_EQ(kind(action), Kind::Changed) << action;
  }
  EXPECT_EQ(kind("pause"), Kind::Paused);
  EXPECT_EQ(kind("health_status: unhealthy"), Kind::Unhealthy);
  for (const char* action : {"exec_die", "exec_create: sh", "kill", "create", "attach", "top", ""}) {
    EXPECT_EQ(kind(action), Kind::Other) << action;
  }
  EXPECT_EQ(kind("die", "network"), Kind::Other);
}

TEST(Container, events_name_their_container) {
  const auto read = read_container_event(
      R"({"Type":"container","Action":"die","Actor":{"ID":"a1","Attributes":{"exitCode":"137","meshdns.service":"web"}}})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->id, "a1");
  EXPECT_TRUE(read->labelled);
  EXPECT_FALSE(read_container_event("{"));
}

std::string asked_version(const std::string& newest, const std::string& oldest) {
  return api_version({.engine = "", .newest = newest, .oldest = oldest});
}

TEST(Container, asks_in_a_version_that_the_server_speaks) {
  EXPECT_EQ(asked_version("1.47", "1.24"), "1.41");
  EXPECT_EQ(asked_version("1.41", "1.24"), "1.41");
  EXPECT_EQ(asked_version("1.40", "1.12"), "1.40");  // Docker 19.03
  EXPECT_EQ(asked_version("1.52", "1.44"), "1.44");  // Docker 29
  EXPECT_EQ(asked_version("1.100", ""), "1.41");
  const auto read = read_engine_version(R"({"Version": "4.3.1", "ApiVersion": "1.41", "MinAPIVersion": "1.24",
                                            "Components": [{"Name": "Podman Engine", "Version": "4.3.1"}]})");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->engine, "Podman Engine 4.3.1");
  EXPECT_FALSE(read_engine_version(R"({"Version": "4.3.1"})"));
}

}  // namespace
}  // namespace meshdns::discovery
