#include "agent/admin/http_api.h"

#include <gmock/gmock.h>

namespace meshdns::agent::admin {
namespace {

using http::Response;
using testing::HasSubstr;

struct FakeAgent : Agent {
  v1::AgentStatus status() override {
    v1::AgentStatus out;
    out.set_node("n1");
    auto& endpoint = *out.add_endpoints();
    endpoint.set_namespace_("shop");
    endpoint.set_for_("12s");
    return out;
  }
  std::string unready() override { return trouble; }
  std::string metrics() override { return "meshdns_agent_connected 1\n"; }
  Leaving leave() override {
    ++asked_to_leave;
    return leaving;
  }

  std::string trouble = "discovery was not read yet";
  int asked_to_leave = 0;
  Leaving leaving;
};

class HttpApiTest : public testing::Test {
 protected:
  Response get(const std::string& target) { return http_api(agent)(http::parse_target("GET", target)); }
  Response on_socket(const std::string& method, const std::string& target) {
    return socket_api(agent)(http::parse_target(method, target));
  }
  FakeAgent agent;
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
  EXPECT_EQ(http_api(agent)(http::parse_target("DELETE", "/v1/status")).status, 405);
}

TEST_F(HttpApiTest, the_port_never_withdraws_anything) {
  EXPECT_EQ(http_api(agent)(http::parse_target("POST", "/v1/leave")).status, 404);
  EXPECT_EQ(agent.asked_to_leave, 0);
}

TEST_F(HttpApiTest, the_socket_reads_too) { EXPECT_EQ(on_socket("GET", "/v1/status").status, 200); }

TEST_F(HttpApiTest, leave_is_asked_until_it_is_done_or_has_failed) {
  agent.leaving = {Leaving::State::Waiting, "waiting"};
  EXPECT_EQ(on_socket("POST", "/v1/leave").status, 202);
  agent.leaving = {Leaving::State::Left, "withdrew 3 endpoints"};
  EXPECT_EQ(on_socket("POST", "/v1/leave").status, 200);
  EXPECT_EQ(on_socket("POST", "/v1/leave").body, "withdrew 3 endpoints\n");
  agent.leaving = {Leaving::State::Failed, "no federation"};
  EXPECT_EQ(on_socket("POST", "/v1/leave").status, 503);
}

TEST_F(HttpApiTest, looking_at_leave_does_not_leave) {
  EXPECT_EQ(on_socket("GET", "/v1/leave").status, 405);
  EXPECT_EQ(agent.asked_to_leave, 0);
}

}  // namespace
}  // namespace meshdns::agent::admin
