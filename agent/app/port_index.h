#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "agent/app/watched.h"
#include "common/net/socket_address.h"

namespace meshdns::agent::app {

/// Finds the endpoints that a listener may serve. The kernel reports every socket of the machine that ends, and most of
/// them are nobody's: without the index each of them would cost a walk through all endpoints.
///
/// The index is made again at the first question after forget(): a listing changes all endpoints at once, and costs as
/// much itself.
class PortIndex {
 public:
  using All = std::map<std::string, std::unique_ptr<Watched>>;  // by key

  /// all: must outlive the index
  explicit PortIndex(const All& all) : all_(all) {}

  /// The endpoints or their ports have changed.
  void forget() { known_ = false; }
  /// Returns the endpoints that a listener may serve, in the order of their keys; is_behind() says which these are.
  std::vector<Watched*> behind(const SocketAddress& where);

 private:
  void make();

  const All& all_;
  std::unordered_map<std::uint16_t, std::vector<Watched*>> by_port_;  // in the order of their keys
  bool known_ = false;
};

}  // namespace meshdns::agent::app
