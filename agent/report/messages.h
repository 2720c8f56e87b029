#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "common/net/socket_address.h"
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

/// How an attempt to connect ended. Skipped: this agent's own trouble, which says nothing of the target.
enum class Reach : std::uint8_t { Connected, Refused, Timeout, NoRoute, Skipped };

/// What was found of one target.
struct Measurement {
  std::string key;
  Reach reach = Reach::Skipped;
  Duration rtt{};  // of the handshake; 0 = not measured

  friend bool operator==(const Measurement&, const Measurement&) = default;
};

struct Measurements {
  std::vector<Measurement> results;
};

struct Outgoing {
  using Body = std::variant<Hello, Full, Delta, Heartbeat, Leave, Measurements>;
  std::uint64_t epoch = 0;
  std::uint64_t sequence = 0;
  Body body;
};

/// What the federation wants to be measured.
struct Target {
  static constexpr Duration kInterval = 30s;
  std::string key;
  SocketAddress address;
  Duration interval = kInterval;

  friend bool operator==(const Target&, const Target&) = default;
};

struct Welcome {
  std::uint64_t epoch = 0;
  std::string instance;
  bool want_full = false;
  Duration heartbeat = 1s;
  std::vector<Target> measure;
};

/// What Welcome said, said anew while the session goes on.
struct Settings {
  Duration heartbeat{};  // 0 = as before
  std::vector<Target> measure;
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

using Incoming = std::variant<Welcome, Settings, Ack, SendFull, Ping, Goodbye>;

}  // namespace meshdns::report
