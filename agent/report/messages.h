#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/time/time.h"

namespace meshdns::report {

// What agent and federation say to each other, as the agent's side means it; grpc_reporter puts it into protobuf.

/// Whether a discovery source could be read completely: only then does what is missing in a Full count as withdrawn.
struct SourceState {
  std::string name;
  bool listed = false;
  std::string error;

  friend bool operator==(const SourceState&, const SourceState&) = default;
};

struct Hello {
  std::uint64_t last_epoch = 0;
  std::uint64_t last_acked = 0;
  std::uint64_t digest = 0;
};

/// Everything, in parts.
struct Full {
  std::uint32_t part = 0;
  bool last = false;
  std::vector<std::string> endpoints;  // encoded
  std::vector<SourceState> sources;    // with the last part
};

struct Delta {
  std::vector<std::string> upserts;  // encoded
  std::vector<std::string> removals;
  std::vector<SourceState> sources;  // if they changed
};

struct Heartbeat {
  std::uint64_t digest = 0;
  Duration loop_lag{};
};

struct Leave {
  bool withdraw = false;
};

struct Outgoing {
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  std::variant<Hello, Full, Delta, Heartbeat, Leave> body;
};

struct Welcome {
  std::uint64_t epoch = 0;
  std::string instance;
  bool want_full = false;
  Duration heartbeat = 1s;
};

struct Refused {
  std::string key;
  std::string field;
  std::string reason;

  friend bool operator==(const Refused&, const Refused&) = default;
};

struct Ack {
  std::uint64_t sequence = 0;
  std::vector<Refused> refused;
};

struct SendFull {};
struct Ping {};

struct Goodbye {
  std::string reason;
  Duration retry_after{};
};

using Incoming = std::variant<Welcome, Ack, SendFull, Ping, Goodbye>;

}  // namespace meshdns::report
