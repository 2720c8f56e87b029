#include "dnsd/admin/admin_service.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>

#include <utility>

#include "common/rpc/acceptor.h"
#include "common/rpc/deadline.h"
#include "dnsd/admin/calls.h"

namespace meshdns::admin {
namespace {

constexpr Duration kPatience = 1s;

}  // namespace

struct AdminService::Server {
  Server(std::shared_ptr<grpc::Service> service, std::unique_ptr<rpc::Acceptor> socket)
      : calls(std::move(service)), acceptor(std::move(socket)) {}

  std::shared_ptr<grpc::Service> calls;
  std::unique_ptr<rpc::Acceptor> acceptor;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> entrance;
  std::unique_ptr<grpc::Server> server;
};

AdminService::AdminService(std::unique_ptr<Server> server) : server_(std::move(server)) {}

/// gRPC's own listener never accepts again after accept(2) has failed for want of descriptors; the acceptor tries
/// again.
Result<std::unique_ptr<AdminService>> AdminService::listen(process::EventLoop& loop, const Clock& clock, Mesh& mesh,
                                                           const std::string& path) {
  const mode_t mask = ::umask(0117);
  auto acceptor = rpc::Acceptor::listen("unix:" + path, {}, clock);
  ::umask(mask);
  if (!acceptor) return acceptor.error();
  auto server = std::make_unique<Server>(calls_from_here(loop, clock, mesh), std::move(*acceptor));
  grpc::ServerBuilder builder;
  server->entrance = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
  builder.RegisterService(server->calls.get());
  server->server = builder.BuildAndStart();
  if (!server->server) return Error(Code::Unavailable, path + ": gRPC cannot be started there");
  const auto hand_over = [entrance = server->entrance.get()](int listener, int descriptor) {
    grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
    connection.listener_fd = listener;
    connection.fd = descriptor;
    entrance->HandleNewConnection(&connection);
  };
  std::unique_ptr<AdminService> out(new AdminService(std::move(server)));
  if (auto started = out->server_->acceptor->start(hand_over); !started) return started.error();
  return out;
}

AdminService::~AdminService() {
  server_->acceptor->stop();  // first: gRPC does not close connections that it gets after its end
  server_->server->Shutdown(rpc::within(kPatience));
  server_->server->Wait();
}

}  // namespace meshdns::admin
