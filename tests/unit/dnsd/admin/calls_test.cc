// The Admin calls on a plaintext port: whoever reaches it may neither read nor change.
#include "dnsd/admin/calls.h"

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <thread>

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

  CountingMesh mesh_;
  SimClock clock_;
  process::EventLoop loop_;

 private:
  std::shared_ptr<grpc::Service> calls_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<v1::Admin::Stub> stub_;
  std::thread thread_;
};

TEST_F(CallsTest, from_afar_nothing_is_done_without_a_certificate) {
  serve(calls_from_afar(loop_, clock_, mesh_, open_gate()));
  EXPECT_EQ(call_all(), std::vector(10, grpc::StatusCode::PERMISSION_DENIED));
  EXPECT_EQ(mesh_.calls, 0);
}

TEST_F(CallsTest, from_here_all_is_done) {
  serve(calls_from_here(loop_, clock_, mesh_));
  EXPECT_EQ(call_all(), std::vector(10, grpc::StatusCode::OK));
  EXPECT_EQ(mesh_.calls, 10);
}

}  // namespace
}  // namespace meshdns::admin
