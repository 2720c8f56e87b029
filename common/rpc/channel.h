#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

namespace meshdns::rpc {

inline constexpr int kMostMessage = 4 << 20;  // bytes, both ways

/// credentials: null = plaintext
/// A channel with our limits, keepalive (10 s, 5 s) and reconnect delays (0.1 to 5 s). Keep it: a process
/// whose last channel goes takes gRPC 1.51's callback threads with it, and they do not survive being started again at
/// the same moment.
std::shared_ptr<grpc::Channel> channel_to(const std::string& server,
                                          const std::shared_ptr<grpc::ChannelCredentials>& credentials);

}  // namespace meshdns::rpc
