#include "dnsd/ctl/client.h"

#include <grpcpp/grpcpp.h>

#include "common/rpc/deadline.h"
#include "meshdns/v1/admin.grpc.pb.h"

namespace meshdns::ctl {
namespace {

constexpr Duration kDeadline = 10s;

/// `call` is given the context.
template <class Reply, class F>
Result<Reply> called(const std::string& server, F call) {
  grpc::ClientContext context;
  context.set_deadline(rpc::within(kDeadline));
  Reply reply;
  const grpc::Status status = call(context, reply);
  if (status.ok()) return reply;
  if (status.error_code() == grpc::StatusCode::UNAVAILABLE) {
    return Error(Code::Unavailable, "no meshdnsd answers at " + server + " (is it running? --server names another)");
  }
  const Code code = status.error_code() == grpc::StatusCode::NOT_FOUND ? Code::NotFound : Code::InvalidArgument;
  return Error(code, status.error_message());
}

}  // namespace

struct Client::Stub {
  std::unique_ptr<v1::Admin::Stub> rpc;
};

Client::Client(const std::string& server)
    : server_(server.starts_with('/') ? "unix:" + server : server), stub_(std::make_unique<Stub>()) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  stub_->rpc = v1::Admin::NewStub(grpc::CreateCustomChannel(server_, grpc::InsecureChannelCredentials(), arguments));
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

Result<v1::StatusReply> Client::status() {
  return called<v1::StatusReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Status(&context, v1::StatusRequest(), &reply); });
}

Result<v1::ApproveShrinkReply> Client::approve_shrink() {
  return called<v1::ApproveShrinkReply>(server_, [&](auto& context, auto& reply) {
    return stub_->rpc->ApproveShrink(&context, v1::ApproveShrinkRequest(), &reply);
  });
}

}  // namespace meshdns::ctl
