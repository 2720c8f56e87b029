#include "dnsd/persistence/objects.h"
#include "common/model/kubernetes_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace meshdns::persistence {
namespace {

using testing::HasSubstr;

class ObjectsTest : public testing::Test {
 protected:
  static v1::Object cluster(const std::string& name) {
    v1::Object out;
    out.set_api_version("meshdns.io/v1alpha1");
    out.set_kind("Cluster");
    out.mutable_metadata()->set_name(name);
    out.mutable_cluster();
    return out;
  }

  v1::ApplyResult apply(const v1::Object& object) {
    v1::ApplyRequest request;
    request.set_manager("cli");
    *request.add_objects() = object;
    Objects::Change change;
    const v1::ApplyReply reply = objects_.check(request, 1000, change);
    objects_.commit(change, TimePoint{1h});
    return reply.results(0);
  }

  catalog::Catalog catalog_;
  Objects objects_{catalog_, "eu-1/test"};
};

TEST_F(ObjectsTest, a_name_in_other_letters_is_no_other_object) {
  EXPECT_EQ(apply(cluster("EU-1")).outcome(), v1::ApplyResult::CREATED);
  const v1::ApplyResult refused = apply(cluster("eu-1"));
  EXPECT_EQ(refused.outcome(), v1::ApplyResult::REFUSED);
  EXPECT_THAT(refused.error(), HasSubstr("it exists as Cluster/EU-1: names that differ only in the case of letters"));
  EXPECT_EQ(apply(cluster("EU-1")).outcome(), v1::ApplyResult::UNCHANGED);
  EXPECT_EQ(apply(cluster("eu-10")).outcome(), v1::ApplyResult::CREATED);
  objects_.mirror("Cluster/EU-1", nullptr);
  EXPECT_EQ(apply(cluster("eu-1")).outcome(), v1::ApplyResult::CREATED);
}

TEST_F(ObjectsTest, labels_and_annotations_are_kept) {
  v1::Object object = cluster("eu-1");
  (*object.mutable_metadata()->mutable_labels())["app.kubernetes.io/managed-by"] = "Helm";
  EXPECT_EQ(apply(object).outcome(), v1::ApplyResult::CREATED);
  EXPECT_EQ(apply(object).outcome(), v1::ApplyResult::UNCHANGED);
  (*object.mutable_metadata()->mutable_annotations())["note"] = "x";
  EXPECT_EQ(apply(object).outcome(), v1::ApplyResult::CONFIGURED);
  const v1::Object& kept = *objects_.find(catalog::RecordType::Cluster, "eu-1");
  EXPECT_EQ(kept.metadata().labels().at("app.kubernetes.io/managed-by"), "Helm");
  EXPECT_EQ(kept.metadata().annotations().at("note"), "x");
}

TEST_F(ObjectsTest, adopted_objects_keep_the_time_of_the_api_and_replace_others) {
  v1::Object object = cluster("eu-1");
  EXPECT_EQ(apply(object).outcome(), v1::ApplyResult::CREATED);  // by meshdnsctl
  object.mutable_metadata()->set_created(1234);
  Objects::Change change;
  ASSERT_TRUE(objects_.check_adopted(object, 5000, change));
  ASSERT_EQ(change.put.size(), 1U);  // another manager, and another time
  objects_.commit(change, TimePoint{});
  EXPECT_EQ(objects_.all().at("Cluster/eu-1").metadata().manager(), model::kKubernetesManager);
  EXPECT_EQ(objects_.all().at("Cluster/eu-1").metadata().created(), 1234);
  Objects::Change none;
  ASSERT_TRUE(objects_.check_adopted(object, 5000, none));
  EXPECT_TRUE(none.empty());
  EXPECT_EQ(apply(object).outcome(), v1::ApplyResult::REFUSED);
}

TEST_F(ObjectsTest, an_adopted_override_ends_when_its_new_version_is_over) {
  v1::Object object;
  object.set_api_version("meshdns.io/v1alpha1");
  object.set_kind("Override");
  object.mutable_metadata()->set_name("freeze");
  object.mutable_override()->set_action("Freeze");
  object.mutable_override()->set_reason("incident");
  Objects::Change change;
  ASSERT_TRUE(objects_.check_adopted(object, 5000, change));
  objects_.commit(change, TimePoint{});
  object.mutable_override()->set_expires("1970-01-01T00:10:00Z");
  Objects::Change end;
  EXPECT_FALSE(objects_.check_adopted(object, 5000, end));
  EXPECT_EQ(end.erase, std::vector<std::string>{"Override/freeze"});
}

}  // namespace
}  // namespace meshdns::persistence
