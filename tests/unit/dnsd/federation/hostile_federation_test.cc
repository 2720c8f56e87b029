// What a federation can make an agent wait for, over a real socket.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <optional>

#include "agent/report/grpc_reporter.h"
#include "common/convert/peer_bounds.h"
#include "common/time/system_clock.h"
#include "meshdns/v1/federation.grpc.pb.h"

namespace meshdns::federation {
namespace {

using report::GrpcReporter;
using report::Syncer;
using testing::HasSubstr;

/// Welcomes each agent with durations that nobody can mean, says so again, and sends it away for 30 years.
class HostileFederation : public v1::Federation::Service {
 public:
  grpc::Status Report(grpc::ServerContext*,
                      grpc::ServerReaderWriter<v1::ReportReply, v1::AgentMessage>* stream) override {
    v1::AgentMessage hello;
    stream->Read(&hello);
    v1::ReportReply reply;
    reply.mutable_welcome()->set_epoch(1);
    reply.mutable_welcome()->set_want_full(true);
    v1::Settings& settings = *reply.mutable_welcome()->mutable_settings();
    settings.mutable_heartbeat()->set_seconds(1'000'000'000);
    for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{60}, std::int64_t{1'000'000'000}}) {
      v1::Target& target = *settings.add_measure();
      target.set_key("n" + std::to_string(seconds));
      target.set_address(std::string("\x0a\0\0\x01", 4));
      target.set_port(1);
      target.mutable_interval()->set_seconds(seconds);
    }
    stream->Write(reply);
    const v1::Settings again = settings;
    *reply.mutable_settings() = again;
    stream->Write(reply);
    reply.mutable_goodbye()->mutable_retry_after()->set_seconds(1'000'000'000);
    stream->Write(reply);
    read_.wait(false);  // gRPC drops what the agent has not read when the stream ends
    return grpc::Status::OK;
  }
  /// Ends the streams: the agent has read everything.
  void all_is_read() {
    read_ = true;
    read_.notify_all();
  }

 private:
  std::atomic<bool> read_ = false;
};

// The bounds counted without a word: an agent that stayed away for 5 min said nothing of the 30 years it was told.
TEST(HostileFederationTest, its_durations_are_clamped_counted_and_told) {
  HostileFederation federation;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&federation);
  const auto server = builder.BuildAndStart();
  const SystemClock clock;
  process::EventLoop loop;
  Syncer syncer{report::wire_codec()};
  report::ReporterOptions options;
  options.servers = {"127.0.0.1:" + std::to_string(port)};
  model::Node own;
  own.locality.cluster = "eu-1";
  own.locality.node = "n1";
  options.node = report::NodeDescription::fixed(own);
  std::optional<GrpcReporter> reporter(std::in_place, loop, clock, std::move(options), syncer);
  testing::internal::CaptureStderr();
  reporter->start();
  const TimerId deadline = loop.after(120s, [&loop] { loop.stop(); });
  const std::function<void()> look = [&] {
    if (reporter->clamped() >= 7) federation.all_is_read();
    if (reporter->clamped() >= 7 && !reporter->connected()) return loop.stop();  // and the stream has ended
    loop.after(1ms, look);
  };
  look();
  loop.run();
  loop.cancel(deadline);
  federation.all_is_read();
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(reporter->clamped(), 7U) << "twice a heartbeat and two intervals, and a retry_after";
  constexpr std::string_view kLine = "durations of the federation are out of bounds: the bounds count";
  const auto at = log.find(kLine);
  ASSERT_NE(at, std::string::npos) << log;
  EXPECT_EQ(log.find(kLine, at + 1), std::string::npos) << "once a minute: " << log;
  EXPECT_THAT(log, HasSubstr("values=3 field=heartbeat"));
  ASSERT_EQ(syncer.targets().size(), 3U);
  EXPECT_EQ(syncer.targets()[0].interval, convert::kShortestInterval);
  EXPECT_EQ(syncer.targets()[1].interval, 60s);
  EXPECT_EQ(syncer.targets()[2].interval, convert::kLongestInterval);
  reporter.reset();
  server->Shutdown();
}

}  // namespace
}  // namespace meshdns::federation
