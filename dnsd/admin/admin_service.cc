#include "dnsd/admin/admin_service.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/net/unix_socket.h"
#include "common/rpc/deadline.h"
#include "meshdns/v1/admin.grpc.pb.h"

namespace meshdns::admin {
namespace {

constexpr Duration kPatience = 1s;

grpc::Status status_of(const Error& error) {
  switch (error.code()) {
    case Code::NotFound: return {grpc::StatusCode::NOT_FOUND, error.message()};
    case Code::Unavailable: return {grpc::StatusCode::ABORTED, error.message()};
    case Code::InvalidArgument: return {grpc::StatusCode::INVALID_ARGUMENT, error.message()};
    default: return {grpc::StatusCode::FAILED_PRECONDITION, error.message()};
  }
}

/// Each call is answered on the control thread.
class Calls : public v1::Admin::CallbackService {
 public:
  Calls(process::EventLoop& loop, Mesh& mesh) : loop_(loop), mesh_(mesh) {}

  using Context = grpc::CallbackServerContext;
  using Reactor = grpc::ServerUnaryReactor;

  Reactor* Apply(Context* context, const v1::ApplyRequest* request, v1::ApplyReply* reply) override {
    Reactor* reactor = context->DefaultReactor();
    loop_.post([this, request, reply, reactor] {
      mesh_.apply(*request, [reply, reactor](v1::ApplyReply done) {
        *reply = std::move(done);
        reactor->Finish(grpc::Status::OK);
      });
    });
    return reactor;
  }
  Reactor* Delete(Context* context, const v1::DeleteRequest* request, v1::DeleteReply* reply) override {
    Reactor* reactor = context->DefaultReactor();
    loop_.post([this, request, reply, reactor] {
      mesh_.erase(*request,
                  [reply, reactor](Result<v1::DeleteReply> done) { reactor->Finish(fill(std::move(done), reply)); });
    });
    return reactor;
  }
  Reactor* List(Context* context, const v1::ListRequest* request, v1::ListReply* reply) override {
    return later(context, [this, request, reply] { return fill(mesh_.list(*request), reply); });
  }
  Reactor* Explain(Context* context, const v1::ExplainRequest* request, v1::ExplainReply* reply) override {
    return later(context, [this, request, reply] { return fill(mesh_.explain(*request), reply); });
  }
  Reactor* Status(Context* context, const v1::StatusRequest*, v1::StatusReply* reply) override {
    return later(context, [this, reply] {
      *reply = mesh_.status();
      return grpc::Status::OK;
    });
  }
  Reactor* ApproveShrink(Context* context, const v1::ApproveShrinkRequest*, v1::ApproveShrinkReply* reply) override {
    return later(context, [this, reply] { return fill(mesh_.approve_shrink(), reply); });
  }

 private:
  template <class F>
  Reactor* later(Context* context, F work) {
    Reactor* reactor = context->DefaultReactor();
    loop_.post([reactor, work = std::move(work)] { reactor->Finish(work()); });
    return reactor;
  }
  template <class T>
  static grpc::Status fill(Result<T> result, T* reply) {
    if (!result) return status_of(result.error());
    *reply = std::move(*result);
    return grpc::Status::OK;
  }

  process::EventLoop& loop_;
  Mesh& mesh_;
};

}  // namespace

struct AdminService::Server {
  Server(process::EventLoop& loop, Mesh& mesh, std::string socket) : calls(loop, mesh), path(std::move(socket)) {}

  Calls calls;
  std::string path;
  std::unique_ptr<grpc::Server> server;
};

AdminService::AdminService(std::unique_ptr<Server> server) : server_(std::move(server)) {}

Result<std::unique_ptr<AdminService>> AdminService::listen(process::EventLoop& loop, Mesh& mesh,
                                                           const std::string& path) {
  if (auto freed = free_socket_path(path); !freed) return freed.error();
  auto server = std::make_unique<Server>(loop, mesh, path);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
  builder.RegisterService(&server->calls);
  const mode_t mask = ::umask(0117);
  server->server = builder.BuildAndStart();
  ::umask(mask);
  if (!server->server) return Error(Code::Unavailable, path + ": cannot listen there: " + std::strerror(errno));
  return std::unique_ptr<AdminService>(new AdminService(std::move(server)));
}

AdminService::~AdminService() {
  server_->server->Shutdown(rpc::within(kPatience));
  server_->server->Wait();
  ::unlink(server_->path.c_str());
}

}  // namespace meshdns::admin
