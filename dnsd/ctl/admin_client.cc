#include "dnsd/ctl/admin_client.h"

#include <grpcpp/grpcpp.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "common/rpc/caller.h"
#include "common/rpc/credentials.h"
#include "common/rpc/deadline.h"
#include "common/rpc/handshakes.h"
#include "common/rpc/plain_words.h"
#include "common/rpc/reactors.h"
#include "common/time/duration_text.h"
#include "dnsd/ctl/append.h"
#include "meshdns/v1/admin.grpc.pb.h"

namespace meshdns::ctl {
namespace {

constexpr Duration kDeadline = 10s;
// for answers that need many hosts or objects
constexpr Duration kLongDeadline = 60s;
// large, because servers older than paging send an answer in one message
constexpr int kMostMessage = 256 << 20;

constexpr std::string_view kUnix = "unix:";

/// Returns whether the address is a socket that exists and to which this user may not connect.
bool is_forbidden(const std::string& address) {
  return address.starts_with(kUnix) && ::access(address.c_str() + kUnix.size(), W_OK) != 0 && errno == EACCES;
}

/// Returns the caller for the server's log: "alice (uid 1000, pid 4711)".
std::string caller() {
  const uid_t uid = ::getuid();
  const passwd* found = ::getpwuid(uid);
  return std::string(found == nullptr ? "?" : found->pw_name) + " (uid " + std::to_string(uid) + ", pid " +
         std::to_string(::getpid()) + ")";
}

/// Returns why no server answers, in words for operators.
/// why: gRPC's message, the only place that holds the reason
std::string unreachable(const ServerAccess& server, const std::string& why) {
  const auto says = [&](const char* what) { return why.find(what) != std::string::npos; };
  const std::string& at = server.address;
  if (says("Domain name not found")) return at + ": there is no such host";
  if (is_forbidden(at)) return "permission denied: " + at + " is for root and the group meshdns";
  if (!server.tls || says("Connection refused") || says("No such file")) {
    return "no meshdnsd answers at " + at + " (is it running? --server names another)";
  }
  const rpc::FailedHandshake failed = rpc::last_failed_connection();
  if (!failed.alert.empty()) return at + " refused " + server.tls->certificate + " (" + failed.alert + ")";
  if (says("certificate verify failed")) {
    const std::string reason = failed.mistrust.empty() ? "" : ": " + failed.mistrust;
    return at + ": its certificate is not of " + server.tls->ca + ", or its time is over" + reason;
  }
  if (says("Hostname Verification")) return at + ": its certificate is for other addresses than this one";
  if (says("wrong version number") || says("packet length")) {
    return at + " does not speak TLS (with federation.insecure: true it takes agents only, meshdnsctl on its host)";
  }
  if (says("Socket closed") || says("Connection reset") || says("Broken pipe")) {
    return at + " refused " + server.tls->certificate + " (its log says why: tls handshake failed)";
  }
  return "no connection to " + at + ": " + rpc::plain_words(why);
}

/// Makes one call and translates its failure. `call` gets the context and the reply.
template <class Reply, class F>
Result<Reply> called(const ServerAccess& server, F call, Duration deadline = kDeadline) {
  grpc::ClientContext context;
  context.set_deadline(rpc::within(deadline));
  context.AddMetadata(rpc::kCallerKey, caller());
  Reply reply;
  const grpc::Status status = call(context, reply);
  if (status.ok()) return reply;
  const Error error = rpc::error_of(status);
  switch (error.code()) {
    case Code::Unavailable: return Error(error.code(), unreachable(server, status.error_message()));
    case Code::DeadlineExceeded:
      return Error(error.code(), "no answer from " + server.address + " within " + duration_text(deadline));
    case Code::FailedPrecondition:
    case Code::NotFound:
    case Code::PermissionDenied:
    case Code::Unimplemented: return error;
    default: return Error(Code::InvalidArgument, error.message());
  }
}

/// Returns all pages of an answer. A server older than paging sends everything in its first reply.
/// call: makes the call with the present content of `request`
template <class Reply, class Request, class F>
Result<Reply> all_pages(const ServerAccess& server, Request& request, std::uint32_t rows, F call) {
  Reply all;
  request.set_limit(rows);
  do {
    auto page = called<Reply>(server, call, kLongDeadline);
    if (!page) return page;
    request.set_continue_(page->continue_());
    append(*std::move(page), all);
  } while (!request.continue_().empty());
  return all;
}

}  // namespace

struct AdminClient::Stub {
  std::unique_ptr<v1::Admin::Stub> rpc;
};

AdminClient::AdminClient(const ServerAccess& server) : server_(server), stub_(std::make_unique<Stub>()) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMostMessage);
  stub_->rpc =
      v1::Admin::NewStub(grpc::CreateCustomChannel(server.address, rpc::channel_credentials(server.tls), arguments));
}

