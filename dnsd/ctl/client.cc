#include "dnsd/ctl/client.h"

#include <grpcpp/grpcpp.h>

#include "common/rpc/credentials.h"
#include "common/rpc/deadline.h"
#include "common/rpc/reactors.h"
#include "meshdns/v1/admin.grpc.pb.h"

namespace meshdns::ctl {
namespace {

constexpr Duration kDeadline = 10s;

/// Why nobody answers there, in words for people.
/// why: what gRPC says of it, the only place where the reason is
std::string unreachable(const Server& server, const std::string& why) {
  const auto says = [&](const char* what) { return why.find(what) != std::string::npos; };
  const std::string& at = server.address;
  if (says("Domain name not found")) return at + ": there is no such host";
  if (!server.tls || says("Connection refused") || says("No such file")) {
    return "no meshdnsd answers at " + at + " (is it running? --server names another)";
  }
  if (says("certificate verify failed")) {
    return at + ": its certificate is not of " + server.tls->ca + ", or its time is over";
  }
  if (says("Hostname Verification")) return at + ": its certificate is for other addresses than this one";
  if (says("wrong version number") || says("packet length")) {
    return at + " does not speak TLS (with federation.insecure: true it takes agents only, meshdnsctl on its host)";
  }
  if (says("Socket closed") || says("Connection reset") || says("Broken pipe")) {
    return at + " refused " + server.tls->certificate + " (its log says why: tls handshake failed)";
  }
  return "no connection to " + at + ": " + why;
}

/// `call` is given the context.
template <class Reply, class F>
Result<Reply> called(const Server& server, F call) {
  grpc::ClientContext context;
  context.set_deadline(rpc::within(kDeadline));
  Reply reply;
  const grpc::Status status = call(context, reply);
  if (status.ok()) return reply;
  const Error error = rpc::error_of(status);
  switch (error.code()) {
    case Code::Unavailable: return Error(error.code(), unreachable(server, error.message()));
    case Code::DeadlineExceeded: return Error(error.code(), "no answer from " + server.address + " within 10 s");
    case Code::NotFound:
    case Code::PermissionDenied:
    case Code::Unimplemented: return error;
    default: return Error(Code::InvalidArgument, error.message());
  }
}

}  // namespace

struct Client::Stub {
  std::unique_ptr<v1::Admin::Stub> rpc;
};

Client::Client(const Server& server) : server_(server), stub_(std::make_unique<Stub>()) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  stub_->rpc =
      v1::Admin::NewStub(grpc::CreateCustomChannel(server.address, rpc::channel_credentials(server.tls), arguments));
}

Client::~Client() = default;

Result<v1::ApplyReply> Client::apply(const v1::ApplyRequest& request) {
  return called<v1::ApplyReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Apply(&context, request, &reply); });
}

Result<v1::DeleteReply> Client::erase(const v1::DeleteRequest& request) {
  return called<v1::DeleteReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Delete(&context, request, &reply); });
}

Result<v1::ListReply> Client::list(const std::string& kind, const std::string& key) {
  v1::ListRequest request;
  request.set_kind(kind);
  request.set_key(key);
  return called<v1::ListReply>(server_,
                               [&](auto& context, auto& reply) { return stub_->rpc->List(&context, request, &reply); });
}

Result<v1::ExplainReply> Client::explain(const v1::ExplainRequest& request) {
  return called<v1::ExplainReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Explain(&context, request, &reply); });
}

Result<v1::SimulateReply> Client::simulate(const v1::SimulateRequest& request) {
  return called<v1::SimulateReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Simulate(&context, request, &reply); });
}

Result<v1::EventsReply> Client::events(const v1::EventsRequest& request) {
  return called<v1::EventsReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Events(&context, request, &reply); });
}

Result<v1::LintReply> Client::lint(const v1::LintRequest& request) {
  return called<v1::LintReply>(server_,
                               [&](auto& context, auto& reply) { return stub_->rpc->Lint(&context, request, &reply); });
}

Result<v1::StatusReply> Client::status() {
  return called<v1::StatusReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Status(&context, v1::StatusRequest(), &reply); });
}

Result<v1::ApproveShrinkReply> Client::approve_shrink() {
  return called<v1::ApproveShrinkReply>(server_, [&](auto& context, auto& reply) {
    return stub_->rpc->ApproveShrink(&context, v1::ApproveShrinkRequest(), &reply);
  });
}

Result<v1::CaptureReply> Client::capture(const v1::CaptureRequest& request) {
  return called<v1::CaptureReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Capture(&context, request, &reply); });
}

}  // namespace meshdns::ctl
