#include "dnsd/federation/federation_service.h"

#include <grpcpp/grpcpp.h>
#include <grpcpp/resource_quota.h>
#include <malloc.h>

#include <atomic>
#include <functional>
#include <mutex>
#include <utility>

#include "common/rpc/certificate.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"
#include "common/rpc/peer.h"
#include "common/rpc/raw_port.h"
#include "common/rpc/reactors.h"
#include "common/rpc/stream_limits.h"
#include "dnsd/federation/report_session.h"
#include "meshdns/v1/federation.grpc.pb.h"

namespace meshdns::federation {
namespace {

constexpr Duration kPatience = 2s;
constexpr int kHandshakeMs = 10000;  // limit until TLS and HTTP/2 settings are exchanged
constexpr int kIdleMs = 60000;       // limit of a connection without a call
constexpr int kStreamsOfConnection = 1024;
constexpr std::size_t kStreamsPerConnection = 4;  // on average: a fleet may share a proxy's connection

using Stream = rpc::ServerStream<v1::AgentMessage, v1::ReportReply>;

/// The service with Report on decoded messages, Watch on encoded bytes, and Enroll.
using Methods = v1::Federation::WithCallbackMethod_Report<
    v1::Federation::WithRawCallbackMethod_Watch<v1::Federation::WithCallbackMethod_Enroll<v1::Federation::Service>>>;

/// Bounds the bytes that gRPC may hold of incoming messages. gRPC 1.51 gathers a message up to the length that its head
/// claims (up to 4 GiB) before it checks whether such a length is allowed. Beyond the quota gRPC ends streams, and
/// honest peers connect again. The quota follows the number of open connections and streams, in steps, up and down.
class Buffers {
 public:
  static constexpr std::size_t kBase = std::size_t{64} << 20;
  static constexpr std::size_t kEach = std::size_t{64} << 10;  // bytes for each connection or stream
  static constexpr std::size_t kStep = 256;                    // connections and streams in one step

  Buffers(std::shared_ptr<const rpc::Acceptor> acceptor, std::shared_ptr<rpc::StreamLimits> streams)
      : acceptor_(std::move(acceptor)), streams_(std::move(streams)), quota_("federation") {
    fit();
  }
  const grpc::ResourceQuota& quota() const { return quota_; }

  /// Adapts the quota to the number of open connections and streams.
  /// thread: any
  void fit() {
    const std::size_t steps = (acceptor_->counts().open + streams_->counts().open) / kStep + 1;
    const std::lock_guard lock(mutex_);
    // one step of slack: otherwise a count that crosses a border again and again would resize each time
    if (steps <= steps_ && steps + 1 >= steps_) return;
    steps_ = steps;
    quota_.Resize(kBase + steps * kStep * kEach);
  }

 private:
  const std::shared_ptr<const rpc::Acceptor> acceptor_;
  const std::shared_ptr<rpc::StreamLimits> streams_;
  std::mutex mutex_;  // guards the members that follow
  grpc::ResourceQuota quota_;
  std::size_t steps_ = 0;
};

/// A stream that ends at once.
template <class In, class Out>
class RefusedStream : public grpc::ServerBidiReactor<In, Out> {
 public:
  explicit RefusedStream(const grpc::Status& status) { this->Finish(status); }
  void OnDone() override { delete this; }
};

/// The status of a stream beyond the limit of its address or of the port.
grpc::Status too_many() { return {grpc::StatusCode::RESOURCE_EXHAUSTED, "there are as many streams as there may be"}; }

/// Returns the status of a refused Enroll. Who is refused for good must be told from who may try again.
grpc::Status status_of(const Error& error) {
  switch (error.code()) {
    case Code::PermissionDenied: return {grpc::StatusCode::PERMISSION_DENIED, error.message()};
    case Code::InvalidArgument: return {grpc::StatusCode::INVALID_ARGUMENT, error.message()};
    default: return {grpc::StatusCode::UNAVAILABLE, error.message()};
  }
}

/// Returns freed memory to the system. After a storm of connections glibc would keep it in the arenas of gRPC's
/// threads.
void give_memory_back() { ::malloc_trim(0); }

/// Turns each call into a session on the control thread.
class Calls : public Methods {
 public:
  using WatchersOf = FederationService::WatchersOf;
  using Ticket = std::shared_ptr<rpc::StreamLimits::Ticket>;

  Calls(process::EventLoop& loop, Agents& agents, WatchersOf watchers, const PortOptions& options,
        const std::shared_ptr<rpc::Acceptor>& acceptor, rpc::StreamLimits::Options streams)
      : loop_(loop),
        agents_(agents),
        watchers_(std::move(watchers)),
        gate_(options.gate),
        enroll_(options.enroll),
        acceptor_(acceptor),
        streams_(std::make_shared<rpc::StreamLimits>(streams)),
        buffers_(std::make_shared<Buffers>(acceptor, streams_)) {}