AdminClient::~AdminClient() = default;

Result<v1::ApplyReply> AdminClient::apply(const v1::ApplyRequest& request) {
  return called<v1::ApplyReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Apply(&context, request, &reply); });
}

Result<v1::DeleteReply> AdminClient::erase(const v1::DeleteRequest& request) {
  return called<v1::DeleteReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Delete(&context, request, &reply); });
}

Result<v1::ListReply> AdminClient::list(const v1::ListRequest& request) {
  return called<v1::ListReply>(server_,
                               [&](auto& context, auto& reply) { return stub_->rpc->List(&context, request, &reply); });
}

Result<v1::ListReply> AdminClient::list_all(const std::string& kind) {
  v1::ListRequest request;
  request.set_kind(kind);
  return all_pages<v1::ListReply>(
      server_, request, kRows, [&](auto& context, auto& reply) { return stub_->rpc->List(&context, request, &reply); });
}

Result<v1::ExplainReply> AdminClient::explain(v1::ExplainRequest request, std::uint32_t rows) {
  return all_pages<v1::ExplainReply>(server_, request, rows, [&](auto& context, auto& reply) {
    return stub_->rpc->Explain(&context, request, &reply);
  });
}

Result<v1::SimulateReply> AdminClient::simulate(v1::SimulateRequest request, std::uint32_t rows) {
  return all_pages<v1::SimulateReply>(server_, request, rows, [&](auto& context, auto& reply) {
    return stub_->rpc->Simulate(&context, request, &reply);
  });
}

Result<v1::EventsReply> AdminClient::events(const v1::EventsRequest& request, bool patient) {
  return called<v1::EventsReply>(server_, [&](auto& context, auto& reply) {
    context.set_wait_for_ready(patient);
    return stub_->rpc->Events(&context, request, &reply);
  });
}

Result<v1::ChangesReply> AdminClient::changes() {
  return called<v1::ChangesReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Changes(&context, v1::ChangesRequest(), &reply); });
}

Result<v1::LintReply> AdminClient::lint(v1::LintRequest request, std::uint32_t rows) {
  return all_pages<v1::LintReply>(
      server_, request, rows, [&](auto& context, auto& reply) { return stub_->rpc->Lint(&context, request, &reply); });
}

Result<v1::StatusReply> AdminClient::status() {
  return called<v1::StatusReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Status(&context, v1::StatusRequest(), &reply); });
}

Result<v1::TokenReply> AdminClient::token(const v1::TokenRequest& request) {
  return called<v1::TokenReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Token(&context, request, &reply); });
}

Result<v1::ApproveShrinkReply> AdminClient::approve_shrink() {
  return called<v1::ApproveShrinkReply>(server_, [&](auto& context, auto& reply) {
    return stub_->rpc->ApproveShrink(&context, v1::ApproveShrinkRequest(), &reply);
  });
}

Result<v1::CaptureReply> AdminClient::capture(const v1::CaptureRequest& request) {
  return called<v1::CaptureReply>(
      server_, [&](auto& context, auto& reply) { return stub_->rpc->Capture(&context, request, &reply); });
}

}  // namespace meshdns::ctl
