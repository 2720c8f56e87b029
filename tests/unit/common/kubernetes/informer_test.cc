#include "common/kubernetes/informer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>

#include "common/base/overloaded.h"
#include "common/kubernetes/json_text.h"
#include "common/time/system_clock.h"
#include "tests/unit/common/kubernetes/loop_runner.h"
#include "tests/unit/common/kubernetes/tls_server.h"

namespace meshdns::kubernetes {
namespace {

using test::answer;
using test::TlsServer;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Peer = TlsServer::Peer;
using Script = TlsServer::Script;

std::string pod(const std::string& name, const std::string& version) {
  return R"({"metadata":{"name":")" + name + R"(","resourceVersion":")" + version + R"("}})";
}
std::string event(const std::string& type, const std::string& name, const std::string& version) {
  return R"({"type":")" + type + R"(","object":)" + pod(name, version) + "}\n";
}
std::string end_of_list(const std::string& version) {
  return R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":")" + version +
         R"(","annotations":{"k8s.io/initial-events-end":"true"}}}})" + "\n";
}

/// Follows the pods of a node at a server, with pauses of milliseconds.
class InformerTest : public testing::Test {
 protected:
  void follow(std::vector<Script> scripts) {
    server_ = std::make_unique<TlsServer>(std::move(scripts));
    client_ = std::make_unique<Client>(loop_, clock_, server_->server(), Client::Limits{});
    Informer::Options options{{"/api/v1/pods", "spec.nodeName=n1"}};
    options.limits.shortest_backoff = options.limits.spread = 1ms;
    options.limits.longest_backoff = 10ms;
    options.limits.silence = silence_;
    options.limits.too_short = 0s;
    options.longest_line = 1000;
    informer_ =
        std::make_unique<Informer>(*client_, clock_, loop_, options, [this](const Notice& notice) { note(notice); });
    informer_->start();
  }
  void note(const Notice& notice) {
    static const std::map<EventType, std::string> kSigns = {
        {EventType::Added, "+"}, {EventType::Modified, "~"}, {EventType::Deleted, "-"}};
    const auto text = [](const Event& about) {
      return kSigns.at(about.type) + std::string(text_in(*object_in(about.object, "metadata"), "name"));
    };
    told_.push_back(std::visit(Overloaded{[](const Begin&) { return std::string("begin"); },
                                          [](const Listed&) { return std::string("listed"); }, text},
                               notice));
  }
  bool is_told(std::size_t count) {
    return test::run_until(loop_, [this, count] { return told_.size() >= count; });
  }
  /// A script that notes the request, lists pods, and keeps the watch open.
  Script list(const std::string& version, const std::vector<std::string>& pods) {
    return [this, version, pods](Peer& peer) {
      note_request(peer);
      peer.send(test::kChunkedHead);
      for (const auto& name : pods) peer.send_chunk(event("ADDED", name, "1"));
      peer.send_chunk(end_of_list(version));
      peer.wait_for_close();
    };
  }
  /// A script that notes the request and sends something.
  Script send(const std::string& text) {
    return [this, text](Peer& peer) {
      note_request(peer);
      peer.send(text);
      peer.wait_for_close();
    };
  }
  void note_request(Peer& peer) {
    const std::string request = peer.request();
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
  }
  std::vector<std::string> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  SystemClock clock_;
  process::EventLoop loop_;
  Duration silence_ = 1min;
  std::mutex mutex_;
  std::vector<std::string> requests_;
  std::unique_ptr<TlsServer> server_;
  std::unique_ptr<Client> client_;
  std::unique_ptr<Informer> informer_;
  std::vector<std::string> told_;
};

TEST_F(InformerTest, a_list_and_changes_whatever_the_chunks) {
  follow({[this](Peer& peer) {
    note_request(peer);
    peer.send(test::kChunkedHead);
    const std::string all = event("ADDED", "a", "5") + end_of_list("9") + event("MODIFIED", "a", "10") +
                            event("DELETED", "a", "11") + event("ADDED", "b", "12");
    for (const char& byte : all) peer.send_chunk({&byte, 1});
    peer.wait_for_close();
  }});
  ASSERT_TRUE(is_told(6));
  EXPECT_THAT(told_, ElementsAre("begin", "+a", "listed", "~a", "-a", "+b"));
  EXPECT_THAT(requests()[0], HasSubstr("GET /api/v1/pods?fieldSelector=spec.nodeName%3Dn1&watch=1&"));
  const auto status = informer_->status();
  EXPECT_TRUE(status.listed);
  EXPECT_TRUE(status.last_news);
  EXPECT_THAT(status.problem.text, IsEmpty());
  EXPECT_EQ(status.lists, 1U);
  EXPECT_EQ(status.events, 4U);
}

TEST_F(InformerTest, a_watch_that_ends_is_resumed_from_its_last_event) {
  follow({[this](Peer& peer) {
            note_request(peer);
            peer.send(test::kChunkedHead);
            peer.send_chunk(end_of_list("9") + event("ADDED", "a", "10"));
            peer.send(test::kLastChunk);
            peer.wait_for_close();
          },
          [this](Peer& peer) {
            note_request(peer);
            peer.send(test::kChunkedHead);
            peer.send_chunk(event("DELETED", "a", "11"));
            peer.wait_for_close();
          }});
  ASSERT_TRUE(is_told(4));
  EXPECT_THAT(told_, ElementsAre("begin", "listed", "+a", "-a"));
  EXPECT_THAT(requests()[1], HasSubstr("&resourceVersion=10 "));
}

