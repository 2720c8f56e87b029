#include "common/kubernetes/watch_event.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "common/kubernetes/json_text.h"

namespace meshdns::kubernetes {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

template <class T>
T parsed(std::string_view line) {
  auto event = parse_watch_event(line);
  EXPECT_TRUE(event) << event.error().message();
  return std::get<T>(std::move(*event));
}
std::string refused(std::string_view line) {
  const auto event = parse_watch_event(line);
  EXPECT_EQ(event.error().code(), Code::DataLoss);
  return event.error().message();
}

TEST(WatchEvent, events_have_their_object) {
  const auto added = parsed<Event>(
      R"({"type":"ADDED","object":{"kind":"Pod","apiVersion":"v1","metadata":{"name":"app-b-1","uid":"d5ff7936",)"
      R"("resourceVersion":"226","labels":{"app":"app-b"}},"spec":{"nodeName":"g-n1"},"status":{"phase":"Pending"}}})");
  EXPECT_EQ(added.type, EventType::Added);
  EXPECT_EQ(resource_version(added.object), "226");
  EXPECT_EQ(text_in(*object_in(added.object, "status"), "phase"), "Pending");
  EXPECT_EQ(parsed<Event>(R"({"type":"MODIFIED","object":{"metadata":{"resourceVersion":"1"}}})").type,
            EventType::Modified);
  EXPECT_EQ(parsed<Event>(R"({"type":"DELETED","object":{"metadata":{"resourceVersion":"1"}}})").type,
            EventType::Deleted);
}

// Guards the consumer, who may keep parts of an object longer than its event.
TEST(WatchEvent, a_part_outlives_its_event) {
  std::optional<boost::json::object> kept;
  {
    auto event = parsed<Event>(
        R"({"type":"ADDED","object":{"metadata":{"resourceVersion":"1","labels":{"app":"a name that is not short"}}}})");
    kept.emplace(std::move(event.object.at("metadata").as_object().at("labels").as_object()));
  }
  EXPECT_EQ(text_in(*kept, "app"), "a name that is not short");
}

TEST(WatchEvent, bookmarks_as_the_server_writes_them) {
  const auto last = parsed<Bookmark>(
      R"({"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"249",)"
      R"("annotations":{"k8s.io/initial-events-end":"true"}},"spec":{"containers":null},"status":{}}})");
  EXPECT_EQ(last.version, "249");
  EXPECT_TRUE(last.ends_list);
  const auto usual = parsed<Bookmark>(
      R"({"type":"BOOKMARK","object":{"kind":"Pod","apiVersion":"v1","metadata":{"resourceVersion":"710"},)"
      R"("spec":{"containers":null},"status":{}}})");
  EXPECT_EQ(usual.version, "710");
  EXPECT_FALSE(usual.ends_list);
}

TEST(WatchEvent, errors_as_the_server_writes_them) {
  const auto gone =
      parsed<Refusal>(R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
                      R"-("message":"too old resource version: 240 (277)","reason":"Expired","code":410}})-");
  EXPECT_EQ(gone.text(), "410 Expired: too old resource version: 240 (277)");
  EXPECT_EQ(gone.retry_after, std::nullopt);
  const auto late = parsed<Refusal>(
      R"({"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure",)"
      R"("message":"Timeout: Too large resource version: 257, current: 253","reason":"Timeout","details":{"causes":)"
      R"([{"reason":"ResourceVersionTooLarge","message":"Too large resource version"}],"retryAfterSeconds":1},)"
      R"("code":504}})");
  EXPECT_EQ(late.code, 504);
  EXPECT_EQ(late.retry_after, 1s);
  EXPECT_EQ(parsed<Refusal>(R"({"type":"ERROR","object":{}})").text(), "500");
}

