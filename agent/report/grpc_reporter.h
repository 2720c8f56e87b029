#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/report/syncer.h"
#include "common/base/result.h"
#include "common/model/endpoint.h"
#include "common/net/ip_address.h"
#include "common/process/event_loop.h"

namespace grpc {
class ChannelCredentials;
}

namespace meshdns::report {

/// What a federation hears of the node, which may depend on where the connection to it ends.
struct NodeWords {
  /// federation: the address at the other end; nothing = it is on this machine
  /// errors:     there is nothing to say now; it is tried again later
  std::function<Result<model::Node>(const std::optional<IpAddress>& federation)> about;
  /// The other end has to be known before anything is said: a server that is a name is connected to first.
  bool need_address = false;

  /// The same for every federation.
  static NodeWords fixed(model::Node node) {
    return {[node = std::move(node)](const std::optional<IpAddress>&) { return Result<model::Node>(node); }, false};
  }
};

struct ReporterOptions {
  std::vector<std::string> servers;  // "10.0.0.1:7400", "fed.example:7400", "unix:/run/meshdns/fed.sock"
  NodeWords node;
  std::string instance_uid;                                         // this installation
  std::string boot_id;                                              // this boot of the machine
  std::uint64_t seed = 1;                                           // of the back-off
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;  // null = plaintext
  std::function<void(const std::vector<Target>&)> measure = {};     // the federation has said what it wants measured
};

/// How records are encoded for the federation.
Codec wire_codec();

/// Holds one Report stream open to one of the servers: reconnects with back-off, in the order of the list, from the
/// next one after a failure.
/// thread: the loop's
class GrpcReporter {
 public:
  GrpcReporter(process::EventLoop& loop, const Clock& clock, ReporterOptions options, Syncer& syncer);
  ~GrpcReporter();

  void start();
  /// The syncer has something new.
  void changed();
  /// What is said of the node has changed, or can be said now: a session that runs is begun anew, and nobody waits for
  /// the next attempt.
  void node_changed();
  /// Sends what the syncer still wants to say (a leave), for at most `patience`, then ends the stream.
  void stop(Duration patience, std::function<void()> done);

  bool connected() const;
  /// "10.0.0.1:7400", and why there is no session: empty if there is one
  std::string server() const;
  std::string last_error() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::report
