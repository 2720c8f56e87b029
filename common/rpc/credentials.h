#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <optional>

#include "common/rpc/tls_files.h"

namespace meshdns::rpc {

/// Returns the credentials of a server. With TLS, each end must show a certificate that the other end's ca has signed,
/// and the server's certificate must name the address that the client connects to. Changed files are used for new
/// connections once renew_copies() has taken them, which TlsWatch does; open connections keep the old ones.
/// files:    nothing = plaintext
/// requires: the files have passed check()
std::shared_ptr<grpc::ServerCredentials> server_credentials(const std::optional<TlsFiles>& files);
/// Like server_credentials(), for a client.
std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const std::optional<TlsFiles>& files);

/// Sets gRPC up for a daemon: TLS 1.3 only, gRPC's errors go to our log, and Abseil's deadlock detection is off.
/// requires: no other thread is running; call it at the start of main
void prepare_process();

/// Sets gRPC up for a command: TLS 1.3 only, and gRPC logs nothing, because the command prints the status of its call.
/// requires: no other thread is running; call it at the start of main
void prepare_command();

}  // namespace meshdns::rpc
