#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/rpc/quota.h"
#include "dnsd/federation/agents.h"

namespace meshdns::federation {

/// Records of a message that were not taken. Those beyond kMost are only counted: a message of 4 MiB may have a million
/// of them, and each costs a hundred times what it cost its sender.
struct Refusals {
  static constexpr std::size_t kMost = 1000;

  void add(catalog::Refusal refusal) {
    ++count;
    if (listed.size() < kMost) listed.push_back(std::move(refusal));
  }

  std::vector<catalog::Refusal> listed;
  std::size_t count = 0;
};

/// One agent's stream: Hello, then records and heartbeats. Every message renews the lease, every bad record is refused
/// by name while the rest is applied, and the next message is read when this one is handled.
/// thread: control
class ReportSession : public std::enable_shared_from_this<ReportSession> {
 public:
  static constexpr std::size_t kMostKeys = 100000;                       // of one node, refused ones included
  static constexpr std::size_t kMostFullBytes = std::size_t{16} << 20;   // of the records of a Full that is arriving
  static constexpr std::size_t kLongestId = 256;                         // bytes of instance_uid and boot_id
  static constexpr std::size_t kMostNackBytes = std::size_t{256} << 10;  // of one acknowledgement
  /// An agent that does not read its last message is cut off.
  static constexpr Duration kLongestEnd = 10s;
  /// A Full whose next part does not come for so long ends the session.
  static constexpr Duration kPartPatience = 60s;
  /// An agent that has not read for so long what it was told is cut off.
  static constexpr Duration kWritePatience = 30s;
  /// An agent that has so many replies to read is not listened to until it has read them.
  static constexpr std::size_t kMostUnwritten = 4;

  ReportSession(Agents& agents, std::shared_ptr<ReportPort> port, std::shared_ptr<Pulse> pulse, ReportPeer peer);
  ~ReportSession();

  void received(const v1::AgentMessage& message);
  /// All that was said is written.
  void written();
  void closed();

  const std::string& node() const { return node_.key; }
  bool said_hello() const { return said_hello_; }

 private:
  friend class Agents;

  void on_hello(const v1::Hello& hello);
  /// Speaks for its node from now on, unless another one does.
  void claim();
  /// The present holder has shown that it lives, or has not.
  void contend(const std::shared_ptr<ReportSession>& holder);
  void admit();
  /// False = the stream is at its end.
  bool in_sequence(const v1::AgentMessage& message);
  void on_body(const v1::AgentMessage& message);
  void on_full(const v1::Full& full, std::uint64_t sequence);
  void on_delta(const v1::Delta& delta, std::uint64_t sequence);
  /// These records were sent and applied, as far as they were not refused.
  void tell_of(const std::vector<model::Endpoint>& endpoints);
  /// Records that are known here, but not to their source.
  bool has_leftovers(const google::protobuf::RepeatedPtrField<v1::Source>& sources);
  void ask_for_full();
  /// Says again what was said with Welcome: the heartbeat interval, and what to measure.
  void send_settings();
  void write_settings(v1::Settings& out);
  void on_heartbeat(const v1::Heartbeat& heartbeat);
  void on_leave(const v1::Leave& leave, std::uint64_t sequence);
  /// Decodes records and notes their hashes; what cannot be decoded is refused.
  std::vector<model::Endpoint> decode(const google::protobuf::RepeatedPtrField<std::string>& encoded,
                                      Refusals& refusals);
  /// Notes what the catalog has refused, too.
  void note_refused(const std::vector<catalog::Refusal>& more, Refusals& refusals);
  /// Keeps endpoints of a Full that is arriving, as many as the node's share is; the others are refused.
  void keep_arrived(std::vector<model::Endpoint> endpoints);
  void acknowledge(std::uint64_t sequence, const Refusals& refusals);
  /// Nothing more is taken; the stream ends when all is written, or soon.
  void end();
  void goodbye(v1::Goodbye::Reason reason, const std::string& message, Duration retry_after);
  void cancel_timers();
  /// The first loopback address of these, where the agent is on another machine: it means nothing here.
  std::optional<IpAddress> own_loopback(const std::vector<IpAddress>& addresses) const;
  bool same_holder(const ReportSession& other) const;
  /// Takes over what was noted: the node was heard.
  void take_pulse();
  NodeCopy& copy() { return agents_.copies_[node_.key]; }

  // ---- report_session_bounds.cc ----

  void send(v1::ReportReply reply);
  /// Asks for the next message, as soon as the agent has read enough of what it was told.
  void read_on();
  /// Cuts off the agent if it has read nothing for kWritePatience; otherwise looks again when that may be so.
  void watch_writes();
  /// Makes room for a part of a Full. False = the session has ended.
  bool begin_part(const v1::Full& full);
  /// A part has come; the next one has kPartPatience from now on.
  void await_part();
  /// Forgets the Full that is arriving.
  void drop_full();
  /// False = the agent has more keys than a node may have: the session has ended.
  bool within_keys();

  Agents& agents_;
  std::shared_ptr<ReportPort> port_;
  model::Node node_;
  std::string instance_uid_;
  std::string boot_id_;
  std::uint64_t hello_digest_ = 0;
  std::uint64_t hello_epoch_ = 0;
  std::uint64_t epoch_ = 0;  // 0 = not admitted
  const ReportPeer peer_;
  std::shared_ptr<Pulse> pulse_;
  bool said_hello_ = false;
  bool ended_ = false;
  std::uint64_t proofs_ = 0;            // messages since the session began: signs of life
  std::optional<TimerId> proof_timer_;  // waiting for the holder's
  std::optional<TimerId> end_timer_;    // waiting for the peer to read its last message
  std::optional<TimerId> part_timer_;   // waiting for the next part of a Full
  std::optional<TimerId> write_timer_;  // waiting for the peer to read
  std::size_t unwritten_ = 0;           // replies since all was written
  TimePoint unwritten_since_{};
  bool waits_for_reader_ = false;         // the next message is read when the peer has read
  std::optional<std::uint32_t> part_;     // of a Full that is arriving; the next one expected
  std::vector<model::Endpoint> arrived_;  // its records so far
  std::size_t arrived_bytes_ = 0;         // text_bytes() of these
  Refusals arrived_refusals_;
  rpc::Quota::Share arriving_;  // the bytes of its records so far
};

}  // namespace meshdns::federation
