#include "common/kubernetes/server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <optional>

namespace meshdns::kubernetes {
namespace {

using testing::HasSubstr;

Environment environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](const std::string& name) -> std::optional<std::string> {
    const auto found = values.find(name);
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}
Result<Server> in_cluster(const std::string& host, const std::string& port = "443") {
  return server_in_cluster(environment({{"KUBERNETES_SERVICE_HOST", host}, {"KUBERNETES_SERVICE_PORT", port}}));
}
std::string wrong_url(const std::string& url) {
  const auto server = server_at(url, "", "");
  return server ? "accepted: " + server->authority() : server.error().message();
}

TEST(Server, a_pod_has_all_that_is_needed) {
  const auto server = in_cluster("10.96.0.1", "6443");
  ASSERT_TRUE(server);
  EXPECT_EQ(server->authority(), "10.96.0.1:6443");
  EXPECT_EQ(server->ca_file, "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt");
  EXPECT_EQ(server->token_file, "/var/run/secrets/kubernetes.io/serviceaccount/token");
}

TEST(Server, an_ipv6_address_is_in_brackets_only_where_a_port_follows) {
  for (const char* host : {"fd00::1", "[fd00::1]"}) {
    const auto server = in_cluster(host);
    ASSERT_TRUE(server) << host;
    EXPECT_EQ(server->host, "fd00::1");
    EXPECT_EQ(server->authority(), "[fd00::1]:443");
  }
}

// Some managed clusters name the server to their pods.
TEST(Server, a_name_is_accepted) { EXPECT_EQ(in_cluster("api.shop.example")->authority(), "api.shop.example:443"); }

TEST(Server, a_process_in_no_pod_is_told_so) {
  EXPECT_EQ(server_in_cluster(environment({})).error().code(), Code::FailedPrecondition);
  EXPECT_EQ(server_in_cluster(environment({{"KUBERNETES_SERVICE_HOST", "10.96.0.1"}})).error().code(),
            Code::FailedPrecondition);
}

TEST(Server, wrong_values_are_refused) {
  for (const char* host : {"", "a b", "a\r\nX: y", "10.96.0.1:443", "a..b", "[10.96.0.1"}) {
    const auto server = in_cluster(host);
    ASSERT_FALSE(server) << host;
    EXPECT_THAT(server.error().message(), HasSubstr("neither an IP address nor a name"));
  }
  for (const char* port : {"", "0", "65536", "https", "-1"}) {
    EXPECT_THAT(in_cluster("10.96.0.1", port).error().message(), HasSubstr("not a port")) << port;
  }
}

TEST(Server, urls) {
  EXPECT_EQ(server_at("https://10.0.0.1:6443", "ca", "token")->authority(), "10.0.0.1:6443");
  EXPECT_EQ(server_at("https://10.0.0.1/", "ca", "token")->authority(), "10.0.0.1:443");
  EXPECT_EQ(server_at("https://[fd00::1]:6443", "ca", "token")->host, "fd00::1");
  EXPECT_EQ(server_at("https://[fd00::1]", "ca", "token")->authority(), "[fd00::1]:443");
  EXPECT_EQ(server_at("https://api.shop.example:6443", "ca", "token")->token_file, "token");
}

TEST(Server, wrong_urls_are_refused) {
  EXPECT_THAT(wrong_url("http://10.0.0.1"), HasSubstr("begins with https://"));
  EXPECT_THAT(wrong_url("10.0.0.1:6443"), HasSubstr("begins with https://"));
  EXPECT_THAT(wrong_url("https://[fd00::1"), HasSubstr("a bracket is not closed"));
  EXPECT_THAT(wrong_url("https://"), HasSubstr("its host"));
  EXPECT_THAT(wrong_url("https://a/b"), HasSubstr("its host"));
  EXPECT_THAT(wrong_url("https://user@host"), HasSubstr("its host"));
  EXPECT_THAT(wrong_url("https://host:"), HasSubstr("its port"));
  EXPECT_THAT(wrong_url("https://host:1/path"), HasSubstr("its port"));
}

}  // namespace
}  // namespace meshdns::kubernetes
