#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <memory>
#include <optional>

#include "common/rpc/tls_files.h"

namespace meshdns::rpc {

/// Nothing = plaintext. With files both ends must show a certificate of their ca, and a server's must name the address
/// that the client has for it. gRPC looks at the files each second: new ones are used for new connections; those that
/// are open go on with the old ones. The files have passed check().
std::shared_ptr<grpc::ServerCredentials> server_credentials(const std::optional<TlsFiles>& files);
std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const std::optional<TlsFiles>& files);

/// At the start of main, before there are threads: TLS 1.3 only, gRPC's errors go to our log, and Abseil does not look
/// for deadlocks of gRPC's locks.
void prepare_process();

/// The same for a command: TLS 1.3 only, and gRPC is silent, because the status of a call says what people are told.
void prepare_command();

}  // namespace meshdns::rpc
