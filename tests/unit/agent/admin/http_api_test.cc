#include "agent/admin/http_api.h"

#include <gmock/gmock.h>

#include "tests/unit/agent/admin/fake_agent.h"

namespace meshdns::agent::admin {
namespace {

using http::Response;
using testing::HasSubstr;

class HttpApiTest : public testing::Test {
 protected:
  Response get(const std::string& target) { return read("GET", target); }
  Response read(const std::string& method, const std::string& target) {
    return http_api(agent, commands)(http::parse_target(method, target));
  }
  FakeAgent agent;
  FakeCommands commands;
};

TEST_F(HttpApiTest, readiness_follows_the_agent_and_health_does_not) {
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 503);
  agent.trouble = "n1 does not read endpoints.d: app-b.yaml:7:5: unknown field";
  EXPECT_EQ(get("/readyz").body, agent.trouble + "\n");
  agent.trouble.clear();
  EXPECT_EQ(get("/readyz").status, 200);
}

TEST_F(HttpApiTest, status_is_json_with_the_names_of_the_schema) {
  const Response status = get("/v1/status");
  EXPECT_EQ(status.content_type, "application/json");
  EXPECT_THAT(status.body, HasSubstr("\"node\": \"n1\""));
  EXPECT_THAT(status.body, HasSubstr("\"namespace\": \"shop\""));
  EXPECT_THAT(status.body, HasSubstr("\"for\": \"12s\""));
  EXPECT_THAT(status.body, HasSubstr("\"inDoubt\": false"));
}

TEST_F(HttpApiTest, metrics_are_prometheus_text) {
  EXPECT_EQ(get("/metrics").content_type, "text/plain; version=0.0.4");
  EXPECT_THAT(get("/metrics").body, HasSubstr("meshdns_agent_connected 1"));
}

TEST_F(HttpApiTest, what_is_not_there_is_404_and_other_methods_405) {
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(read("DELETE", "/v1/status").status, 405);
}

TEST_F(HttpApiTest, registrations_and_drains_are_read_here) {
  EXPECT_THAT(get("/v1/registrations").body, HasSubstr("shop/web/10.0.0.1:80"));
  EXPECT_THAT(get("/v1/drains").body, HasSubstr("kernel"));
}

TEST_F(HttpApiTest, the_port_never_changes_anything) {
  for (const char* path :
       {"/v1/leave", "/v1/register", "/v1/deregister", "/v1/push", "/v1/drain", "/v1/undrain", "/v1/check"}) {
    EXPECT_EQ(read("POST", path).status, 404) << path;
  }
  EXPECT_EQ(read("POST", "/v1/registrations").status, 405);
  EXPECT_EQ(agent.asked_to_leave, 0);
  EXPECT_EQ(commands.calls, "");
}

}  // namespace
}  // namespace meshdns::agent::admin
