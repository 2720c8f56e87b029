// What meshdnsctl prints of a listing in pages is what it prints of the whole.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "common/base/table.h"
#include "common/base/text.h"
#include "dnsd/ctl/documents.h"
#include "dnsd/ctl/lint_view.h"
#include "dnsd/ctl/views.h"

namespace meshdns::ctl {
namespace {

v1::ListReply endpoints(int from, int to) {
  v1::ListReply out;
  out.set_revision(9);
  for (int i = from; i < to; ++i) {
    v1::EndpointInfo& row = *out.add_endpoints();
    row.set_key("eu-1/n1/e" + std::to_string(i));
    row.set_why("\"quoted\"\n ],\n\"endpoints\": [");
    (*row.mutable_labels())["app"] = "web";
    row.add_ports()->set_number(8080);
  }
  return out;
}

v1::ListReply objects(int from, int to) {
  v1::ListReply out;
  for (int i = from; i < to; ++i) {
    v1::Object& object = *out.add_objects();
    object.set_kind("Cluster");
    object.mutable_metadata()->set_name("c" + std::to_string(i));
    object.mutable_cluster()->mutable_locality()->set_region("eu");
  }
  return out;
}

TEST(ListDocument, pages_are_the_whole) {
  for (const Output output : {Output::Json, Output::Yaml}) {
    for (const int count : {0, 1, 2, 5}) {
      const std::string whole = ListDocument(output, "endpoints").add(endpoints(0, count), true);
      for (const int size : {1, 2, 5}) {
        ListDocument pages(output, "endpoints");
        std::string text;
        int at = 0;
        do {
          const int end = std::min(at + size, count);
          text += pages.add(endpoints(at, end), end == count);
          at = end;
        } while (at < count);
        EXPECT_EQ(text, whole) << count << " in pages of " << size;
      }
    }
    // the records after the first page went meanwhile
    ListDocument pages(output, "endpoints");
    std::string text = pages.add(endpoints(0, 2), false);
    text += pages.add(endpoints(0, 0), true);
    EXPECT_EQ(text, ListDocument(output, "endpoints").add(endpoints(0, 2), true));
  }
}

TEST(ListDocument, has_only_the_list_that_was_asked_for) {
  EXPECT_EQ(ListDocument(Output::Json, "nodes").add({}, true),
            "{\n  \"nodes\": [],\n  \"revision\": 0,\n  \"continue\": \"\",\n  \"firstRevision\": 0,\n  \"frozen\": "
            "\"\"\n}\n");
  EXPECT_EQ(ListDocument(Output::Yaml, "nodes").add({}, true),
            "nodes: []\nrevision: 0\ncontinue: \"\"\nfirstRevision: 0\nfrozen: \"\"\n");
  v1::ListReply one;
  one.add_nodes()->set_key("eu-1/n1");
  EXPECT_THAT(ListDocument(Output::Yaml, "nodes").add(one, true),
              testing::StartsWith("nodes:\n  - key: eu-1/n1\n    addresses: []\n"));
}

TEST(ObjectDocuments, pages_are_the_whole) {
  for (const Output output : {Output::Json, Output::Yaml}) {
    const std::string whole = ObjectDocuments().add(objects(0, 3), output, true);
    ObjectDocuments pages;
    std::string text = pages.add(objects(0, 1), output, false);
    text += pages.add(objects(1, 3), output, true);
    EXPECT_EQ(text, whole);
  }
  const std::string one = ObjectDocuments().add(objects(0, 1), Output::Json, true);
  EXPECT_EQ(one.front(), '{') << "alone it is no list";
  EXPECT_EQ(ObjectDocuments().add({}, Output::Json, true), "[]\n");
}

TEST(Table, goes_on_in_the_widths_of_its_first_page) {
  Table first({"NAME", "N"});
  first.align_right(1);
  first.add({"abc", "1"});
  EXPECT_EQ(first.text(), "NAME  N\nabc   1\n");
  Table more({"NAME", "N"});
  more.align_right(1);
  more.add({"a", "2"});
  more.add({"longer than it was", "30"});
  EXPECT_EQ(more.more_text(first.widths()), "a     2\nlonger than it was  30\n");
}

TEST(LintView, what_many_hosts_are_told_is_told_once) {
  v1::LintReply reply;
  const auto add = [&](const std::string& name, const std::string& path, const std::string& message) {
    v1::Finding& finding = *reply.add_findings();
    finding.set_object("VirtualDestination/shop/" + name);
    finding.set_path(path);
    finding.set_severity(v1::Finding::ADVICE);
    finding.set_message(message);
  };
  for (int i = 0; i < 5000; ++i) {
    add("web-" + std::to_string(i), "spec.ports",
        "A and AAAA carry no port: " + std::to_string(i) +
            " of 5000 endpoints listen on 8080, not on 80; SRV tells it");
  }
  add("a", "spec.policy", "something else");
  for (int i = 0; i < 4; ++i) {
    add("a", "spec.hosts[" + std::to_string(i) + "]", "h" + std::to_string(i) + ".example is below none of the zones");
  }
  for (int i = 0; i < 3; ++i) add("few" + std::to_string(i), "spec.policy.ladder[1]", "the tier is never reached");
  reply.set_objects(5004);
  EXPECT_EQ(
      lint_view(reply, ""),
      "VirtualDestination/shop/web-0, VirtualDestination/shop/web-1, VirtualDestination/shop/web-2 and 4997 more: "
      "spec.ports: advice: A and AAAA carry no port: 0 of 5000 endpoints listen on 8080, not on 80; SRV tells it\n"
      "VirtualDestination/shop/a: spec.policy: advice: something else\n"
      "VirtualDestination/shop/a: spec.hosts[0], spec.hosts[1], spec.hosts[2] and 1 more: "
      "advice: h0.example is below none of the zones\n"
      "VirtualDestination/shop/few0: spec.policy.ladder[1]: advice: the tier is never reached\n"
      "VirtualDestination/shop/few1: spec.policy.ladder[1]: advice: the tier is never reached\n"
      "VirtualDestination/shop/few2: spec.policy.ladder[1]: advice: the tier is never reached\n"
      "5008 pieces of advice in 5004 objects\n");
}

}  // namespace
}  // namespace meshdns::ctl
