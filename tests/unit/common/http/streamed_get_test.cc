#include "common/http/streamed_get.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/unit/common/http/unix_server.h"

namespace meshdns::http {
namespace {

constexpr const char* kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What the handlers of a request were told.
struct Told {
  std::optional<int> status;
  std::string body;
  std::optional<Result<void>> done;
};

StreamedGet::Handlers handlers_of(Told& told, process::EventLoop& loop) {
  return {[&told](int status) { told.status = status; }, [&told](std::string_view bytes) { told.body += bytes; },
          [&told, &loop](Result<void> result) {
            told.done = std::move(result);
            loop.stop();
          }};
}

Told got(const std::vector<std::string>& parts, const StreamedGet::Limits& limits = {}) {
  const UnixServer server(parts);
  process::EventLoop loop;
  Told told;
  const StreamedGet request(loop, server.path(), "/events", limits, handlers_of(told, loop));
  loop.run();
  return told;
}

TEST(StreamedGet, hands_on_a_body_without_its_chunks) {
  const Told told = got({kChunked, "4\r\n{\"a\"\r\n", "5\r\n:1}\n{\r\n2\r\n}\n\r\n", "0\r\n\r\n"});
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(told.body, "{\"a\":1}\n{}\n");
  EXPECT_TRUE(told.done && *told.done);
}

TEST(StreamedGet, takes_any_status_and_length) {
  const Told told = got({"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n", "no"});
  EXPECT_EQ(told.status, 404);
  EXPECT_EQ(told.body, "no");
  EXPECT_TRUE(told.done && *told.done);
}

std::string problem(const Told& told) { return told.done && !*told.done ? told.done->error().message() : "none"; }

TEST(StreamedGet, says_that_the_answer_breaks_off) {
  const Told told = got({kChunked, "4\r\n{\"a\"\r\n"});
  EXPECT_EQ(told.body, "{\"a\"");
  EXPECT_EQ(problem(told), "reading the answer: the server closed the connection");
  EXPECT_EQ(problem(got({})), "waiting for the answer: the server closed the connection");
  EXPECT_NE(problem(got({"SSH-2.0-x\r\n\r\n"})), "none");
}

TEST(StreamedGet, says_that_there_is_no_server) {
  process::EventLoop loop;
  Told told;
  const StreamedGet request(loop, "/nonexistent/docker.sock", "/", {}, handlers_of(told, loop));
  EXPECT_FALSE(told.done);  // not before the constructor has returned
  loop.run();
  EXPECT_EQ(problem(told), "connecting: no such file or directory");
}

TEST(StreamedGet, waits_only_as_long_as_it_may) {
  const Told told = got({kChunked, UnixServer::kHang}, {.whole = 50ms});
  EXPECT_EQ(told.status, 200);
  EXPECT_EQ(problem(told), "reading the answer: timeout");
}

// Guards callbacks into an owner that is gone.
TEST(StreamedGet, may_be_destroyed_in_its_own_handlers) {
  for (const bool at_head : {true, false}) {
    const UnixServer server({kChunked, "2\r\n{}\r\n", "2\r\n{}\r\n", "0\r\n\r\n"});
    process::EventLoop loop;
    std::optional<StreamedGet> request;
    int calls = 0;
    const auto end = [&](bool now) {
      ++calls;
      if (!now) return;
      request.reset();
      loop.after(50ms, [&loop] { loop.stop(); });
    };
    request.emplace(loop, server.path(), "/", StreamedGet::Limits{},
                    StreamedGet::Handlers{[&](int) { end(at_head); }, [&](std::string_view) { end(true); },
                                          [&](const Result<void>&) { end(false); }});
    loop.run();
    EXPECT_EQ(calls, at_head ? 1 : 2);
  }
}

}  // namespace
}  // namespace meshdns::http
