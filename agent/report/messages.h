#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/net/socket_address.h"
#include "common/time/time.h"

namespace meshdns::report {

// The messages between agent and federation as plain values, so that the syncer does not depend on protobuf.
// grpc_reporter converts them. proto/meshdns/v1/federation.proto says what each message means.

/// Whether a discovery source could be read completely. If not, endpoints of the source that are missing in a Full are
/// kept; otherwise they are withdrawn.
struct SourceState {
  std::string name;
  bool listed = false;
  std::string error;

  friend bool operator==(const SourceState&, const SourceState&) = default;
};

/// The agent's first message in a session. The federation compares the digest, and asks for a Full if it differs.
struct Hello {
  std::uint64_t last_epoch = 0;  // of the session before
  std::uint64_t last_acked = 0;  // the last acknowledged sequence of that session
  std::uint64_t digest = 0;      // over all records of the agent
};

/// All endpoints of the node, in parts. Replaces what the federation knows of the listed sources.
struct Full {
  std::uint32_t part = 0;  // from 0
  bool last = false;
  std::vector<std::string> endpoints;  // encoded
  std::vector<SourceState> sources;    // with the last part
};

/// The changes since the last Full or Delta.
struct Delta {
  std::vector<std::string> upserts;   // encoded
  std::vector<std::string> removals;  // keys
  std::vector<SourceState> sources;   // all of them, if one changed
};

/// Renews the lease when there is nothing else to send.
struct Heartbeat {
  std::uint64_t digest = 0;  // over all records of the agent
  Duration loop_lag{};       // how late the agent's timer for this heartbeat was
};

/// The agent's last message.
struct Leave {
  bool withdraw = false;  // true = the federation removes the node's records
};

/// The outcome of an attempt to connect to a target. Skipped: the agent itself had a problem, so that the outcome says
/// nothing about the target.
enum class Reach : std::uint8_t { Connected, Refused, Timeout, NoRoute, Skipped };

/// The outcome of one connection to one target.
struct Measurement {
  std::string key;  // the target's
  Reach reach = Reach::Skipped;
  Duration rtt{};  // of the handshake; 0 = not measured

  friend bool operator==(const Measurement&, const Measurement&) = default;
};

/// The latest outcome of each target that was connected to since the last such message.
struct Measurements {
  std::vector<Measurement> results;
};

/// A message to the federation.
struct Outgoing {
  using Body = std::variant<Hello, Full, Delta, Heartbeat, Leave, Measurements>;
  std::uint64_t epoch = 0;     // the session's, from Welcome; 0 in Hello
  std::uint64_t sequence = 0;  // counts inside the session, from 1; 0 in Hello
  Body body;
};

/// An address that the federation wants the agent to connect to again and again, to measure the distance or to find out
/// whether it can be reached.
struct MeasureTarget {
  static constexpr Duration kInterval = 30s;
  std::string key;
  SocketAddress address;
  Duration interval = kInterval;

  friend bool operator==(const MeasureTarget&, const MeasureTarget&) = default;
};

/// A redirection that the federation wants on this node: from `number` at the endpoint's addresses to `target`.
struct PortMapping {
  std::string endpoint;  // its key
  std::string protocol;  // TCP or UDP
  std::uint16_t number = 0;
  std::uint16_t target = 0;

  friend bool operator==(const PortMapping&, const PortMapping&) = default;
};

/// All ports that the agent shall map; nothing = the federation does not say, so that they stay as they are.
using PortMappings = std::optional<std::vector<PortMapping>>;

/// The federation's answer to Hello.
struct Welcome {
  std::uint64_t epoch = 0;  // of this session
  std::string instance;     // the federation's instance
  bool want_full = false;   // the digests differ: the agent must send a Full
  Duration heartbeat = 1s;  // the longest time between two messages of the agent
  std::vector<MeasureTarget> measure;
  bool without_service = true;  // takes endpoints without a service; an older federation refuses them
  PortMappings mappings{};
};

/// Replaces the settings of Welcome during a session.
struct ReportSettings {
  Duration heartbeat{};  // 0 = unchanged
  std::vector<MeasureTarget> measure;
  PortMappings mappings{};
};

/// An endpoint that the federation did not take. The federation keeps the last good version.
struct Refused {
  std::string key;
  std::string field;
  std::string reason;
  bool is_claim = false;  // an address or a prefix of the node, which does not count; `key` is the node's

  friend bool operator==(const Refused&, const Refused&) = default;
};

/// The federation has taken all messages up to a sequence, except the refused endpoints.
struct Ack {
  std::uint64_t sequence = 0;
  std::vector<Refused> refused;
};

/// Asks for a Full during the session.
struct SendFull {};
/// Asks for a Heartbeat at once.
struct Ping {};

/// The federation is about to end the session.
struct Goodbye {
  std::string reason;
  Duration retry_after{};  // the agent waits at least so long before it connects again
};

using Incoming = std::variant<Welcome, ReportSettings, Ack, SendFull, Ping, Goodbye>;

}  // namespace meshdns::report
