#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/report/syncer.h"
#include "common/model/endpoint.h"
#include "common/process/event_loop.h"

namespace grpc {
class ChannelCredentials;
}

namespace meshdns::report {

struct ReporterOptions {
  std::vector<std::string> servers;  // "10.0.0.1:7400", "fed.example:7400", "unix:/run/meshdns/fed.sock"
  model::Node node;
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
