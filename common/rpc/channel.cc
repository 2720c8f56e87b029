#include "common/rpc/channel.h"

#include <grpcpp/grpcpp.h>

namespace meshdns::rpc {

std::shared_ptr<grpc::Channel> channel_to(const std::string& server,
                                          const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  // Also the time that one attempt may take. A TLS handshake across an ocean must fit, and so must the start of a
  // federation: its port takes connections while it reads 100,000 records (4 s), and attempts that were given up
  // meanwhile would all be made again.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10000);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 5000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 10000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 5000);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(kMostMessage);
  arguments.SetMaxSendMessageSize(kMostMessage);
  return grpc::CreateCustomChannel(server, credentials ? credentials : grpc::InsecureChannelCredentials(), arguments);
}

}  // namespace meshdns::rpc
