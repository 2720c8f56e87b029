#include "dnsd/admin/admin_service.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "common/net/unix_socket.h"
#include "common/rpc/deadline.h"
#include "dnsd/admin/calls.h"

namespace meshdns::admin {
namespace {

constexpr Duration kPatience = 1s;

}  // namespace

struct AdminService::Server {
  Server(std::shared_ptr<grpc::Service> service, std::string socket)
      : calls(std::move(service)), path(std::move(socket)) {}

  std::shared_ptr<grpc::Service> calls;
  std::string path;
  std::unique_ptr<grpc::Server> server;
};

AdminService::AdminService(std::unique_ptr<Server> server) : server_(std::move(server)) {}

Result<std::unique_ptr<AdminService>> AdminService::listen(process::EventLoop& loop, Mesh& mesh,
                                                           const std::string& path) {
  if (auto freed = free_socket_path(path); !freed) return freed.error();
  auto server = std::make_unique<Server>(calls_from_here(loop, mesh), path);
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + path, grpc::InsecureServerCredentials());
  builder.RegisterService(server->calls.get());
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
