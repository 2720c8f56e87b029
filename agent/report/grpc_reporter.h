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

/// Describes the node for a federation. The description may depend on the federation's address: the node's own address
/// is the one that its connection to the federation comes from.
struct NodeDescription {
  /// Returns the node as this federation shall see it; called at the start of each session.
  /// federation: the address at the other end of the connection; nothing = the federation is on this machine
  /// errors:     the node cannot be described now, for example without an address; the reporter tries again later
  std::function<Result<model::Node>(const std::optional<IpAddress>& federation)> about;
  /// Whether `about` needs the federation's address. If so, the reporter first connects to a server that is given by
  /// name, to learn its address.
  bool need_address = false;

  /// Describes the node equally for every federation.
  static NodeDescription fixed(model::Node node) {
    return {[node = std::move(node)](const std::optional<IpAddress>&) { return Result<model::Node>(node); }, false};
  }
};

/// The settings of a GrpcReporter.
struct ReporterOptions {
  std::vector<std::string> servers;  // "10.0.0.1:7400", "fed.example:7400", "unix:/run/meshdns/fed.sock"
  NodeDescription node;
  std::string instance_uid;                                             // identifies this installation of the agent
  std::string boot_id;                                                  // identifies this boot of the machine
  std::uint64_t seed = 1;                                               // seeds the jitter of the back-off
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;      // null = plaintext
  std::function<void(const std::vector<MeasureTarget>&)> measure = {};  // called when the federation sends targets
  /// Called when the federation sends port mappings. Empty = this agent maps no ports, and the federation is told so.
  std::function<void(const std::vector<PortMapping>&)> map_ports = {};
};

/// Returns the codec that encodes records as protobuf for the federation.
Codec wire_codec();

/// Keeps one Report stream to one of the servers open, and runs a Session on it. After a failure it waits with back-off
/// and connects to the next server of the list. The syncer decides what is sent.
///
/// How it works:
///
///   open --name, address needed--> ask_where --> found --> begin (stream, Session) --> closed --delay--> open
///     '----address, or not needed----------------------------^      any failure ---------^    next server
///
/// The state is shared, because callbacks of gRPC may come after the reporter is gone: they hold the state weakly, and
/// are posted to the loop.
/// thread: the loop's; loop, clock and syncer must outlive the reporter
class GrpcReporter {
 public:
  GrpcReporter(process::EventLoop& loop, const Clock& clock, ReporterOptions options, Syncer& syncer);
  ~GrpcReporter();

  void start();
  /// The owner of the syncer calls this after each change of the syncer, so that the change is sent at once.
  void changed();
  /// NodeDescription::about has another result now. A running session is ended and started again; a waiting attempt is
  /// made at once.
  void node_changed();
  /// Like node_changed(), but a waiting attempt keeps its time: what has changed is no sign that the federation can be
  /// reached now, so that many agents would ask it too often.
  void node_described();
  /// Sends what the syncer still has to send (a Leave) within at most `patience`, ends the stream, then calls `done`.
  void stop(Duration patience, std::function<void()> done);

  /// Whether a federation has sent Welcome in the present session.
  bool connected() const;
  /// The server of the present or the next attempt: "10.0.0.1:7400".
  std::string server() const;
  /// Why there is no session; empty = there is one.
  std::string last_error() const;
  /// The number of durations of federations that were out of bounds, for which the bound counted.
  std::uint64_t clamped() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace meshdns::report
