#pragma once

#include <grpcpp/channel.h>
#include <grpcpp/security/credentials.h>

#include <memory>
#include <string>

namespace meshdns::rpc {

inline constexpr int kMostMessage = 4 << 20;  // bytes of one message, in either direction

/// Creates a channel with our message limit, keepalive (a ping after 10 s, answered within 5 s) and reconnect delays.
/// Keep the channel as long as it may be needed again: when the last channel of a process is destroyed, gRPC 1.51 ends
/// its callback threads, and these cannot be started again at the same moment.
/// credentials: null = plaintext
std::shared_ptr<grpc::Channel> channel_to(const std::string& server,
                                          const std::shared_ptr<grpc::ChannelCredentials>& credentials);

}  // namespace meshdns::rpc
