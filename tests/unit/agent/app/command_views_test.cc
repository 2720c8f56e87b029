#include "agent/app/command_views.h"

#include <gmock/gmock.h>

#include "agent/app/check_text.h"
#include "agent/app/completion.h"

namespace meshdns::agent::app {
namespace {

using testing::ElementsAre;

TEST(CommandViews, changes_are_lines) {
  v1::AgentChanges changes;
  EXPECT_EQ(changes_text(changes), "nothing to change\n");
  auto& change = *changes.add_changes();
  change.set_target("shop/web/10.0.0.11:8080");
  change.set_what("registered");
  EXPECT_EQ(changes_text(changes), "shop/web/10.0.0.11:8080 registered\n");
}

TEST(CommandViews, registrations_say_how_they_are_or_why_they_have_no_effect) {
  v1::AgentRegistrations list;
  EXPECT_EQ(registrations_text(list), "no registrations\n");
  auto& good = *list.add_registrations();
  good.set_key("shop/web/10.0.0.11:8080");
  good.add_ports("http 8080/TCP");
  good.set_state("failing");
  good.set_why("http 503");
  auto& bad = *list.add_registrations();
  bad.set_namespace_("shop");
  bad.set_service("db");
  bad.set_problem("shop/db cannot be read: unknown field");
  list.set_problem("");
  EXPECT_EQ(registrations_text(list),
            "ENDPOINT                 PORTS          STATE    WHY\n"
            "shop/web/10.0.0.11:8080  http 8080/TCP  failing  http 503\n"
            "shop/db                  -              -        shop/db cannot be read: unknown field\n");
}

TEST(CommandViews, a_run_shows_what_was_asked_and_what_came_back) {
  v1::AgentRuns runs;
  auto& run = *runs.add_runs();
  run.set_endpoint("shop/web/10.0.0.11:8080");
  run.set_kind("http");
  run.set_address("10.0.0.11:8080");
  run.set_sent("GET /healthz, expects 200-399");
  run.set_result("failure");
  run.set_detail("http 503");
  run.set_latency("1.2ms");
  auto& none = *runs.add_runs();
  none.set_endpoint("shop/db/10.0.0.11:81");
  none.set_kind("none");
  EXPECT_EQ(runs_text(runs),
            "shop/web/10.0.0.11:8080 http at 10.0.0.11:8080\n"
            "  asked  GET /healthz, expects 200-399\n"
            "  got    failure: http 503 (1.2ms)\n"
            "shop/db/10.0.0.11:81 none\n"
            "  got    no result yet\n");
}

TEST(CommandViews, the_status_has_everything_that_is_wrong) {
  v1::AgentStatus status;
  status.set_version("1.0");
  status.set_node("n1");
  status.mutable_locality()->set_region("eu");
  status.mutable_locality()->set_cluster("eu-1");
  status.add_addresses("10.0.0.11");
  status.mutable_federation()->set_server("10.0.9.1:7400");
  status.mutable_federation()->set_last_error("connection refused");
  auto& event = *status.add_events();
  event.set_name("socket");
  event.set_on(true);
  auto& source = *status.add_sources();
  source.set_name("static");
  source.set_error("a.yaml:1:1: one\na.yaml:2:1: two");
  auto& drain = *status.add_drains();
  drain.set_reason("kernel update");
  drain.set_for_("12m");
  drain.set_left("18m");
  drain.set_endpoints(2);
  status.add_troubles("2 checks cannot run: out of file descriptors");
  auto& endpoint = *status.add_endpoints();
  endpoint.set_key("shop/web/10.0.0.11:8080");
  endpoint.set_state("draining");
  endpoint.set_for_("12m");
  endpoint.set_why("drained at its node: kernel update");
  endpoint.set_refused("ports: must not be empty");
  auto& check = *status.add_checks();
  check.set_endpoint(endpoint.key());
  check.set_kind("tcp");
  check.set_address("10.0.0.11:8080");
  check.set_result("success");
  check.set_latency("0.2ms");
  check.set_last_run("1.0s");
  EXPECT_EQ(
      status_text(status),
      "node        n1 at eu/-/eu-1, 10.0.0.11, version 1.0\n"
      "federation  10.0.9.1:7400: not reached: connection refused\n"
      "events      socket on\n"
      "source      static: not all is read\n"
      "              a.yaml:1:1: one\n"
      "              a.yaml:2:1: two\n"
      "drained     this node for 12m, 18m left, 2 endpoints: kernel update\n"
      "trouble     2 checks cannot run: out of file descriptors\n"
      "\n"
      "ENDPOINT                 STATE     FOR  WHY\n"
      "shop/web/10.0.0.11:8080  draining  12m  drained at its node: kernel update; refused: ports: must not be empty\n"
      "\n"
      "ENDPOINT                 CHECK  AT              RESULT   TOOK   AGO   NEXT IN  DETAIL\n"
      "shop/web/10.0.0.11:8080  tcp    10.0.0.11:8080  success  0.2ms  1.0s  running\n");
}

TEST(CommandViews, an_older_agent_says_less) {
  v1::AgentStatus status;
  status.set_node("n1");
  status.mutable_federation()->set_connected(true);
  const std::string text = status_text(status);
  EXPECT_THAT(text, testing::HasSubstr("no endpoints\n"));
  EXPECT_THAT(text, testing::Not(testing::HasSubstr("events")));
}

TEST(CheckText, says_what_each_kind_asks) {
  const auto address = IpAddress::parse("10.0.0.1").value();
  EXPECT_EQ(sent_text(probes::TcpCheck{}), "a connection");
  EXPECT_EQ(sent_text(probes::TcpCheck{.tls = probes::TlsOptions{}, .send = "PING\r\n", .expect = "+PONG"}),
            R"(a TLS handshake, sends "PING\r\n", expects "+PONG")");
  EXPECT_EQ(sent_text(probes::HttpCheck{.host = "app-b",
                                        .headers = {{"Authorization", "secret"}},
                                        .status = {{200, 299}, {401, 401}},
                                        .contains = "ok"}),
            R"(GET /, Host: app-b, Authorization: ..., expects 200-299, 401, a body with "ok")");
  EXPECT_EQ(sent_text(probes::GrpcCheck{.service = "shop.Web"}), "grpc.health.v1.Health/Check of shop.Web");
  EXPECT_EQ(sent_text(probes::UdpCheck{.send = std::string(61, 'x')}),
            "a datagram, sends \"" + std::string(60, 'x') + "\" and 1 byte more");
  EXPECT_EQ(sent_text(probes::DnsCheck{.name = "a.example", .expect = address, .tcp = true}),
            "a.example A over TCP, expects NOERROR with 10.0.0.1");
  EXPECT_EQ(sent_text(probes::ExecCheck{.command = {"/bin/x", "-v"}, .user = "www"}), "/bin/x -v as www");
  EXPECT_EQ(sent_text(probes::TtlCheck{30s}), "a push within 30s");
  EXPECT_EQ(sent_text(probes::SystemdCheck{"nginx.service"}), "the state of nginx.service");
  EXPECT_EQ(sent_text(probes::AliasCheck{"shop", "db"}), "the health of shop/db");
  EXPECT_EQ(sent_text(probes::NoneCheck{}), "nothing");
  EXPECT_EQ(sent_text(probes::GroupCheck{.needed = 1, .parts = {probes::TcpCheck{}, probes::NoneCheck{}}}),
            "a connection; nothing");
}

TEST(CheckText, every_outcome_has_its_name) {
  EXPECT_EQ(outcome_name(health::Outcome::Success), "success");
  EXPECT_EQ(outcome_name(health::Outcome::Failure), "failure");
  EXPECT_EQ(outcome_name(health::Outcome::Timeout), "timeout");
  EXPECT_EQ(outcome_name(health::Outcome::Refused), "refused");
  EXPECT_EQ(outcome_name(health::Outcome::Unknown), "unknown");
  EXPECT_EQ(outcome_name(health::Outcome::Warning), "warning");
}

TEST(CheckText, latencies_are_short) {
  EXPECT_EQ(latency_text(420us), "0.4ms");
  EXPECT_EQ(latency_text(12ms + 300us), "12ms");
  EXPECT_EQ(latency_text(2s), "2.0s");
}

TEST(Completion, knows_commands_options_values_and_names) {
  const auto names = [] { return std::vector<std::string>{"shop/web", "shop/db"}; };
  const auto of = [&](std::vector<std::string> words) { return completions(words, names); };
  EXPECT_THAT(of({"dr"}), ElementsAre("drain"));
  EXPECT_THAT(of({"drain", "--s"}), ElementsAre("--service", "--socket"));
  EXPECT_THAT(of({"drain", "--service", ""}), ElementsAre("shop/db", "shop/web"));
  EXPECT_THAT(of({"push", "shop/w"}), ElementsAre("shop/web"));
  EXPECT_THAT(of({"push", "shop/web", "u"}), ElementsAre("up"));
  EXPECT_THAT(of({"--config", "x.yaml", "check", "shop/d"}), ElementsAre("shop/db"));
  EXPECT_THAT(of({"register", "-f", ""}), ElementsAre(":files"));
  EXPECT_THAT(of({"list", "-o", "j"}), ElementsAre("json"));
  EXPECT_THAT(of({"drain", "--reason", "k"}), ElementsAre());
  EXPECT_THAT(of({"unknown", ""}), ElementsAre());
  EXPECT_THAT(of({"push", "shop/web", "up", ""}), ElementsAre());
  EXPECT_THAT(of({}), ElementsAre());
}

TEST(Completion, asks_the_agent_only_for_names) {
  const auto never = []() -> std::vector<std::string> {
    ADD_FAILURE() << "asked";
    return {};
  };
  completions({"dr"}, never);
  completions({"drain", "--"}, never);
  completions({"push", "--detail", ""}, never);
}

}  // namespace
}  // namespace meshdns::agent::app
