#include "dnsd/ctl/override_object.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "common/convert/object_convert.h"
#include "common/model/host_name.h"

namespace meshdns::ctl {
namespace {

using model::Action;
using model::TargetKind;
using testing::HasSubstr;
using testing::StartsWith;

std::string name_of(Action action, TargetKind kind, const std::string& name) {
  return override_name(action, model::OverrideTarget{kind, name});
}

TEST(OverrideName, tells_what_it_is_for) {
  EXPECT_EQ(name_of(Action::Drain, TargetKind::Node, "eu1-n1"), "drain-node-eu1-n1");
  EXPECT_EQ(name_of(Action::Drain, TargetKind::Node, "eu-1/eu1-n1"), "drain-node-eu-1.eu1-n1");
  EXPECT_EQ(name_of(Action::Drain, TargetKind::Zone, "eu/eu-a"), "drain-zone-eu.eu-a");
  EXPECT_EQ(name_of(Action::Down, TargetKind::Service, "shop/web"), "force-service-shop.web");
  EXPECT_EQ(name_of(Action::Down, TargetKind::Endpoint, "10.0.0.11:8080"), "force-endpoint-10.0.0.11-8080");
  EXPECT_EQ(override_name(Action::Freeze, {}), "freeze");
}

// force up after force down has to replace it, or the down would go on winning
TEST(OverrideName, is_the_same_for_up_and_down) {
  EXPECT_EQ(name_of(Action::Up, TargetKind::Node, "n1"), name_of(Action::Down, TargetKind::Node, "n1"));
}

TEST(OverrideName, is_a_dns_name_of_its_own_whatever_the_target_is_called) {
  std::set<std::string> names;
  const std::vector<std::string> targets = {"n_1",
                                            "n-1",
                                            "N-1",
                                            "fd00::1",
                                            "[fd00::1]:80",
                                            "fd00::",
                                            "ein knoten",
                                            "a/../b",
                                            ".",
                                            std::string(63, 'a'),
                                            std::string(300, 'a'),
                                            std::string(300, 'b'),
                                            "\xc3\xa4"};
  for (const std::string& target : targets) {
    const std::string name = name_of(Action::Drain, TargetKind::Node, target);
    EXPECT_TRUE(model::is_host_name(name)) << target << ": " << name;
    EXPECT_TRUE(names.insert(name).second) << target << ": " << name;
  }
}

TEST(TargetOf, says_how_it_is_written) {
  const auto said = [](const std::vector<std::string>& words) {
    const auto target = target_of(words);
    return target ? target_text(*target) : "error: " + target.error().message();
  };
  EXPECT_EQ(said({"node=eu1-n1"}), "node=eu1-n1");
  EXPECT_EQ(said({"service=shop/web"}), "service=shop/web");
  EXPECT_EQ(said({"node", "eu1-n1"}), "error: a target is written with =: node=eu1-n1");
  EXPECT_EQ(said({"zone/eu-a"}), "error: a target is written with =: zone=eu-a");
  EXPECT_THAT(said({"eu1-n1"}), StartsWith("error: expected endpoint=, node=, service=, zone= or cluster="));
  EXPECT_THAT(said({"node="}), StartsWith("error: expected"));
  EXPECT_THAT(said({"service=web"}), HasSubstr("service=NAMESPACE/NAME"));
  EXPECT_THAT(said({"node=a", "node=b"}), HasSubstr("one target"));
  EXPECT_THAT(said({}), HasSubstr("say for what"));
}

TEST(OverrideObject, is_what_the_federation_takes) {
  for (const TargetKind kind :
       {TargetKind::Endpoint, TargetKind::Node, TargetKind::Service, TargetKind::Zone, TargetKind::Cluster}) {
    OverrideWish wish{Action::Up, model::OverrideTarget{kind, "a/b"}, "why", "alice@host", 1795806000};
    const auto made = convert::to_override(override_object(wish));
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_EQ(made->target, *wish.target);
    EXPECT_EQ(made->action, Action::Up);
    EXPECT_EQ(made->reason, "why");
    EXPECT_EQ(made->author, "alice@host");
    EXPECT_EQ(made->expires, 1795806000);
    EXPECT_EQ(target_text_of(override_object(wish)), target_text(*wish.target));
  }
  const auto freeze = convert::to_override(override_object({Action::Freeze, {}, "why", "", 0}));
  ASSERT_TRUE(freeze) << freeze.error().message();
  EXPECT_EQ(freeze->action, Action::Freeze);
}

}  // namespace
}  // namespace meshdns::ctl
