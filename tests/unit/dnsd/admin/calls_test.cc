// The Admin calls on a plaintext port: whoever reaches it may neither read nor change.
#include "dnsd/admin/calls.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "common/base/machine_name.h"
#include "common/rpc/caller.h"
#include "common/rpc/deadline.h"
#include "common/time/sim_clock.h"
#include "meshdns/v1/admin.grpc.pb.h"
#include "tests/support/fakes/open_gate.h"
#include "tests/unit/dnsd/admin/counting_mesh.h"

namespace meshdns::admin {
namespace {

class CallsTest : public testing::Test {
 protected:
  ~CallsTest() override {
    server_->Shutdown(rpc::within(1s));
    server_->Wait();
    loop_.stop();
    thread_.join();
  }
  void serve(std::shared_ptr<grpc::Service> calls) {
    calls_ = std::move(calls);
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(calls_.get());
    server_ = builder.BuildAndStart();
    stub_ = v1::Admin::NewStub(
        grpc::CreateChannel("127.0.0.1:" + std::to_string(port), grpc::InsecureChannelCredentials()));
    thread_ = std::thread([this] { loop_.run(); });
  }
  /// The codes of all calls
  std::vector<grpc::StatusCode> call_all() {
    std::vector<grpc::StatusCode> out;
    const auto call = [&](const auto& method, const auto& request, auto reply) {
      grpc::ClientContext context;
      context.set_deadline(rpc::within(120s));
      out.push_back((stub_.get()->*method)(&context, request, &reply).error_code());
    };
    using Stub = v1::Admin::Stub;
    call(&Stub::Apply, v1::ApplyRequest(), v1::ApplyReply());
    call(&Stub::Delete, v1::DeleteRequest(), v1::DeleteReply());
    call(&Stub::List, v1::ListRequest(), v1::ListReply());
    call(&Stub::Explain, v1::ExplainRequest(), v1::ExplainReply());
    call(&Stub::Status, v1::StatusRequest(), v1::StatusReply());
    call(&Stub::ApproveShrink, v1::ApproveShrinkRequest(), v1::ApproveShrinkReply());
    call(&Stub::Capture, v1::CaptureRequest(), v1::CaptureReply());
    call(&Stub::Simulate, v1::SimulateRequest(), v1::SimulateReply());
    call(&Stub::Events, v1::EventsRequest(), v1::EventsReply());
    call(&Stub::Lint, v1::LintRequest(), v1::LintReply());
    return out;
  }
  /// Calls one method, and says that another user does.
  template <class Method, class Request, class Reply>
  grpc::Status ask(Method method, const Request& request, Reply& reply) {
    grpc::ClientContext context;
    context.set_deadline(rpc::within(120s));
    context.AddMetadata(rpc::kCallerKey, "mallory (uid 0, pid 4711)");
    return (stub_.get()->*method)(&context, request, &reply);
  }
  std::vector<v1::Change> changes(std::uint32_t limit = 0) {
    v1::ChangesRequest request;
    request.set_limit(limit);
    v1::ChangesReply reply;
    EXPECT_TRUE(ask(&v1::Admin::Stub::Changes, request, reply).ok());
    return {reply.changes().begin(), reply.changes().end()};
  }

  CountingMesh mesh_;
  SimClock clock_;
  log::Audit audit_{clock_, clock_, [] { return 41U; }};
  process::EventLoop loop_;

