#pragma once

#include <grpcpp/security/credentials.h>
#include <grpcpp/security/server_credentials.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "common/identity/gate.h"
#include "common/rpc/handshakes.h"
#include "common/rpc/tls_files.h"

namespace meshdns::rpc {

/// Whether a client has to show a certificate.
enum class ClientCertificate : std::uint8_t { Required, Asked };

/// Returns the credentials of a server. With TLS, each end must show a certificate that the other end's ca has signed,
/// and the server's certificate must name the address that the client connects to. Changed files are used for new
/// connections once renew_copies() has taken them, which TlsWatch does; open connections keep the old ones.
/// files:    nothing = plaintext
/// client:   Asked = a client may also connect without a certificate; each service then decides what it may do
/// requires: the files have passed check()
std::shared_ptr<grpc::ServerCredentials> server_credentials(const std::optional<TlsFiles>& files,
                                                            ClientCertificate client = ClientCertificate::Required);

/// Like server_credentials(), for a client.
/// check: asked for each new connection, after the handshake; an error ends the connection. Empty = any server of the
///        authority that has the address
std::shared_ptr<grpc::ChannelCredentials> channel_credentials(const std::optional<TlsFiles>& files,
                                                              identity::ServerCheck check = {});

/// Returns the credentials of a client that has no certificate yet, and that knows the authority by its key only.
/// Nothing is trusted before the server has shown that its certificate is signed with that key.
/// key_hash:     SHA-256 of the authority's public key (SubjectPublicKeyInfo), hexadecimal
/// check:        as for channel_credentials()
/// unix_seconds: at which the server's certificate has to be valid
std::shared_ptr<grpc::ChannelCredentials> pinned_credentials(std::string key_hash, identity::ServerCheck check,
                                                             std::int64_t unix_seconds);

/// Returns the credentials of a client that shows no certificate, and that knows the authorities.
/// authorities: PEM
/// check:       as for channel_credentials()
std::shared_ptr<grpc::ChannelCredentials> authority_credentials(const std::string& authorities,
                                                                identity::ServerCheck check);

/// Sets gRPC up for a daemon: TLS 1.3 only, gRPC's errors go to our log, and Abseil's deadlock detection is off.
/// clock:    for the texts about certificates that are refused for their time
/// requires: no other thread is running; call it at the start of main
void prepare_process(WallClock clock);

/// Sets gRPC up for a command: TLS 1.3 only, and gRPC logs nothing, because the command prints the status of its call.
/// clock:    as for prepare_process()
/// requires: no other thread is running; call it at the start of main
void prepare_command(WallClock clock);

}  // namespace meshdns::rpc
