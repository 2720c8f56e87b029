#include "common/convert/document.h"

#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>

#include <set>

#include "common/config/load.h"
#include "common/config/rules.h"
#include "meshdns/v1/admin.pb.h"
#include "meshdns/v1/agent_status.pb.h"

namespace meshdns::convert {
namespace {

using config::is_duration;
using config::load_objects;
using config::problems_text;
using config::rules_of;
using google::protobuf::util::MessageDifferencer;

constexpr auto kDestination = R"(apiVersion: meshdns.io/v1alpha1
kind: VirtualDestination
metadata:
  name: app-b
  namespace: shop
spec:
  hosts:
    - app-b.mesh.internal
  services:
    - namespace: shop
      clusters:
        - eu-1
      matchLabels:
        app: app-b
        version: "2"
        "y": "true"
  ports:
    - name: http
      number: 80
      protocol: TCP
      targetPort: 8080
      appProtocol: http
    - name: admin
      number: 81
      targetPort: admin
  externalEndpoints:
    - address: 192.0.2.1
      port: 443
      locality:
        region: us
      weight: 0
  policy:
    ladder:
      - cluster+zone
      - any
    onEmpty: NoData
    ttl: 1m30s
    slowStart: "off"
    maxAnswers: 4
)";

// JSON and YAML let pass what a terminal obeys; programs must read the same text as before.
TEST(Document, what_a_terminal_would_obey_is_escaped_and_read_back) {
  const std::string name =
      "a\x1b[2J\n\xe2\x81\xa6"
      "b\xc2\x9b\"\\";
  meshdns::v1::NodeInfo node;
  node.set_key(name);
  const std::string escaped = R"("a\u001b[2J\n\u2066b\u009b\"\\")";
  const Document document(node);
  EXPECT_NE(document.json().find(R"("key": )" + escaped), std::string::npos) << document.json();
  EXPECT_NE(document.json_line().find(R"("key": )" + escaped), std::string::npos);
  EXPECT_NE(document.yaml().find("key: " + escaped), std::string::npos) << document.yaml();
  meshdns::v1::NodeInfo read;
  ASSERT_TRUE(google::protobuf::util::JsonStringToMessage(document.json(), &read).ok());
  EXPECT_EQ(read.key(), name);
}

TEST(ObjectYaml, is_read_back_equal) {
  const auto objects = load_objects(kDestination, "x.yaml");
  ASSERT_TRUE(objects) << problems_text(objects.error());
  EXPECT_EQ(Document(objects->at(0)).yaml(), kDestination);
}

TEST(ObjectYaml, has_the_status_which_is_not_read_back) {
  auto object = load_objects(kDestination, "x.yaml").value().at(0);
  auto& condition = *object.mutable_status()->add_conditions();
  condition.set_type("Accepted");
  condition.set_status("True");
  const std::string text = Document(object).yaml();
  EXPECT_THAT(text, testing::HasSubstr("status:\n  conditions:\n    - type: Accepted\n      status: \"True\"\n"));
  object.clear_status();
  EXPECT_TRUE(MessageDifferencer::Equals(load_objects(text, "x.yaml").value().at(0), object));
}

TEST(ObjectJson, is_the_same_document) {
  meshdns::v1::Object object;
  object.set_api_version("meshdns.io/v1alpha1");
  object.set_kind("Cluster");
  object.mutable_metadata()->set_name("eu-1");
  object.mutable_metadata()->set_created(1700000000);
  object.mutable_cluster()->add_client_prefixes("10.0.0.0/8");
  (*object.mutable_cluster()->mutable_distances())["us-1"].set_nanos(80'000'000);
  EXPECT_EQ(Document(object).json(), R"({
  "apiVersion": "meshdns.io/v1alpha1",
  "kind": "MeshCluster",
  "metadata": {
    "name": "eu-1"
  },
  "spec": {
    "distances": {
      "us-1": "80ms"
    },
    "clientPrefixes": [
      "10.0.0.0/8"
    ]
  },
  "status": {
    "created": "2023-11-14T22:13:20Z"
  }
}
)");
  EXPECT_TRUE(MessageDifferencer::Equals(load_objects(Document(object).json(), "x.json").value().at(0), object));
}

