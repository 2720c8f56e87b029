#include "agent/admin/command_api.h"

#include <gmock/gmock.h>

#include "tests/unit/agent/admin/fake_agent.h"

namespace meshdns::agent::admin {
namespace {

using http::Response;
using testing::HasSubstr;

class CommandApiTest : public testing::Test {
 protected:
  Response call(const std::string& method, const std::string& target, const std::string& body = "") {
    http::Request request = http::parse_target(method, target);
    request.body = body;
    std::optional<Response> out;
    socket_api(agent, commands)(request, [&out](Response response) { out = std::move(response); });
    return out.value();
  }
  Response post(const std::string& target, const std::string& body = "") { return call("POST", target, body); }

  FakeAgent agent;
  FakeCommands commands;
};

TEST_F(CommandApiTest, the_socket_reads_too) {
  EXPECT_EQ(call("GET", "/v1/status").status, 200);
  EXPECT_EQ(call("GET", "/v1/registrations").status, 200);
  EXPECT_EQ(call("GET", "/v1/nothing").status, 404);
}

TEST_F(CommandApiTest, leave_is_asked_until_it_is_done_or_has_failed) {
  agent.leaving = {Leaving::State::Waiting, "waiting"};
  EXPECT_EQ(post("/v1/leave").status, 202);
  agent.leaving = {Leaving::State::Left, "withdrew 3 endpoints"};
  EXPECT_EQ(post("/v1/leave").status, 200);
  EXPECT_EQ(post("/v1/leave").body, "withdrew 3 endpoints\n");
  agent.leaving = {Leaving::State::Failed, "no federation"};
  EXPECT_EQ(post("/v1/leave").status, 503);
}

TEST_F(CommandApiTest, looking_at_a_command_does_nothing) {
  for (const char* path :
       {"/v1/leave", "/v1/register", "/v1/deregister", "/v1/push", "/v1/drain", "/v1/undrain", "/v1/check"}) {
    EXPECT_EQ(call("GET", path).status, 405) << path;
  }
  EXPECT_EQ(agent.asked_to_leave, 0);
  EXPECT_EQ(commands.calls, "");
}

TEST_F(CommandApiTest, commands_get_what_was_asked) {
  EXPECT_EQ(post("/v1/register?file=web.yaml", "endpoints: []").status, 200);
  EXPECT_EQ(post("/v1/deregister?target=shop%2Fweb").status, 200);
  EXPECT_EQ(post("/v1/push?target=shop/web&state=warn", "disk 91 %").status, 200);
  EXPECT_EQ(post("/v1/drain?target=shop/web&for=30m", "kernel").status, 200);
  EXPECT_EQ(post("/v1/drain", "kernel").status, 200);
  EXPECT_EQ(post("/v1/undrain").status, 200);
  EXPECT_EQ(post("/v1/check?target=shop/web").status, 200);
  EXPECT_EQ(commands.calls,
            "register web.yaml endpoints: []; deregister shop/web; push shop/web warn disk 91 %; "
            "drain shop/web 30m kernel; drain  ever kernel; undrain ; check shop/web; ");
}

TEST_F(CommandApiTest, answers_are_json_and_errors_are_text) {
  EXPECT_EQ(post("/v1/undrain").content_type, "application/json");
  EXPECT_THAT(post("/v1/undrain").body, HasSubstr("\"what\": \"undrain\""));
  commands.error = Error(Code::NotFound, "this node is not drained");
  EXPECT_EQ(post("/v1/undrain").body, "this node is not drained\n");
}

TEST_F(CommandApiTest, the_status_says_what_kind_of_error_it_is) {
  for (const auto& [code, status] : {std::pair(Code::InvalidArgument, 400),
                                     {Code::NotFound, 404},
                                     {Code::AlreadyExists, 409},
                                     {Code::FailedPrecondition, 409},
                                     {Code::ResourceExhausted, 413},
                                     {Code::Unavailable, 503}}) {
    commands.error = Error(code, "why");
    for (const char* target : {"/v1/register", "/v1/deregister?target=a/b", "/v1/push?target=a/b&state=up", "/v1/drain",
                               "/v1/undrain", "/v1/check?target=a/b"}) {
      EXPECT_EQ(post(target).status, status) << target;
    }
  }
}

TEST_F(CommandApiTest, wrong_parameters_are_refused_before_the_command) {
  for (const char* target : {"/v1/deregister", "/v1/push?state=up", "/v1/push?target=a/b",
                             "/v1/push?target=a/b&state=UP", "/v1/check", "/v1/drain?for=x", "/v1/drain?for=0s",
                             "/v1/drain?for=8d", "/v1/drain?target=a%0Ab", "/v1/undrain?target=a%1Bb"}) {
    EXPECT_EQ(post(target).status, 400) << target;
  }
  EXPECT_EQ(commands.calls, "");
}

TEST_F(CommandApiTest, details_are_one_printable_line_of_4_kib) {
  const std::string longest(kLongestText, 'x');
  EXPECT_EQ(post("/v1/push?target=a/b&state=up", longest).status, 200);
  EXPECT_EQ(post("/v1/push?target=a/b&state=up", longest + "x").status, 400);
  EXPECT_EQ(post("/v1/push?target=a/b&state=up", "dépôt plein").status, 200);
  for (const char* detail : {"a\nb", "a\tb", "\x1b[2J", "\xff"}) {
    EXPECT_EQ(post("/v1/push?target=a/b&state=up", detail).status, 400) << detail;
    EXPECT_EQ(post("/v1/drain", detail).status, 400) << detail;
  }
}

}  // namespace
}  // namespace meshdns::agent::admin
