// The objects' definitions for the Kubernetes API have the fields of the objects, with their types and bounds. A field
// that is new in types.proto fails here until crds.yaml has it.
#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/base/whole_file.h"
#include "common/config/rules.h"
#include "common/config/yaml_tree.h"
#include "meshdns/v1/types.pb.h"

namespace meshdns::config {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

/// Returns where crds.yaml is, below packaging/kubernetes.
std::string crds_path() {
  for (const auto& entry : std::filesystem::recursive_directory_iterator("packaging/kubernetes")) {
    if (entry.path().filename() == "crds.yaml") return entry.path().string();
  }
  return "";
}

const YamlNode* at(const YamlNode* node, const std::vector<std::string>& path) {
  for (const std::string& key : path) {
    if (node != nullptr) node = node->find(key);
  }
  return node;
}

std::string text(const YamlNode* node) { return node == nullptr ? "" : node->text; }

std::vector<std::string> texts(const YamlNode* list) {
  std::vector<std::string> out;
  if (list == nullptr) return out;
  for (const YamlNode* item : list->children) out.push_back(item->text);
  std::ranges::sort(out);
  return out;
}

class CrdsTest : public testing::Test {
 protected:
  void SetUp() override {
    auto tree = read_yaml(read_file(crds_path()).value());
    ASSERT_TRUE(tree);
    tree_ = std::move(*tree);
    for (const YamlNode* document : tree_.documents) {
      const YamlNode* versions = at(document, {"spec", "versions"});
      ASSERT_NE(versions, nullptr);
      schemas_[text(at(document, {"spec", "names", "kind"}))] =
          at(versions->children.at(0), {"schema", "openAPIV3Schema", "properties"});
    }
  }

  void expect_message(const YamlNode* schema, const Descriptor& type, const std::string& path) {
    ASSERT_NE(schema, nullptr) << path;
    EXPECT_EQ(text(schema->find("type")), "object") << path;
    const YamlNode* properties = schema->find("properties");
    ASSERT_NE(properties, nullptr) << path;
    std::vector<std::string> names, fields;
    for (std::size_t i = 0; i < properties->children.size(); i += 2) names.push_back(properties->children[i]->text);
    for (int i = 0; i < type.field_count(); ++i) fields.push_back(type.field(i)->json_name());
    std::ranges::sort(names);
    std::ranges::sort(fields);
    EXPECT_EQ(names, fields) << path;
    const auto required = texts(schema->find("required"));
    for (int i = 0; i < type.field_count(); ++i) {
      const FieldDescriptor& field = *type.field(i);
      const std::string here = path + "." + field.json_name();
      if (rules_of(field).required()) {
        EXPECT_TRUE(std::ranges::count(required, field.json_name()) == 1) << here;
      }
      expect_field(properties->find(field.json_name()), field, here);
    }
  }

  void expect_field(const YamlNode* schema, const FieldDescriptor& field, const std::string& path) {
    ASSERT_NE(schema, nullptr) << path;
    if (field.is_map()) {
      EXPECT_EQ(text(schema->find("type")), "object") << path;
      EXPECT_EQ(text(at(schema, {"additionalProperties", "type"})), "string") << path;
    } else if (field.is_repeated()) {
      EXPECT_EQ(text(schema->find("type")), "array") << path;
      if (rules_of(field).unique()) {
        EXPECT_EQ(text(schema->find("x-kubernetes-list-type")), "set") << path;
      }
      expect_value(schema->find("items"), field, path + "[]");
    } else {
      expect_value(schema, field, path);
    }
  }

  void expect_value(const YamlNode* schema, const FieldDescriptor& field, const std::string& path) {
    ASSERT_NE(schema, nullptr) << path;
    if (!is_scalar(field)) return expect_message(schema, *field.message_type(), path);
    const v1::Rules& rules = rules_of(field);
    using Format = v1::Rules;
    const bool number = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT32 && rules.format() != Format::PERCENT;
    const bool big = field.cpp_type() == FieldDescriptor::CPPTYPE_UINT64;
    const bool either = rules.format() == Format::PORT_OR_NAME;
    const bool any = rules.format() == Format::DURATION_OR_OFF;  // `off` without quotes is false
    const bool yes_or_no = field.cpp_type() == FieldDescriptor::CPPTYPE_BOOL;
    const std::string type = number || big ? "integer" : yes_or_no ? "boolean" : "string";
    EXPECT_EQ(text(schema->find("type")), either || any ? "" : type) << path;
    EXPECT_EQ(text(schema->find("x-kubernetes-int-or-string")), either ? "true" : "") << path;
    EXPECT_EQ(text(schema->find("x-kubernetes-preserve-unknown-fields")), any ? "true" : "") << path;
    if (number && rules.has_max()) {
      EXPECT_EQ(text(schema->find("maximum")), std::to_string(rules.max())) << path;
    }
    if (number && rules.has_min()) {
      EXPECT_EQ(text(schema->find("minimum")), std::to_string(rules.min())) << path;
    }
    std::vector<std::string> words(rules.one_of().begin(), rules.one_of().end());
    std::ranges::sort(words);
    EXPECT_EQ(texts(schema->find("enum")), words) << path;
  }

  Tree tree_;
  std::map<std::string, const YamlNode*> schemas_;  // by kind
};

TEST_F(CrdsTest, have_every_field_of_the_objects) {
  ASSERT_EQ(schemas_.size(), 3U);
  expect_message(schemas_["VirtualDestination"]->find("spec"), *meshdns::v1::VirtualDestinationSpec::descriptor(),
                 "vd");
  expect_message(schemas_["MeshCluster"]->find("spec"), *meshdns::v1::ClusterSpec::descriptor(), "cluster");
  expect_message(schemas_["Override"]->find("spec"), *meshdns::v1::OverrideSpec::descriptor(), "override");
}

TEST_F(CrdsTest, have_what_documents_have_in_the_status) {
  for (const auto& [kind, schema] : schemas_) {
    const YamlNode* properties = at(schema, {"status", "properties"});
    ASSERT_NE(properties, nullptr) << kind;
    const Descriptor& type = *meshdns::v1::ObjectStatus::descriptor();
    for (int i = 0; i < type.field_count(); ++i) {
      const std::string name = type.field(i)->json_name();
      const bool of_clusters = name == "distances" || name == "gatewaysDown";
      EXPECT_EQ(properties->find(name) != nullptr, kind == "MeshCluster" || !of_clusters) << kind << " " << name;
    }
    const YamlNode* conditions = at(properties, {"conditions", "items", "properties"});
    const Descriptor& condition = *meshdns::v1::Condition::descriptor();
    for (int i = 0; i < condition.field_count(); ++i) {
      EXPECT_NE(at(conditions, {condition.field(i)->json_name()}), nullptr) << kind;
    }
    for (const char* added : {"lastTransitionTime", "observedGeneration"}) EXPECT_NE(at(conditions, {added}), nullptr);
  }
}

}  // namespace
}  // namespace meshdns::config
