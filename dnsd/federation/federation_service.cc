#include "dnsd/federation/federation_service.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>

#include <atomic>
#include <utility>

#include "common/net/unix_socket.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"
#include "common/rpc/raw_port.h"
#include "common/rpc/reactors.h"
#include "dnsd/federation/report_session.h"
#include "meshdns/v1/federation.grpc.pb.h"

namespace meshdns::federation {
namespace {

constexpr Duration kPatience = 2s;
constexpr std::string_view kUnix = "unix:";

using Stream = rpc::ServerStream<v1::AgentMessage, v1::ReportReply>;

/// Report with messages, Watch with bytes that are encoded already, Enroll not yet.
using Methods = v1::Federation::WithCallbackMethod_Report<
    v1::Federation::WithRawCallbackMethod_Watch<v1::Federation::WithCallbackMethod_Enroll<v1::Federation::Service>>>;

/// How much gRPC may hold of what peers send. gRPC 1.51 gathers a message up to the length that its head claims (up to
/// 4 GiB) before it looks whether it may be as long; beyond the quota it cuts streams, and who meant well comes back.
class Buffers {
 public:
  static constexpr std::size_t kBase = std::size_t{64} << 20;
  static constexpr std::size_t kStream = std::size_t{64} << 10;
  static constexpr std::size_t kStep = 256;  // streams

  Buffers() : quota_("federation") { quota_.Resize(kBase); }
  const grpc::ResourceQuota& quota() const { return quota_; }
  /// thread: any
  void opened() {
    const std::size_t streams = ++streams_;
    if (streams % kStep == 0) quota_.Resize(kBase + (streams + kStep) * kStream);
  }
  void closed() { --streams_; }

 private:
  grpc::ResourceQuota quota_;
  std::atomic<std::size_t> streams_ = 0;
};

/// Turns each call into a session on the control thread.
class Calls : public Methods {
 public:
  Calls(process::EventLoop& loop, Agents& agents, Watchers& watchers)
      : loop_(loop), agents_(agents), watchers_(watchers) {}

  const grpc::ResourceQuota& quota() const { return buffers_->quota(); }

  grpc::ServerBidiReactor<v1::AgentMessage, v1::ReportReply>* Report(grpc::CallbackServerContext* context) override {
    auto* stream = new Stream(context, [&loop = loop_](std::function<void()> work) { loop.post(std::move(work)); });
    const auto port = stream->port();
    const auto session = std::make_shared<std::shared_ptr<ReportSession>>();
    rpc::StreamEvents<v1::AgentMessage> events;
    events.received = [session](const v1::AgentMessage& message) {
      if (*session) (*session)->received(message);
    };
    const auto pulse = std::make_shared<Pulse>();
    events.needs_nothing = [&agents = agents_, pulse](const v1::AgentMessage& message) {
      return agents.note(pulse, message);
    };
    events.written = [] {};
    buffers_->opened();
    events.closed = [session, buffers = buffers_](const Error&) {
      buffers->closed();
      if (const auto ended = std::exchange(*session, nullptr)) ended->closed();
    };
    port->set_events(std::move(events));
    loop_.post([&agents = agents_, session, port, pulse] { *session = agents.open(port, pulse); });
    return stream;
  }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Watch(grpc::CallbackServerContext* context) override {
    auto* stream =
        new rpc::RawServerStream(context, [&loop = loop_](std::function<void()> work) { loop.post(std::move(work)); });
    const auto port = stream->port();
    const auto session = std::make_shared<std::shared_ptr<WatchSession>>();
    rpc::StreamEvents<grpc::ByteBuffer> events;
    events.received = [session, port](const grpc::ByteBuffer& buffer) {
      v1::WatchRequest request;
      if (!request.ParseFromString(rpc::bytes_of(buffer))) return port->abort();
      if (*session) (*session)->received(request);
    };
    events.written = [session] {
      if (*session) (*session)->pump();
    };
    buffers_->opened();
    events.closed = [session, &watchers = watchers_, buffers = buffers_](const Error&) {
      buffers->closed();
      if (const auto ended = std::exchange(*session, nullptr)) watchers.closed(*ended);
    };
    port->set_events(std::move(events));
    loop_.post(
        [&watchers = watchers_, session, port] { *session = watchers.open(std::make_shared<rpc::RawPort>(port)); });
    return stream;
  }

 private:
  process::EventLoop& loop_;
  Agents& agents_;
  Watchers& watchers_;
  std::shared_ptr<Buffers> buffers_ = std::make_shared<Buffers>();  // events may outlive the calls
};

}  // namespace

struct FederationService::Server {
  Server(process::EventLoop& loop, Agents& agents, Watchers& watchers, PortOptions port)
      : calls(loop, agents, watchers), options(std::move(port)) {}

  Calls calls;
  PortOptions options;
  std::unique_ptr<grpc::Server> server;
};

FederationService::FederationService(std::unique_ptr<Server> server) : server_(std::move(server)) {}

Result<std::unique_ptr<FederationService>> FederationService::listen(process::EventLoop& loop, Agents& agents,
                                                                     Watchers& watchers, PortOptions options) {
  const std::string address = options.address;
  if (address.starts_with(kUnix)) {
    // gRPC would take over a socket that another process serves
    if (auto freed = free_socket_path(address.substr(kUnix.size())); !freed) return freed.error();
  }
  if (!options.credentials) options.credentials = grpc::InsecureServerCredentials();
  auto server = std::make_unique<Server>(loop, agents, watchers, std::move(options));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(address, server->options.credentials, &port);
  builder.RegisterService(&server->calls);
  for (const auto& service : server->options.also) builder.RegisterService(service.get());
  builder.SetMaxReceiveMessageSize(rpc::kMostMessage);
  builder.SetMaxSendMessageSize(rpc::kMostMessage);
  builder.SetResourceQuota(server->calls.quota());
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // a peer whose link fell silent is found here too, not only by itself
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  server->server = builder.BuildAndStart();
  if (!server->server || port == 0) {
    return Error(Code::Unavailable, "cannot listen on " + address + ": in use, or not an address of this machine");
  }
  std::unique_ptr<FederationService> out(new FederationService(std::move(server)));
  const auto colon = address.rfind(':');
  out->bound_ = address.starts_with(kUnix) ? address : address.substr(0, colon + 1) + std::to_string(port);
  return out;
}

FederationService::~FederationService() {
  server_->server->Shutdown(rpc::within(kPatience));
  server_->server->Wait();
}

}  // namespace meshdns::federation