 private:
  std::shared_ptr<grpc::Service> calls_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Admin::Stub> stub_;
  std::thread thread_;
};

TEST_F(CallsTest, from_afar_nothing_is_done_without_a_certificate) {
  serve(calls_from_afar(loop_, mesh_, audit_, open_gate()));
  EXPECT_EQ(call_all(), std::vector(10, grpc::StatusCode::PERMISSION_DENIED));
  EXPECT_EQ(mesh_.calls, 0);
}

TEST_F(CallsTest, from_here_all_is_done) {
  serve(calls_from_here(loop_, mesh_, audit_, {1000, "alice"}));
  EXPECT_EQ(call_all(), std::vector(10, grpc::StatusCode::OK));
  EXPECT_EQ(mesh_.calls, 10);
}

// Without certificates nobody may ask for the changes either; what was refused stands in the log, ten lines of it.
TEST_F(CallsTest, who_is_refused_from_afar_is_in_the_log) {
  testing::internal::CaptureStderr();
  serve(calls_from_afar(loop_, mesh_, audit_, open_gate()));
  v1::ChangesReply reply;
  EXPECT_EQ(ask(&v1::Admin::Stub::Changes, v1::ChangesRequest(), reply).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(call_all(), std::vector(10, grpc::StatusCode::PERMISSION_DENIED));
  std::promise<void> noted;
  loop_.post([&noted] { noted.set_value(); });
  noted.get_future().wait();
  const std::string log_lines = testing::internal::GetCapturedStderr();
  std::size_t lines = 0;
  for (auto at = log_lines.find("audit who="); at != std::string::npos; at = log_lines.find("audit who=", at + 1))
    ++lines;
  EXPECT_EQ(lines, log::Audit::kLines) << log_lines;
  EXPECT_NE(log_lines.find("audit who=anonymous from=127.0.0.1:"), std::string::npos) << log_lines;
  EXPECT_NE(
      log_lines.find(" verb=changes objects=\"\" revision=41 outcome=\"refused: administration on this port needs"),
      std::string::npos)
      << log_lines;
}

/// Answers as if everything that is applied and deleted was there.
class ObedientMesh : public CountingMesh {
 public:
  void apply(const v1::ApplyRequest& request, std::function<void(v1::ApplyReply)> done) override {
    applied = request;
    v1::ApplyReply reply;
    for (const v1::Object& object : request.objects()) {
      v1::ApplyResult& result = *reply.add_results();
      result.set_key(object.kind() + "/" + object.metadata().name());
      result.set_outcome(outcome);
      if (outcome == v1::ApplyResult::REFUSED) result.set_error("spec: wrong");
    }
    done(std::move(reply));
  }

  v1::ApplyRequest applied;
  v1::ApplyResult::Outcome outcome = v1::ApplyResult::CREATED;
};

class AuthorTest : public CallsTest {
 protected:
  AuthorTest() { serve(calls_from_here(loop_, mesh_, audit_, {1000, "alice"})); }
  /// Applies an override with this author.
  /// returns: the author with whom the mesh gets it
  std::string applied(const std::string& author) {
    v1::ApplyRequest request;
    v1::Object& object = *request.add_objects();
    object.set_kind("Override");
    object.mutable_metadata()->set_name("x");
    object.mutable_override()->set_author(author);
    v1::ApplyReply reply;
    EXPECT_TRUE(ask(&v1::Admin::Stub::Apply, request, reply).ok());
    return mesh_.applied.objects(0).override().author();
  }

  ObedientMesh mesh_;
};

TEST_F(AuthorTest, overrides_without_an_author_get_the_user_of_the_socket) {
  EXPECT_EQ(applied(""), "alice@" + machine_name().value_or(""));
  EXPECT_EQ(applied("bob@ops"), "bob@ops");
}

// What meshdnsctl says of its user does not count: another program may say anything.
TEST_F(AuthorTest, a_change_is_noted_with_the_user_whom_the_kernel_names) {
  applied("bob@ops");
  mesh_.outcome = v1::ApplyResult::UNCHANGED;
  applied("bob@ops");
  mesh_.outcome = v1::ApplyResult::REFUSED;
  applied("bob@ops");
  const auto noted = changes();
  ASSERT_EQ(noted.size(), 2U) << "nothing changed the second time";
  EXPECT_EQ(noted[0].who(), "alice (uid 1000, pid 4711)");
  EXPECT_EQ(noted[0].from(), "unix");
  EXPECT_EQ(noted[0].verb(), "apply");
  EXPECT_EQ(noted[0].objects(), "Override/x created");
  EXPECT_EQ(noted[0].outcome(), "ok");
  EXPECT_EQ(noted[0].revision(), 41U);
  EXPECT_EQ(noted[1].objects(), "Override/x");
  EXPECT_EQ(noted[1].outcome(), "refused: Override/x: spec: wrong");
  EXPECT_EQ(changes(1).front().objects(), "Override/x") << "the newest";
}

}  // namespace
}  // namespace meshdns::admin
