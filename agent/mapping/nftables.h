#pragma once

#include <memory>
#include <string>

#include "common/base/result.h"

namespace meshdns::mapping {

/// Executes commands of nft(8) in the network namespace of the thread that made it, by libnftables.
/// thread: one
class Nftables {
 public:
  Nftables();
  ~Nftables();
  Nftables(const Nftables&) = delete;
  Nftables& operator=(const Nftables&) = delete;

  /// Executes commands as one transaction.
  /// returns: what they print
  /// errors:  PermissionDenied: without CAP_NET_ADMIN; NotFound: a table that is listed does not exist;
  ///          FailedPrecondition: any other error, with its first line
  Result<std::string> run(const std::string& commands);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace meshdns::mapping