TEST_F(InformerTest, a_cut_within_a_line_loses_nothing) {
  follow({[this](Peer& peer) {
            note_request(peer);
            peer.send(test::kChunkedHead);
            peer.send_chunk(end_of_list("9") + event("ADDED", "a", "10") + event("ADDED", "b", "11").substr(0, 20));
          },
          [this](Peer& peer) {
            note_request(peer);
            peer.send(test::kChunkedHead);
            peer.send_chunk(event("ADDED", "b", "11") + event("ADDED", "c", "12").substr(0, 20));
            peer.send(test::kLastChunk);
          },
          [this](Peer& peer) {
            note_request(peer);
            peer.send(test::kChunkedHead);
            peer.send_chunk(event("ADDED", "c", "12"));
            peer.wait_for_close();
          }});
  ASSERT_TRUE(is_told(5));
  EXPECT_THAT(told_, ElementsAre("begin", "listed", "+a", "+b", "+c"));
  EXPECT_THAT(requests()[2], HasSubstr("&resourceVersion=11 "));
}

TEST_F(InformerTest, pages_where_the_server_cannot_watch_from_the_start) {
  const std::string first = R"({"metadata":{"resourceVersion":"7","continue":"next"},"items":[)" + pod("a", "1") + "]}";
  const std::string second = R"({"metadata":{"resourceVersion":"7"},"items":[)" + pod("b", "1") + "]}";
  follow({send(answer("422 Unprocessable Entity", R"({"kind":"Status","message":"sendInitialEvents is forbidden"})")),
          [=, this](Peer& peer) {
            note_request(peer);
            peer.send(answer("200 OK", first));
            note_request(peer);  // on the connection that is kept
            peer.send(answer("200 OK", second));
            peer.wait_for_close();
          },
          [this](Peer& peer) {
            note_request(peer);
            peer.send(test::kChunkedHead);
            peer.send_chunk(event("MODIFIED", "b", "8"));
            peer.wait_for_close();
          }});
  ASSERT_TRUE(is_told(5));
  EXPECT_THAT(told_, ElementsAre("begin", "+a", "+b", "listed", "~b"));
  EXPECT_THAT(requests()[2], HasSubstr("&limit=500&continue=next "));
  EXPECT_THAT(requests()[3], HasSubstr("&resourceVersion=7 "));
}

TEST_F(InformerTest, a_refused_token_is_read_again) {
  follow({[this](Peer& peer) {
            note_request(peer);
            server_->write("token", "second-token");
            peer.send(answer("401 Unauthorized", R"({"kind":"Status","code":401})"));
          },
          list("9", {})});
  ASSERT_TRUE(is_told(2));
  EXPECT_THAT(requests()[0], HasSubstr("Bearer first-token\r\n"));
  EXPECT_THAT(requests()[1], HasSubstr("Bearer second-token\r\n"));
}

TEST_F(InformerTest, an_overloaded_server_is_asked_later) {
  follow({send(answer("429 Too Many Requests", "", "Retry-After: 1\r\n")), list("9", {"a"})});
  const TimePoint begin = clock_.now();
  ASSERT_TRUE(is_told(3));
  EXPECT_GE(clock_.now() - begin, 1s);
  EXPECT_THAT(told_, ElementsAre("begin", "+a", "listed"));
}

TEST_F(InformerTest, a_missing_rule_is_a_problem_in_the_status) {
  follow({send(answer("403 Forbidden", R"({"kind":"Status","reason":"Forbidden","message":"pods is forbidden"})"))});
  ASSERT_TRUE(test::run_until(loop_, [this] { return informer_->status().problem.code == 403; }));
  EXPECT_EQ(
      informer_->status().problem.text,
      "403 Forbidden: pods is forbidden; the role needs a rule apiGroups: [\"\"], resources: [pods], verbs: [watch]");
  EXPECT_FALSE(informer_->status().listed);
}

TEST_F(InformerTest, silence_and_long_lines_and_410_lead_to_a_new_list) {
  silence_ = 1s;
  follow({list("9", {"a"}),
          [this](Peer& peer) {
            note_request(peer);
            peer.send(test::kChunkedHead);
            peer.send_chunk(end_of_list("10"));
            peer.send_chunk(std::string(2000, 'x'));
            peer.wait_for_close();
          },
          [this](Peer& peer) {
            note_request(peer);
            peer.send(test::kChunkedHead);
            peer.send_chunk(end_of_list("11"));
            peer.send_chunk(R"({"type":"ERROR","object":{"kind":"Status","code":410}})" + std::string("\n") +
                            event("ADDED", "after the end", "12"));
            peer.wait_for_close();
          },
          list("13", {"b"})});
  ASSERT_TRUE(is_told(10));
  EXPECT_THAT(told_,
              ElementsAre("begin", "+a", "listed", "begin", "listed", "begin", "listed", "begin", "+b", "listed"));
  for (const auto& request : requests()) EXPECT_THAT(request, HasSubstr("&sendInitialEvents=true"));
}

TEST_F(InformerTest, its_end_ends_the_watch) {
  follow({list("9", {"a"})});
  ASSERT_TRUE(is_told(3));
  informer_.reset();
  test::run_for(loop_, 20ms);
  EXPECT_TRUE(server_->all_ended());
  EXPECT_EQ(told_.size(), 3U);
}

TEST_F(InformerTest, a_broken_connection_changes_nothing) {
  follow({list("9", {"a"}), nullptr});
  ASSERT_TRUE(is_told(3));
  const std::size_t before = server_->connections();
  server_->close_all();
  ASSERT_TRUE(test::run_until(loop_, [&] { return server_->connections() > before; }));
  EXPECT_TRUE(informer_->status().listed);
  EXPECT_EQ(told_.size(), 3U);
}

}  // namespace
}  // namespace meshdns::kubernetes