TEST(ObjectYaml, keeps_empty_specs_and_odd_texts) {
  meshdns::v1::Object object;
  object.set_api_version("meshdns.io/v1alpha1");
  object.set_kind("Cluster");
  object.mutable_metadata()->set_name("eu-1");
  object.mutable_metadata()->set_manager("a \"b\"\\ # c: d\xc3\xa9");
  object.mutable_cluster();
  EXPECT_THAT(Document(object).yaml(), testing::HasSubstr("spec: {}\n"));
  EXPECT_TRUE(MessageDifferencer::Equals(load_objects(Document(object).yaml(), "x.yaml").value().at(0), object));
}

TEST(ObjectYaml, times_of_before_are_read) {
  const std::string text =
      "apiVersion: meshdns.io/v1alpha1\nkind: Cluster\nmetadata: {name: eu-1, created: 1700000000}\n";
  EXPECT_EQ(load_objects(text, "x.yaml").value().at(0).metadata().created(), 1'700'000'000);
  const auto wrong =
      load_objects("apiVersion: meshdns.io/v1alpha1\nkind: Cluster\nmetadata: {name: eu-1, created: today}\n", "x");
  ASSERT_FALSE(wrong);
  EXPECT_THAT(problems_text(wrong.error()),
              testing::HasSubstr("expected a time like 2026-11-27T18:00:00Z (got today)"));
}

TEST(Document, has_one_dialect_for_all_messages) {
  meshdns::v1::StatusReply status;
  status.set_revision(28);
  status.mutable_last_compile()->set_nanos(1'500'000);
  status.mutable_revision_age()->set_seconds(90);
  status.mutable_freeze()->set_since(1'700'000'000);
  status.mutable_freeze()->set_author("line\n\"two\"");
  const std::string text = Document(status).json();
  for (const char* part : {"\"revision\": 28,", "\"lastCompile\": \"0.0015s\"", "\"revisionAge\": \"90s\"",
                           "\"since\": \"2023-11-14T22:13:20Z\"", "\"author\": \"line\\n\\\"two\\\"\"",
                           "\"ready\": false", "\"zones\": []", "\"endpoints\": {}"}) {
    EXPECT_THAT(text, testing::HasSubstr(part));
  }
  for (const char* part : {"expires", "held", "uptime", "busy", "_"}) {  // not there, not set, or another dialect
    EXPECT_THAT(text, testing::Not(testing::HasSubstr(part)));
  }
}

TEST(Document, objects_inside_are_written_as_they_are_applied) {
  meshdns::v1::ListReply reply;
  reply.set_revision(3);
  auto& object = *reply.add_objects();
  object.set_api_version("meshdns.io/v1alpha1");
  object.set_kind("Cluster");
  object.mutable_metadata()->set_name("eu-1");
  object.mutable_cluster();
  Document document(reply);
  document.drop_empty_lists_but("nodes");
  EXPECT_EQ(
      document.json_line(),
      R"({"objects": [{"apiVersion": "meshdns.io/v1alpha1", "kind": "MeshCluster", "metadata": {"name": "eu-1"}, )"
      R"("spec": {}}], "nodes": [], "revision": 3, "continue": "", "firstRevision": 0, "frozen": ""})");
}

/// Every message that is written for programs: no bytes, and no time that is a mere number.
void check_fields(const google::protobuf::Descriptor& message, std::set<std::string>& seen) {
  if (!seen.insert(message.full_name()).second) return;
  for (int i = 0; i < message.field_count(); ++i) {
    const auto& field = *message.field(i);
    EXPECT_NE(field.type(), google::protobuf::FieldDescriptor::TYPE_BYTES) << field.full_name();
    const bool number = field.cpp_type() == google::protobuf::FieldDescriptor::CPPTYPE_INT64;
    EXPECT_TRUE(!number || rules_of(field).format() == config::v1::Rules::TIME) << field.full_name();
    if (field.message_type() != nullptr && !is_duration(field)) check_fields(*field.message_type(), seen);
  }
}

TEST(Document, no_time_is_a_mere_number) {
  std::set<std::string> seen;
  for (const auto* message : {meshdns::v1::ListReply::descriptor(), meshdns::v1::StatusReply::descriptor(),
                              meshdns::v1::SimulateReply::descriptor(), meshdns::v1::EventsReply::descriptor(),
                              meshdns::v1::LintReply::descriptor(), meshdns::v1::CaptureReply::descriptor(),
                              meshdns::v1::AgentStatus::descriptor()}) {
    check_fields(*message, seen);
  }
  EXPECT_GT(seen.size(), 30U);
}

}  // namespace
}  // namespace meshdns::convert
