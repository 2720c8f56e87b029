#include "dnsd/kubernetes/export_survey.h"

#include <gtest/gtest.h>

namespace meshdns::kubernetes {
namespace {

const ObjectName kWeb{"shop", "web"};

class ExportSurveyTest : public testing::Test {
 protected:
  /// An endpoint on a node of a cluster, in a membership.
  void add(const std::string& cluster, const std::string& name, model::Ports ports, bool exported = true) {
    model::Endpoint endpoint;
    endpoint.key = cluster + "/n1/" + name;
    endpoint.node = cluster + "/n1";
    endpoint.namespace_ = "shop";
    endpoint.memberships = {{.service = "web", .ports = std::move(ports), .exported = exported}};
    records_.endpoints[endpoint.key] = endpoint;
  }
  /// Runs a whole round.
  /// most: endpoints at a step
  /// returns: the number of steps
  int round(std::size_t most = 1000) {
    survey_.begin({kWeb});
    int steps = 1;
    while (!survey_.step(records_, most)) ++steps;
    return steps;
  }
  std::string conflict() {
    round();
    return survey_.conflict(kWeb);
  }

  model::Records records_;
  ExportSurvey survey_;
};

const model::Port kHttp{.name = "http", .number = 8080};
const model::Port kGrpc{.name = "grpc", .number = 9090, .app_protocol = "grpc"};

TEST_F(ExportSurveyTest, one_cluster_agrees_with_itself) {
  EXPECT_EQ(conflict(), "");
  add("eu-1", "a", {kHttp});
  add("eu-1", "b", {kHttp, kGrpc});  // a rolling update
  EXPECT_EQ(conflict(), "");
  EXPECT_TRUE(survey_.covers(kWeb));
  EXPECT_FALSE(survey_.covers({"shop", "other"}));
}

TEST_F(ExportSurveyTest, numbers_may_differ_and_names_may_not) {
  add("eu-1", "a", {kHttp});
  add("us-1", "a", {{.name = "http", .number = 80}});
  EXPECT_EQ(conflict(), "");
  add("us-1", "a", {{.name = "web", .number = 8080}});
  EXPECT_EQ(conflict(), "the ports differ: eu-1 has http/TCP; us-1 has web/TCP");
  add("us-1", "a", {{.name = "http", .number = 8080, .protocol = "UDP"}});
  EXPECT_EQ(conflict(), "the ports differ: eu-1 has http/TCP; us-1 has http/UDP");
  add("us-1", "a", {{.name = "http", .number = 8080, .app_protocol = "h2c"}});
  EXPECT_EQ(conflict(), "the ports differ: eu-1 has http/TCP; us-1 has http/TCP (h2c)");
  add("us-1", "a", {{.name = "", .number = 8080}});
  EXPECT_EQ(conflict(), "the ports differ: eu-1 has http/TCP; us-1 has unnamed/TCP");
  add("us-1", "a", {kHttp});
  EXPECT_EQ(conflict(), "");
}

TEST_F(ExportSurveyTest, only_what_is_exported_counts) {
  add("eu-1", "a", {kHttp});
  add("us-1", "a", {kGrpc}, false);
  EXPECT_EQ(conflict(), "");
  // what an agent lists under the service's own name is always exported
  model::Endpoint own = records_.endpoints.at("us-1/n1/a");
  own.service = "web";
  own.memberships.clear();
  own.ports = {kGrpc};
  records_.endpoints[own.key] = own;
  EXPECT_EQ(conflict(), "the ports differ: eu-1 has http/TCP; us-1 has grpc/TCP (grpc)");
}

TEST_F(ExportSurveyTest, a_round_takes_some_endpoints_at_each_step) {
  for (int i = 0; i < 10; ++i) add("eu-1", "a" + std::to_string(i), {kHttp});
  add("us-1", "z", {kGrpc});
  EXPECT_EQ(round(1), 11);
  EXPECT_NE(survey_.conflict(kWeb), "");
  EXPECT_EQ(round(4), 3);
  // the conflicts of the last round hold until the end of the next one
  records_.endpoints.erase("us-1/n1/z");
  survey_.begin({kWeb});
  EXPECT_FALSE(survey_.step(records_, 4));
  EXPECT_NE(survey_.conflict(kWeb), "");
  EXPECT_TRUE(survey_.step(records_, 100));
  EXPECT_EQ(survey_.conflict(kWeb), "");
}

TEST_F(ExportSurveyTest, a_text_stays_short) {
  model::Ports many;
  for (int i = 0; i < 60; ++i) many.push_back({.name = "port-" + std::to_string(i), .number = 1});
  for (int i = 0; i < 40; ++i) add("c-" + std::to_string(i), "a", i == 0 ? model::Ports{kHttp} : many);
  const std::string text = conflict();
  EXPECT_LT(text.size(), 2000U);
  EXPECT_TRUE(text.ends_with("; ...")) << text;
}

}  // namespace
}  // namespace meshdns::kubernetes
