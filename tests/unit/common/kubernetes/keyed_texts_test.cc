#include "common/kubernetes/keyed_texts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace meshdns::kubernetes {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(KeyedTexts, paths) {
  EXPECT_EQ(keeper_path(Keeper::Secret, "meshdns"), "/api/v1/namespaces/meshdns/secrets");
  EXPECT_EQ(keeper_path(Keeper::ConfigMap, "meshdns", "a"), "/api/v1/namespaces/meshdns/configmaps/a");
}

TEST(KeyedTexts, a_secret_is_decoded_and_a_config_map_is_not) {
  EXPECT_EQ(read_texts(Keeper::Secret, R"({"kind":"Secret","data":{"a":"Zm9v","b":""}})").value(),
            (KeyedTexts{{"a", "foo"}, {"b", ""}}));
  EXPECT_EQ(read_texts(Keeper::ConfigMap, R"({"kind":"ConfigMap","data":{"a":"Zm9v"}})").value(),
            (KeyedTexts{{"a", "Zm9v"}}));
  EXPECT_TRUE(read_texts(Keeper::Secret, R"({"kind":"Secret"})").value().empty());
}

// Whatever is wrong with it: a Secret is not repeated in logs.
TEST(KeyedTexts, an_error_names_no_content) {
  for (const char* body :
       {"hunter2", R"({"kind":"Status","data":{"a":"hunter2"}})", R"({"kind":"Secret","data":"hunter2"})",
        R"({"kind":"Secret","data":{"a":"hunter2"}})", R"({"kind":"Secret","data":{"a":["hunter2"]}})"}) {
    const auto found = read_texts(Keeper::Secret, body);
    ASSERT_FALSE(found) << body;
    EXPECT_EQ(found.error().code(), Code::DataLoss);
    EXPECT_THAT(found.error().message(), Not(HasSubstr("hunter2"))) << body;
  }
}

TEST(KeyedTexts, a_new_object_has_its_texts) {
  EXPECT_EQ(new_keeper(Keeper::ConfigMap, "meshdns", "a", {{"ca.crt", "x\n"}}),
            R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"meshdns","name":"a",)"
            R"("labels":{"app.kubernetes.io/part-of":"meshdns"}},"data":{"ca.crt":"x\n"}})");
  EXPECT_THAT(new_keeper(Keeper::Secret, "meshdns", "a", {{"ca.key", "k"}, {"old.key", ""}}),
              HasSubstr(R"("data":{},"stringData":{"ca.key":"k"}})"));
}

TEST(KeyedTexts, an_update_changes_nothing_else) {
  const std::string before = R"({"kind":"Secret","metadata":{"resourceVersion":"7","labels":{"a":"b"}},)"
                             R"("data":{"ca.key":"Zm9v","old.key":"Zm9v","theirs":"Zm9v"},"type":"Opaque"})";
  EXPECT_EQ(with_texts(Keeper::Secret, before, {{"ca.key", "k"}, {"old.key", ""}}).value(),
            R"({"kind":"Secret","metadata":{"resourceVersion":"7","labels":{"a":"b"}},)"
            R"("data":{"theirs":"Zm9v"},"type":"Opaque","stringData":{"ca.key":"k"}})");
  EXPECT_EQ(with_texts(Keeper::ConfigMap, R"({"kind":"ConfigMap","data":null})", {{"ca.crt", "x"}}).value(),
            R"({"kind":"ConfigMap","data":{"ca.crt":"x"}})");
  EXPECT_FALSE(with_texts(Keeper::ConfigMap, R"({"kind":"Secret"})", {}));
}

}  // namespace
}  // namespace meshdns::kubernetes
