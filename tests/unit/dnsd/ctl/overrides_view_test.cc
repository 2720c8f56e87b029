#include "dnsd/ctl/views.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dnsd/ctl/override_object.h"

namespace meshdns::ctl {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kNow = 1795806000;

v1::ListReply overrides(const std::string& reason) {
  v1::ListReply reply;
  *reply.add_objects() =
      override_object({model::Action::Drain, model::OverrideTarget{model::TargetKind::Node, "eu1-n1"}, reason,
                       "alice@ops-1", kNow + 3120});
  *reply.add_objects() = override_object({model::Action::Freeze, {}, "incident", "", 0});
  for (auto& object : *reply.mutable_objects()) object.mutable_metadata()->set_created(kNow - 300);
  reply.mutable_objects(1)->mutable_metadata()->set_manager("local");
  return reply;
}

TEST(OverridesView, has_a_line_for_each) {
  EXPECT_EQ(list_view({"Override"}, overrides("new kernel"), kNow),
            "NAME               ACTION  TARGET       AUTHOR       EXPIRES IN  CREATED  REASON\n"
            "drain-node-eu1-n1  Drain   node=eu1-n1  alice@ops-1  52m         5m ago   new kernel\n"
            "freeze (local)     Freeze  all          -            never       5m ago   incident\n");
  EXPECT_EQ(list_view({"Override"}, {}, kNow), "no overrides\n");
}

TEST(OverridesView, a_long_reason_is_whole) {
  const std::string reason(300, 'x');
  EXPECT_THAT(list_view({"Override"}, overrides(reason), kNow), HasSubstr("5m ago   " + reason + "\n"));
}

TEST(StatusView, a_freeze_is_told_with_what_waits) {
  v1::StatusReply reply;
  v1::FreezeInfo& freeze = *reply.mutable_freeze();
  freeze.set_since(kNow);
  freeze.set_author("alice");
  freeze.set_reason("incident 42");
  freeze.set_held(17);
  EXPECT_THAT(status_view(reply), HasSubstr("since 2026-11-27T19:00:00Z by alice: incident 42, 17 changes held\n"));
  freeze.clear_held();
  freeze.set_expires(kNow + 60);
  EXPECT_THAT(status_view(reply), HasSubstr("by alice: incident 42, until 2026-11-27T19:01:00Z\n"));
}

}  // namespace
}  // namespace meshdns::ctl
