// F4: the other end is a version ahead. Fields, kinds and values that this one does not know are kept or ignored, never
// fatal.
#include "common/model/sources.h"
#include "tests/unit/dnsd/federation/federation_fixture.h"
#include "tests/unit/dnsd/federation/watch_fixture.h"

namespace meshdns::federation {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr int kLater = 1900;  // a field's number

/// Adds fields of a later version to a message and to all in it.
void add_later_fields(google::protobuf::Message& message) {
  const auto& reflection = *message.GetReflection();
  auto& unknown = *reflection.MutableUnknownFields(&message);
  unknown.AddVarint(kLater, 7);
  unknown.AddLengthDelimited(kLater + 1, "later");
  std::vector<const google::protobuf::FieldDescriptor*> fields;
  reflection.ListFields(message, &fields);
  for (const auto* field : fields) {
    if (field->cpp_type() != google::protobuf::FieldDescriptor::CPPTYPE_MESSAGE || field->is_map()) continue;
    if (!field->is_repeated()) {
      add_later_fields(*reflection.MutableMessage(&message, field));
      continue;
    }
    for (int i = 0; i < reflection.FieldSize(message, field); ++i) {
      add_later_fields(*reflection.MutableRepeatedMessage(&message, field, i));
    }
  }
}

/// As it comes from the wire.
template <class Message>
Message of_later_version(Message message) {
  add_later_fields(message);
  Message out;
  EXPECT_TRUE(out.ParseFromString(message.SerializeAsString()));
  return out;
}

// ---- an agent that is newer ----

class NewerAgent : public FederationTest {
 protected:
  static std::string later_record(const Sample& sample, const std::function<void(v1::Endpoint&)>& change = {}) {
    v1::Endpoint record;
    EXPECT_TRUE(record.ParseFromString(encoded(sample)));
    if (change) change(record);
    return of_later_version(record).SerializeAsString();
  }
};

TEST_F(NewerAgent, F4_its_fields_are_ignored_and_its_records_taken) {
  FakeAgent& agent = connect();
  v1::AgentMessage hello;
  hello.mutable_hello()->set_protocol(1);
  hello.mutable_hello()->mutable_node()->set_name("n1");
  hello.mutable_hello()->mutable_node()->mutable_locality()->set_cluster("eu-1");
  hello.mutable_hello()->add_features("a feature of later");
  agent.say(of_later_version(hello));
  ASSERT_TRUE(agent.heard().has_welcome());
  const std::uint64_t epoch = agent.heard().welcome().epoch();
  v1::AgentMessage message;
  message.set_epoch(epoch);
  message.set_sequence(1);
  message.mutable_full()->set_last(true);
  message.mutable_full()->add_endpoints(later_record({.key = "a"}));
  message.mutable_full()->add_endpoints(later_record({.key = "b"}));
  agent.say(of_later_version(message));
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b"));
  EXPECT_EQ(agent.heard().ack().nacks_size(), 0);
  // the digest is over its bytes, with all that is not known here
  agent.port().take();
  v1::AgentMessage heartbeat;
  heartbeat.set_epoch(epoch);
  heartbeat.set_sequence(2);
  heartbeat.mutable_heartbeat()->set_digest(convert::record_hash("a", later_record({.key = "a"})) +
                                            convert::record_hash("b", later_record({.key = "b"})));
  agent.say(of_later_version(heartbeat));
  EXPECT_THAT(agent.port().take(), IsEmpty());
  EXPECT_FALSE(agent.port().closed);
}

TEST_F(NewerAgent, F4_a_kind_of_message_that_is_not_known_renews_the_lease) {
  FakeAgent& agent = connected({{.key = "a"}});
  agent.port().take();
  for (int i = 0; i < 100; ++i) {
    advance(1s);
    agent.say(of_later_version(agent.message()));
  }
  EXPECT_EQ(status(), model::NodeStatus{});
  EXPECT_THAT(agent.port().take(), IsEmpty());
}

TEST_F(NewerAgent, F4_a_value_that_is_not_known_costs_at_most_its_record) {
  FakeAgent& agent = connected({{.key = "a"}, {.key = "b"}});
  const auto cause = [](v1::Endpoint& record) {
    record.mutable_health()->set_cause(static_cast<v1::Health::Cause>(99));
  };
  const auto state = [](v1::Endpoint& record) {
    record.mutable_health()->set_state(static_cast<v1::Health::State>(99));
  };
  agent.delta({later_record({.key = "a", .weight = 5}, cause), later_record({.key = "b", .weight = 5}, state),
               later_record({.key = "c"})});
  EXPECT_THAT(keys(), ElementsAre("eu-1/n1/a", "eu-1/n1/b", "eu-1/n1/c"));
  EXPECT_EQ(record("eu-1/n1/a").weight, 5U);
  EXPECT_EQ(record("eu-1/n1/b").weight, 1U) << "the last good version stays";
  ASSERT_EQ(agent.heard().ack().nacks_size(), 1);
  EXPECT_TRUE(agent.heard().ack().nacks(0).kept_previous());
  EXPECT_FALSE(agent.port().closed);
}

// ---- an agent that is older ----

class OlderAgent : public FederationTest {
 protected:
  OlderAgent() { watch("u1"), watch("u2"), watch("u3"); }
  /// A pod of n1 as the watcher of its cluster knows it.
  void watch(const std::string& uid) {
    StandIns::Known known;
    known.endpoint.key = key(uid);
    known.endpoint.uid = uid;
    known.endpoint.node = "eu-1/n1";
    known.endpoint.source = model::kSliceSource;
    known.endpoint.namespace_ = "shop";
    known.endpoint.service = "web";
    known.endpoint.addresses = {IpAddress::parse("10.0.0.1").value()};
    known.endpoint.health.state = model::HealthState::Serving;
    known.node = {.key = "eu-1/n1", .locality = {.cluster = "eu-1", .node = "n1"}};
    agents_.stand_ins().apply("eu-1", {{key(uid), known}}, false, clock_.now());
  }
  FakeAgent& agent_with(const std::vector<std::string>& uids, bool names_all_pods) {
    FakeAgent& agent = connect();
    agent.hello({.names_all_pods = names_all_pods});
    std::vector<std::string> records;
    for (const std::string& uid : uids) records.push_back(pod(uid));
    agent.full(records, {0, true, {std::string(model::kPodSource)}});
    return agent;
  }
  static std::string key(const std::string& uid) { return "eu-1/n1/pod/" + uid; }
  static std::string pod(const std::string& uid) {
    return encoded({.key = "pod/" + uid, .source = std::string(model::kPodSource), .uid = uid});
  }
  std::string source(const std::string& uid) const {
    const auto found = catalog_.records().endpoints.find(key(uid));
    return found == catalog_.records().endpoints.end() ? "none" : std::string(found->second.source);
  }
};

TEST_F(OlderAgent, pods_that_it_does_not_name_stay_with_the_watcher) {
  FakeAgent& agent = agent_with({"u1"}, false);
  EXPECT_EQ(source("u1"), model::kPodSource);
  EXPECT_EQ(source("u2"), model::kSliceSource);
  agent.delta({pod("u2")});
  EXPECT_EQ(source("u2"), model::kPodSource);
  watch("u4");
  EXPECT_EQ(source("u4"), model::kSliceSource);
  agent.delta({}, {"pod/u1"});
  EXPECT_EQ(source("u1"), model::kSliceSource);
  EXPECT_EQ(source("u3"), model::kSliceSource);
  EXPECT_FALSE(agents_.stand_ins().owned_by_agent("eu-1/n1"));
}

TEST_F(OlderAgent, after_an_upgrade_its_list_is_complete) {
  agent_with({"u1"}, false);
  agent_with({"u1", "u2"}, true);
  EXPECT_EQ(source("u2"), model::kPodSource);
  EXPECT_EQ(source("u3"), "none");
}

TEST_F(OlderAgent, an_upgraded_agent_is_asked_for_a_full) {
  FakeAgent& agent = agent_with({"u1"}, false);
  agent.end();
  const std::uint64_t digest = convert::record_hash("pod/u1", pod("u1"));
  FakeAgent& again = connect();
  again.hello({.names_all_pods = true}, digest);
  ASSERT_TRUE(again.heard().has_welcome());
  EXPECT_TRUE(again.heard().welcome().want_full());
}

// ---- a federation that is newer ----

class NewerFederation : public testing::Test {
 protected:
  NewerFederation() {
    port_ = std::make_shared<test::FakePort<v1::WatchRequest>>();
    subscriber_.follower.opened(port_);
  }
  void hear(const v1::WatchReply& reply) { subscriber_.follower.received(of_later_version(reply)); }
  void hear_all(const std::vector<EncodedReply>& replies) {
    for (const EncodedReply& reply : replies) hear(decoded(reply));
  }

