// When the status of an object is written, and what is written.
#include "dnsd/resources/status_queue.h"

#include "tests/unit/dnsd/resources/resources_bed.h"

namespace meshdns::resources::test {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr std::int64_t kUnix = 1'795'971'600;  // 2026-11-29T17:00:00Z

Condition condition(const std::string& type, const std::string& status, const std::string& message) {
  return {type, status, status == "True" ? "Good" : "Bad", message, "", 0};
}

class StatusQueueTest : public testing::Test {
 protected:
  Resource resource(const std::string& name, std::int64_t generation = 1) {
    Resource out;
    out.key = "VirtualDestination/shop/" + name;
    out.path = "/x/" + name;
    out.uid = "u-" + name;
    out.generation = generation;
    return out;
  }
  void want(const std::string& name, const std::string& status, const std::string& message,
            std::int64_t generation = 1) {
    queue_.want("VirtualDestination/shop/" + name, {{condition("Accepted", status, message)}, {}, {}}, generation,
                now_);
  }
  std::string next() {
    const auto patch = queue_.next(now_, kUnix + now_.time_since_epoch() / 1s);
    return patch ? patch->path + " " + patch->body : "";
  }

  StatusQueue::Limits limits_;
  StatusQueue queue_{limits_};
  TimePoint now_{};
};

TEST_F(StatusQueueTest, writes_what_differs_and_only_once) {
  queue_.has(resource("a"), now_);
  EXPECT_EQ(next(), "");  // nobody knows the status yet
  want("a", "True", "m");
  EXPECT_EQ(next(),
            "/x/a/status {\"status\":{\"conditions\":[{\"type\":\"Accepted\",\"status\":\"True\",\"reason\":\"Good\","
            "\"message\":\"m\",\"lastTransitionTime\":\"2026-11-29T17:00:00Z\",\"observedGeneration\":1}]}}");
  EXPECT_EQ(next(), "");  // it is under way
  queue_.done(true, now_);
  now_ += 1h;
  want("a", "True", "m");
  EXPECT_EQ(next(), "");
  EXPECT_EQ(queue_.due(), std::nullopt);
}

// The event that our own patch causes must not lead to another patch.
TEST_F(StatusQueueTest, its_own_event_is_no_difference) {
  auto one = resource("a");
  queue_.has(one, now_);
  want("a", "True", "m");
  ASSERT_NE(next(), "");
  one.status.conditions = {{"Accepted", "True", "Good", "m", "2026-11-29T17:00:00Z", 1}};
  queue_.has(one, now_);
  queue_.done(true, now_);
  now_ += 1h;
  EXPECT_EQ(next(), "");
}

TEST_F(StatusQueueTest, a_state_is_written_at_once_and_texts_are_not) {
  queue_.has(resource("a"), now_);
  want("a", "True", "1 of 2 endpoints");
  ASSERT_NE(next(), "");
  queue_.done(true, now_);
  now_ += 1s;
  want("a", "True", "2 of 2 endpoints");
  EXPECT_EQ(next(), "");
  EXPECT_EQ(queue_.due(), now_ - 1s + limits_.calm);
  want("a", "False", "nothing serves");
  EXPECT_THAT(next(), HasSubstr("\"lastTransitionTime\":\"2026-11-29T17:00:01Z\""));
  queue_.done(true, now_);
  now_ += limits_.calm;
  want("a", "False", "still nothing");
  EXPECT_THAT(next(), HasSubstr("\"message\":\"still nothing\",\"lastTransitionTime\":\"2026-11-29T17:00:01Z\""));
}

TEST_F(StatusQueueTest, a_new_generation_is_written_at_once) {
  queue_.has(resource("a"), now_);
  want("a", "True", "m");
  ASSERT_NE(next(), "");
  queue_.done(true, now_);
  now_ += 1s;
  want("a", "True", "m", 2);
  EXPECT_THAT(next(), HasSubstr("\"lastTransitionTime\":\"2026-11-29T17:00:00Z\",\"observedGeneration\":2"));
}

TEST_F(StatusQueueTest, keeps_conditions_of_others_and_removes_its_own_old_ones) {
  auto one = resource("a");
  one.status.conditions = {{"Synced", "True", "ArgoCD", "s", "2026-01-01T00:00:00Z", 0},
                           {"NamesResolved", "True", "AllResolved", "", "2026-01-01T00:00:00Z", 1}};
  queue_.has(one, now_);
  want("a", "True", "m");
  const std::string patch = next();
  EXPECT_THAT(patch, HasSubstr("\"Synced\""));
  EXPECT_THAT(patch, Not(HasSubstr("NamesResolved")));
}

TEST_F(StatusQueueTest, removes_distances_that_are_not_measured_any_more) {
  auto one = resource("eu-1");
  one.status.distances = {{"us-1", "80ms"}, {"eu-2", "12ms"}};
  one.status.gateways_down = {"10.0.0.1"};
  queue_.has(one, now_);
  queue_.want(one.key, {{condition("Accepted", "True", "m")}, {{"eu-2", "13ms"}}, {}}, 1, now_);
  EXPECT_THAT(next(), HasSubstr(R"("distances":{"eu-2":"13ms","us-1":null},"gatewaysDown":[])"));
}

TEST_F(StatusQueueTest, one_at_a_time_and_not_too_many) {
  for (const char* name : {"a", "b", "c"}) {
    queue_.has(resource(name), now_);
    want(name, "True", "m");
  }
  EXPECT_THAT(next(), HasSubstr("/x/a"));
  now_ += 1s;
  EXPECT_EQ(next(), "");  // the one before is under way
  queue_.done(true, now_);
  EXPECT_THAT(next(), HasSubstr("/x/b"));
  queue_.done(true, now_);
  EXPECT_EQ(next(), "");
  EXPECT_EQ(queue_.due(), now_ + limits_.spacing);
  now_ += limits_.spacing;
  EXPECT_THAT(next(), HasSubstr("/x/c"));
}

TEST_F(StatusQueueTest, tries_again_later_and_later) {
  queue_.has(resource("a"), now_);
  want("a", "True", "m");
  for (const Duration pause : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
    ASSERT_NE(next(), "");
    queue_.done(false, now_);
    want("a", "True", "m");  // a round that says the same does not hurry
    EXPECT_EQ(queue_.due(), now_ + pause);
    now_ += pause;
  }
}

TEST_F(StatusQueueTest, an_object_that_is_gone_or_another_is_not_written) {
  queue_.has(resource("a"), now_);
  want("a", "True", "m");
  ASSERT_NE(next(), "");
  queue_.forget("VirtualDestination/shop/a");
  queue_.done(false, now_);
  now_ += 1h;
  EXPECT_EQ(next(), "");
  auto again = resource("a");
  again.uid = "another";
  queue_.has(again, now_);
  EXPECT_EQ(next(), "");
  EXPECT_EQ(queue_.waiting(), 0U);
}

// Guards the conditions of ServiceExports, which several controllers write.
TEST_F(StatusQueueTest, takes_only_its_own_types_away) {
  StatusQueue exports(limits_, {"Valid", "Ready"});
  Resource export_ = resource("web");
  export_.status.conditions = {condition("Accepted", "True", "of another controller"), condition("Ready", "True", "")};
  exports.has(export_, now_);
  exports.want(export_.key, {{condition("Valid", "True", "m")}, {}, {}}, 1, now_);
  const auto patch = exports.next(now_, kUnix);
  ASSERT_TRUE(patch);
  EXPECT_THAT(patch->body, HasSubstr("of another controller"));
  EXPECT_THAT(patch->body, HasSubstr("\"type\":\"Valid\""));
  EXPECT_THAT(patch->body, Not(HasSubstr("Ready")));
}

}  // namespace
}  // namespace meshdns::resources::test
