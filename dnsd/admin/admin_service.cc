#include "dnsd/admin/admin_service.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "common/net/local_user.h"
#include "common/rpc/acceptor.h"
#include "common/rpc/deadline.h"
#include "dnsd/admin/calls.h"

namespace meshdns::admin {
namespace {

constexpr Duration kPatience = 1s;

/// The gRPC server for the connections of one user.
struct UserServer {
  std::shared_ptr<grpc::Service> calls;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> entrance;
  std::unique_ptr<grpc::Server> server;  // null = gRPC could not start it
};

UserServer served(std::shared_ptr<grpc::Service> calls) {
  UserServer out;
  out.calls = std::move(calls);
  grpc::ServerBuilder builder;
  out.entrance = builder.experimental().AddExternalConnectionAcceptor(
      grpc::ServerBuilder::experimental_type::ExternalConnectionType::FROM_FD, grpc::InsecureServerCredentials());
  builder.RegisterService(out.calls.get());
  out.server = builder.BuildAndStart();
  return out;
}

}  // namespace

struct AdminService::Server {
  using CallsOf = std::function<std::shared_ptr<grpc::Service>(std::uint32_t uid)>;

  Server(CallsOf made, std::unique_ptr<rpc::Acceptor> socket)
      : calls_of(std::move(made)), acceptor(std::move(socket)) {}

  /// Returns whether the user has a server, which is started if it is the user's first connection.
  bool serves(std::uint32_t uid);
  /// Takes over a connection. Closes it if its user cannot be served.
  void take(int listener, int descriptor);
  void end();

  const CallsOf calls_of;
  std::unique_ptr<rpc::Acceptor> acceptor;
  std::map<std::uint32_t, UserServer> users;  // by uid; used on the acceptor's thread while that runs
};

bool AdminService::Server::serves(std::uint32_t uid) {
  if (users.contains(uid)) return true;
  UserServer made = served(calls_of(uid));
  if (!made.server) return false;
  users.emplace(uid, std::move(made));
  return true;
}

void AdminService::Server::take(int listener, int descriptor) {
  const auto uid = uid_at(descriptor);
  if (!uid || !serves(*uid)) {
    ::close(descriptor);
    return;
  }
  grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters connection;
  connection.listener_fd = listener;
  connection.fd = descriptor;
  users.at(*uid).entrance->HandleNewConnection(&connection);
}

void AdminService::Server::end() {
  acceptor->stop();  // first: gRPC does not close connections that it gets after its end
  const auto deadline = rpc::within(kPatience);
  for (const auto& [uid, user] : users) user.server->Shutdown(deadline);
  for (const auto& [uid, user] : users) user.server->Wait();
}

AdminService::AdminService(std::unique_ptr<Server> server) : server_(std::move(server)) {}

/// gRPC's own listener never accepts again after accept(2) has failed for want of descriptors; the acceptor tries
/// again.
Result<std::unique_ptr<AdminService>> AdminService::listen(process::EventLoop& loop, const Clock& clock, Mesh& mesh,
                                                           log::Audit& audit, const std::string& path) {
  const mode_t mask = ::umask(0117);
  auto acceptor = rpc::Acceptor::listen("unix:" + path, {}, clock);
  ::umask(mask);
  if (!acceptor) return acceptor.error();
  const auto calls_of = [&loop, &mesh, &audit](std::uint32_t uid) {
    return calls_from_here(loop, mesh, audit, LocalUser::look_up(uid));
  };
  auto server = std::make_unique<Server>(calls_of, std::move(*acceptor));
  if (!server->serves(::geteuid())) {
    return Error(Code::Unavailable, path + ": gRPC cannot be started there");
  }
  std::unique_ptr<AdminService> out(new AdminService(std::move(server)));
  const auto take = [server = out->server_.get()](int listener, int descriptor) { server->take(listener, descriptor); };
  if (auto started = out->server_->acceptor->start(take); !started) return started.error();
  return out;
}

AdminService::~AdminService() { server_->end(); }

}  // namespace meshdns::admin
