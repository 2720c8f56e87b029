#include "dnsd/federation/federation_service.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "common/rpc/deadline.h"
#include "common/rpc/reactors.h"
#include "dnsd/federation/report_session.h"
#include "meshdns/v1/federation.grpc.pb.h"

namespace meshdns::federation {
namespace {

constexpr int kMostMessage = 4 << 20;
constexpr Duration kPatience = 2s;

using Stream = rpc::ServerStream<v1::AgentMessage, v1::ReportReply>;

/// Turns each call into a session on the control thread.
class Calls : public v1::Federation::CallbackService {
 public:
  Calls(process::EventLoop& loop, Agents& agents) : loop_(loop), agents_(agents) {}

  grpc::ServerBidiReactor<v1::AgentMessage, v1::ReportReply>* Report(grpc::CallbackServerContext* context) override {
    auto* stream = new Stream(context, [&loop = loop_](std::function<void()> work) { loop.post(std::move(work)); });
    const auto port = stream->port();
    const auto session = std::make_shared<std::shared_ptr<ReportSession>>();
    rpc::StreamEvents<v1::AgentMessage> events;
    events.received = [session](const v1::AgentMessage& message) {
      if (*session) (*session)->received(message);
    };
    events.written = [] {};
    events.closed = [session](const Error&) {
      if (const auto ended = std::exchange(*session, nullptr)) ended->closed();
    };
    port->set_events(std::move(events));
    loop_.post([&agents = agents_, session, port] { *session = agents.open(port); });
    return stream;
  }

 private:
  process::EventLoop& loop_;
  Agents& agents_;
};

}  // namespace

struct FederationService::Server {
  Server(process::EventLoop& loop, Agents& agents) : calls(loop, agents) {}

  Calls calls;
  std::unique_ptr<grpc::Server> server;
};

FederationService::FederationService(std::unique_ptr<Server> server) : server_(std::move(server)) {}

Result<std::unique_ptr<FederationService>> FederationService::listen(process::EventLoop& loop, Agents& agents,
                                                                     const std::string& address) {
  auto server = std::make_unique<Server>(loop, agents);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&server->calls);
  builder.SetMaxReceiveMessageSize(kMostMessage);
  builder.SetMaxSendMessageSize(kMostMessage);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  server->server = builder.BuildAndStart();
  if (!server->server || port == 0) {
    return Error(Code::Unavailable, "cannot listen on " + address + ": in use, or not an address of this machine");
  }
  std::unique_ptr<FederationService> out(new FederationService(std::move(server)));
  const auto colon = address.rfind(':');
  out->bound_ = address.starts_with("unix:") ? address : address.substr(0, colon + 1) + std::to_string(port);
  return out;
}

FederationService::~FederationService() {
  server_->server->Shutdown(rpc::within(kPatience));
  server_->server->Wait();
}

}  // namespace meshdns::federation