TEST(WatchEvent, a_damaged_line_is_an_error_that_says_why) {
  EXPECT_THAT(refused("{\"type\":\"ADDED\",\"obj"), HasSubstr("not a JSON object (incomplete JSON"));
  EXPECT_THAT(refused("<html>\x1b"), HasSubstr("<html>\\u001b"));
  EXPECT_THAT(refused("[]"), HasSubstr("another value"));
  EXPECT_THAT(refused("{}{}"), HasSubstr("not a JSON object"));
  EXPECT_EQ(refused(R"({"type":"ADDED"})"), "an event has no object");
  EXPECT_EQ(refused(R"({"type":"ADDED","object":7})"), "an event has no object");
  EXPECT_EQ(refused(R"({"type":"MOVED","object":{}})"), "an event has the unknown type \"MOVED\"");
  EXPECT_EQ(refused(R"({"object":{}})"), "an event has the unknown type \"\"");
  for (const char* metadata : {"{}", "7", R"({"resourceVersion":7})", R"({"resourceVersion":""})"}) {
    for (const char* type : {"ADDED", "BOOKMARK"}) {
      EXPECT_EQ(refused(std::string(R"({"type":")") + type + R"(","object":{"metadata":)" + metadata + "}}"),
                "the object of an event has no resourceVersion");
    }
  }
  EXPECT_THAT(refused(std::string(1000, '{')), HasSubstr("not a JSON object"));
  EXPECT_THAT(refused(R"({"type":"ADDED","object":)" + std::string(10'000, '[')), HasSubstr("too deep"));
}

TEST(Page, items_are_added_events) {
  const auto page =
      parse_page(R"({"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"255","continue":"eyJ2"},)"
                 R"("items":[{"metadata":{"name":"a"}},{"metadata":{"name":"b"}}]})");
  ASSERT_TRUE(page);
  EXPECT_EQ(page->version, "255");
  EXPECT_EQ(page->next, "eyJ2");
  ASSERT_THAT(page->events, SizeIs(2));
  EXPECT_EQ(page->events[1].type, EventType::Added);
  EXPECT_EQ(text_in(*object_in(page->events[1].object, "metadata"), "name"), "b");
}

TEST(Page, an_empty_list_may_lack_its_items) {
  for (const char* items : {"", R"(,"items":null)", R"(,"items":[])"}) {
    const auto page = parse_page(std::string(R"({"metadata":{"resourceVersion":"7"})") + items + "}");
    ASSERT_TRUE(page) << items;
    EXPECT_EQ(page->version, "7");
    EXPECT_TRUE(page->next.empty());
    EXPECT_TRUE(page->events.empty());
  }
}

TEST(Page, what_is_no_list_is_an_error) {
  for (const char* body : {"", "{}", R"({"metadata":{}})", R"({"metadata":{"resourceVersion":"7"},"items":{}})",
                           R"({"metadata":{"resourceVersion":"7"},"items":[7]})"}) {
    const auto page = parse_page(body);
    ASSERT_FALSE(page) << body;
    EXPECT_EQ(page.error().code(), Code::DataLoss);
  }
}

TEST(Refusal, the_head_of_the_answer_counts_more_than_its_body) {
  const auto refusal = parse_refusal(
      429, 7s,
      R"({"kind":"Status","reason":"TooManyRequests","message":"slow down","code":500,"details":{"retryAfterSeconds":1}})");
  EXPECT_EQ(refusal.text(), "429 TooManyRequests: slow down");
  EXPECT_EQ(refusal.retry_after, 7s);
}

TEST(Refusal, a_body_that_is_no_status_is_the_message) {
  EXPECT_EQ(parse_refusal(502, {}, "<html>\nBad Gateway\n").text(), "502: <html>\\nBad Gateway");
  EXPECT_EQ(parse_refusal(503, {}, "").text(), "503");
  EXPECT_THAT(parse_refusal(502, {}, std::string(10'000, 'x')).message, SizeIs(512));
}

}  // namespace
}  // namespace meshdns::kubernetes