  grpc::ServerUnaryReactor* Enroll(grpc::CallbackServerContext* context, const v1::EnrollRequest* request,
                                   v1::EnrollReply* reply) override {
    auto* reactor = context->DefaultReactor();
    const auto applicant = applicant_of(*context);
    if (!enroll_) {
      reactor->Finish({grpc::StatusCode::UNIMPLEMENTED, "this federation signs no certificates"});
    } else if (!applicant) {
      log::AuditEntry refused{log::Audit::kUnknown, rpc::peer_text(context->peer()), "enroll", request->name(),
                              applicant.error().message()};
      loop_.post([&agents = agents_, refused = std::move(refused)] { agents.refused(refused); });
      reactor->Finish({grpc::StatusCode::PERMISSION_DENIED, applicant.error().message()});
    } else {
      loop_.post([this, reactor, request, reply, applicant = *applicant] {
        enroll_(*request, applicant, [reactor, reply](Result<v1::EnrollReply> done) {
          if (done) *reply = *std::move(done);
          reactor->Finish(done ? grpc::Status::OK : status_of(done.error()));
        });
      });
    }
    return reactor;
  }

  Buffers& buffers() { return *buffers_; }
  std::shared_ptr<const rpc::StreamLimits> streams() const { return streams_; }

  grpc::ServerBidiReactor<v1::AgentMessage, v1::ReportReply>* Report(grpc::CallbackServerContext* context) override {
    using Refused = RefusedStream<v1::AgentMessage, v1::ReportReply>;
    auto ticket = admit(*context);
    if (!ticket) return new Refused(too_many());
    auto caller = identify(*context, "report");
    if (!caller) return new Refused({grpc::StatusCode::PERMISSION_DENIED, caller.error().message()});
    auto* stream = new Stream(context, poster(*context, ticket));
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
    events.written = [session] {
      if (*session) (*session)->written();
    };
    events.closed = [session, end = ending(std::move(ticket))](const Error&) {
      if (const auto ended = std::exchange(*session, nullptr)) ended->closed();
      end();
    };
    port->set_events(std::move(events));
    port->read_ahead();  // gRPC delivers nothing before this returns: the session is open by then
    const auto peer = rpc::peer_named(context->peer());
    const bool here = !peer || peer->ip.is_loopback();
    const std::string address = rpc::quota_address(context->peer());
    loop_.post([&agents = agents_, session, port, pulse,
                who = ReportPeer{here, address, std::move(*caller), rpc::peer_text(context->peer())}] {
      *session = agents.open(port, pulse, who);
    });
    return stream;
  }

  grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>* Watch(grpc::CallbackServerContext* context) override {
    using Refused = RefusedStream<grpc::ByteBuffer, grpc::ByteBuffer>;
    auto ticket = admit(*context);
    if (!ticket) return new Refused(too_many());
    auto caller = identify(*context, "watch");
    if (!caller) return new Refused({grpc::StatusCode::PERMISSION_DENIED, caller.error().message()});
    auto* stream = new rpc::RawServerStream(context, poster(*context, ticket));
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
    events.closed = [session, watchers = watchers_, end = ending(std::move(ticket))](const Error&) {
      if (const auto ended = std::exchange(*session, nullptr)) watchers().closed(*ended);
      end();
    };
    port->set_events(std::move(events));
    port->read_ahead();
    loop_.post([watchers = watchers_, session, port, peer = context->peer(), caller = std::move(*caller)] {
      *session = watchers().open(std::make_shared<rpc::RawPort>(port), peer, caller);
    });
    return stream;
  }

 private:
  /// Returns a function that posts a stream's events to the control thread. The first event is that a message has come,
  /// or that the stream has ended. It proves the connection, however long the control thread takes to handle it.
  std::function<void(std::function<void()>)> poster(const grpc::CallbackServerContext& context,
                                                    const Ticket& ticket) const {
    return [&loop = loop_, acceptor = acceptor_, peer = context.peer(), weak = std::weak_ptr(ticket),
            proven = std::make_shared<std::atomic<bool>>()](std::function<void()> work) {
      if (!proven->exchange(true)) {
        acceptor->proven(peer);
        if (const auto open = weak.lock()) open->spoke();
      }
      loop.post(std::move(work));
    };
  }
  /// Returns what a caller's connection shows.
  /// errors: PermissionDenied: it has a certificate of nobody
  Result<identity::Proof> applicant_of(const grpc::CallbackServerContext& context) const {
    identity::Proof out{.peer = context.peer(), .where = {}, .who = {}, .key_hash = {}};
    if (const auto peer = rpc::peer_named(out.peer)) out.where = peer->ip;
    const auto proof = context.auth_context();
    if (!rpc::certificate_uris(*proof)) return out;
    const auto caller = rpc::caller_of(*gate_, *proof);
    if (!caller) return caller.error();
    out.who = caller->who();
    out.key_hash = caller->key();
    out.of_pod = rpc::certificate_is_of_pod(*proof);
    return out;
  }
  /// Returns who calls. A caller that is nobody is counted, and noted in the audit.
  Result<identity::Caller> identify(const grpc::CallbackServerContext& context, const char* verb) const {
    const auto proof = context.auth_context();
    auto caller = rpc::caller_of(*gate_, *proof);
    if (!caller) {
      log::AuditEntry refused{log::Audit::kUnknown, rpc::peer_text(context.peer()), verb, "", caller.error().message()};
      loop_.post([&agents = agents_, refused = std::move(refused)] { agents.refused(refused); });
    }
    return caller;
  }
  Ticket admit(const grpc::CallbackServerContext& context) const {
    Ticket ticket = streams_->admit(context.peer());
    if (ticket) buffers_->fit();
    return ticket;
  }
  /// Returns the function to call when the stream of this ticket has ended.
  std::function<void()> ending(Ticket ticket) const {
    return [held = std::make_shared<Ticket>(std::move(ticket)), streams = streams_, buffers = buffers_] {
      held->reset();
      buffers->fit();
      if (streams->ebbed()) give_memory_back();
    };
  }