  SimClock clock_;
  Federation federation_{clock_};
  Subscriber subscriber_{clock_};
  std::shared_ptr<test::FakePort<v1::WatchRequest>> port_;
};

TEST_F(NewerFederation, F4_its_fields_change_nothing) {
  federation_.report(30);
  federation_.put_destination("web", 80);
  federation_.feed().update();
  hear_all(parts_of(federation_.feed().snapshot(clock_.now()), clock_.now()));
  expect_follows(federation_, subscriber_);
  federation_.report(31);
  federation_.withdraw({"eu-1/n1/3"});
  federation_.feed().update();
  hear_all(parts_of(federation_.feed().delta(subscriber_.mirror.revision(), clock_.now()), clock_.now()));
  expect_follows(federation_, subscriber_);
  EXPECT_FALSE(port_->closed);
}

TEST_F(NewerFederation, F4_kinds_that_are_not_known_are_passed_over) {
  federation_.report(3);
  federation_.feed().update();
  v1::WatchReply reply = reply_of(federation_.feed().snapshot(clock_.now()), clock_.now());
  v1::Record& record = *reply.mutable_batch()->add_records();
  record.set_type("Gateway");
  record.set_key("eu-1/g1");
  record.set_body("something");
  hear(reply);
  hear(v1::WatchReply{});
  v1::WatchReply removal;
  *removal.mutable_batch() = reply.batch();
  removal.mutable_batch()->clear_records();
  removal.mutable_batch()->set_kind(v1::Batch::DELTA);
  removal.mutable_batch()->set_from(1);
  removal.mutable_batch()->set_to(2);
  removal.mutable_batch()->add_removals()->set_type("Gateway");
  hear(removal);
  EXPECT_THAT(subscriber_.keys(), SizeIs(3));
  EXPECT_EQ(subscriber_.mirror.revision(), 2U);
  EXPECT_EQ(port_->sent.back().ack().nacks_size(), 0);
  EXPECT_FALSE(port_->closed);
}

// A replica hands on, and hashes, what it does not understand.
TEST_F(NewerFederation, F4_what_a_record_says_beyond_is_kept) {
  federation_.report(1);
  federation_.feed().update();
  v1::WatchReply reply = reply_of(federation_.feed().snapshot(clock_.now()), clock_.now());
  for (v1::Record& record : *reply.mutable_batch()->mutable_records()) {
    if (record.type() != "Endpoint") continue;
    v1::Endpoint endpoint;
    ASSERT_TRUE(endpoint.ParseFromString(record.body()));
    record.set_body(of_later_version(endpoint).SerializeAsString());
  }
  hear(reply);
  EXPECT_THAT(subscriber_.keys(), ElementsAre("eu-1/n1/0"));
  std::vector<std::string> bodies;
  const v1::Batch kept = kept_of(subscriber_.mirror, clock_.now());
  for (const v1::Record& record : kept.records()) {
    if (record.type() == "Endpoint") bodies.push_back(record.body());
  }
  ASSERT_THAT(bodies, SizeIs(1));
  EXPECT_THAT(bodies[0], testing::HasSubstr("later"));
}

// ---- a replica that is newer ----

TEST_F(NewerFederation, F4_a_newer_replica_is_served_like_any) {
  federation_.report(3);
  auto port = std::make_shared<test::FakePort<EncodedReply>>();
  const auto session = federation_.watchers().open(port, "", identity::Caller::everybody());
  v1::WatchRequest request;
  request.mutable_subscribe()->set_mode(static_cast<v1::Subscribe::Mode>(99));
  request.mutable_subscribe()->add_features("a feature of later");
  session->received(of_later_version(request));
  ASSERT_THAT(port->sent, SizeIs(1));
  EXPECT_EQ(batch_of(port->sent[0]).kind(), v1::Batch::SNAPSHOT);
  session->received(of_later_version(v1::WatchRequest{}));
  EXPECT_FALSE(port->closed);
}

}  // namespace
}  // namespace meshdns::federation
