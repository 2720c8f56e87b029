#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "common/rpc/channel.h"

namespace meshdns::rpc {

/// The stubs of a service at several servers. A stub keeps its channel from attempt to attempt: channel_to() says why
/// that is needed.
template <class Service>
class Stubs {
 public:
  /// credentials: null = plaintext
  explicit Stubs(std::shared_ptr<grpc::ChannelCredentials> credentials) : credentials_(std::move(credentials)) {}

  typename Service::Stub& at(const std::string& server) {
    auto& out = stubs_[server];
    if (!out) out = Service::NewStub(channel_to(server, credentials_));
    return *out;
  }

 private:
  std::shared_ptr<grpc::ChannelCredentials> credentials_;
  std::map<std::string, std::unique_ptr<typename Service::Stub>> stubs_;
};

}  // namespace meshdns::rpc