  process::EventLoop& loop_;
  Agents& agents_;
  WatchersOf watchers_;
  const std::shared_ptr<const identity::Gate> gate_;
  const federation::Enroll enroll_;
  // shared: events may outlive the calls
  std::shared_ptr<rpc::Acceptor> acceptor_;
  std::shared_ptr<rpc::StreamLimits> streams_;
  std::shared_ptr<Buffers> buffers_;
};

rpc::StreamLimits::Options stream_limits(const rpc::Acceptor::Options& connections) {
  rpc::StreamLimits::Options out;
  out.connection = kStreamsOfConnection;
  out.open = {kStreamsPerConnection * connections.connections, kStreamsPerConnection * connections.per_address};
  return out;
}

}  // namespace

struct FederationService::Server {
  Server(process::EventLoop& loop, Agents& agents, WatchersOf watchers, const PortOptions& of_port,
         std::shared_ptr<rpc::Acceptor> port, rpc::StreamLimits::Options streams)
      : acceptor(std::move(port)), calls(loop, agents, std::move(watchers), of_port, acceptor, streams) {}

  std::shared_ptr<rpc::Acceptor> acceptor;
  Calls calls;
  PortOptions options;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> entrance;
  std::unique_ptr<grpc::Server> server;
};

namespace {

void set_limits(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(rpc::kMostMessage);
  builder.SetMaxSendMessageSize(rpc::kMostMessage);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsOfConnection);
  // the buffer of an idle connection; gRPC enlarges it for larger messages
  builder.AddChannelArgument(GRPC_ARG_TCP_READ_CHUNK_SIZE, 1024);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  // no keepalive from here: ADR 0018. A link that fell silent is found by the kernel (rpc::ListeningSocket)
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeMs);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONNECTION_IDLE_MS, kIdleMs);
}

}  // namespace

FederationService::FederationService(std::unique_ptr<Server> server) : server_(std::move(server)) {}

Result<std::unique_ptr<FederationService>> FederationService::listen(process::EventLoop& loop, const Clock& clock,
                                                                     Agents& agents, WatchersOf watchers,
                                                                     PortOptions options) {
  auto acceptor = rpc::Acceptor::listen(options.address, options.connections, clock);
  if (!acceptor) return acceptor.error();
  if (!options.credentials) options.credentials = grpc::InsecureServerCredentials();
  auto server = std::make_unique<Server>(loop, agents, std::move(watchers), options, std::move(*acceptor),
                                         stream_limits(options.connections));
  server->options = std::move(options);
  grpc::ServerBuilder builder;
  server->entrance = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, server->options.credentials);
  builder.RegisterService(&server->calls);
  for (const auto& service : server->options.also) builder.RegisterService(service.get());
  builder.SetResourceQuota(server->calls.buffers().quota());
  set_limits(builder);
  server->server = builder.BuildAndStart();
  if (!server->server) return Error(Code::Unavailable, server->options.address + ": gRPC cannot be started there");
  const auto hand_over = [at = server.get()](int listener, int descriptor) {
    at->calls.buffers().fit();
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.listener_fd = listener;
    connection.fd = descriptor;
    at->entrance->HandleNewConnection(&connection);
  };
  std::unique_ptr<FederationService> out(new FederationService(std::move(server)));
  if (auto started = out->server_->acceptor->start(hand_over, give_memory_back); !started) return started.error();
  return out;
}

const std::string& FederationService::bound() const { return server_->acceptor->bound(); }

std::shared_ptr<const rpc::Acceptor> FederationService::acceptor() const { return server_->acceptor; }

std::shared_ptr<const rpc::StreamLimits> FederationService::streams() const { return server_->calls.streams(); }

FederationService::~FederationService() {
  server_->acceptor->stop();  // first: gRPC does not close connections that it gets after its end
  server_->server->Shutdown(rpc::within(kPatience));
  server_->server->Wait();
}

}  // namespace meshdns::federation
