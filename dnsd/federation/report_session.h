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

/// The refused records of a message. At most kMost are listed; further ones are only counted, because a message of
/// 4 MiB may have a million of them, and refusing one costs a hundred times what sending it cost.
struct Refusals {
  static constexpr std::size_t kMost = 1000;

  void add(catalog::Refusal refusal) {
    ++count;
    if (listed.size() < kMost) listed.push_back(std::move(refusal));
  }

  std::vector<catalog::Refusal> listed;
  std::size_t count = 0;
};

/// One agent's Report stream: first Hello, then records and heartbeats. Each message renews the lease. A bad record is
/// refused by name while the others are applied. The next message is read when the present one is handled. Owned by
/// Agents, whose members the session uses.
///
///   opened --Hello--> deferred: Goodbye
///            Hello--> another agent holds the node: ping it --it answers--> Goodbye
///            Hello--> admitted: Welcome (epoch), then Full, Delta, Heartbeat, ... --> Leave, Goodbye or the stream
/// ends
/// thread: control
class ReportSession : public std::enable_shared_from_this<ReportSession> {
 public:
  static constexpr std::size_t kMostKeys = 100000;                       // of one node, refused records included
  static constexpr std::size_t kMostFullBytes = std::size_t{16} << 20;   // encoded records of a Full that is arriving
  static constexpr std::size_t kLongestId = 256;                         // bytes of instance_uid, and of boot_id
  static constexpr std::size_t kMostNackBytes = std::size_t{256} << 10;  // refusals in one acknowledgement
  /// The stream is aborted when the agent has not read its Goodbye for so long.
  static constexpr Duration kLongestEnd = 10s;
  /// The session ends when the next part of a Full does not come for so long.
  static constexpr Duration kPartPatience = 60s;
  /// The stream is aborted when the agent has not read a reply for so long.
  static constexpr Duration kWritePatience = 30s;
  /// With more unread replies than this, the next message is not read before the agent has read them.
  static constexpr std::size_t kMostUnwritten = 4;

  ReportSession(Agents& agents, std::shared_ptr<ReportPort> port, std::shared_ptr<Pulse> pulse, ReportPeer peer);
  ~ReportSession();

  void received(const v1::AgentMessage& message);
  /// Takes note that all replies are written.
  void written();
  void closed();

  const std::string& node() const { return node_.key; }
  bool said_hello() const { return said_hello_; }

 private:
  friend class Agents;

  void on_hello(const v1::Hello& hello);
  /// Takes the node for this session, unless another agent holds it.
  void claim();
  /// Pings the present holder of the node, and takes the node if the holder does not answer within kProofOfLife.
  void contend(const std::shared_ptr<ReportSession>& holder);
  /// Begins the session: gives it an epoch, puts the node into the catalog, sends Welcome.
  void admit();
  /// Checks the epoch and sequence of a message.
  /// returns: false = they are wrong and the stream ends
  bool in_sequence(const v1::AgentMessage& message);
  void on_body(const v1::AgentMessage& message);
  void on_full(const v1::Full& full, std::uint64_t sequence);
  void on_delta(const v1::Delta& delta, std::uint64_t sequence);
  /// Reports to Environment::told which records the agent has sent, except records that could not be decoded.
  void tell_of(const std::vector<model::Endpoint>& endpoints);
  /// Returns whether the catalog has endpoints of these sources that the agent did not send.
  bool has_leftovers(const google::protobuf::RepeatedPtrField<v1::Source>& sources);
  void ask_for_full();
  /// Sends the settings of Welcome again: the heartbeat interval and what to measure.
  void send_settings();
  void write_settings(v1::Settings& out);
  void on_heartbeat(const v1::Heartbeat& heartbeat);
  void on_leave(const v1::Leave& leave, std::uint64_t sequence);
  /// Decodes records and notes their hashes in the node's copy; refuses records that cannot be decoded.
  std::vector<model::Endpoint> decode(const google::protobuf::RepeatedPtrField<std::string>& encoded,
                                      Refusals& refusals);
  /// Adds the catalog's refusals to `refusals` and notes them in the node's copy.
  void note_refused(const std::vector<catalog::Refusal>& more, Refusals& refusals);
  /// Keeps endpoints of a Full until its last part, up to the node's share; refuses the others.
  void keep_arrived(std::vector<model::Endpoint> endpoints);
  void acknowledge(std::uint64_t sequence, const Refusals& refusals);
  /// Takes no more messages, and ends the stream when all replies are written, or after kLongestEnd.
  void end();
  void goodbye(v1::Goodbye::Reason reason, const std::string& message, Duration retry_after);
  /// Returns the first loopback address among `addresses` if the agent is on another machine, where it means nothing
  /// here.
  std::optional<IpAddress> own_loopback(const std::vector<IpAddress>& addresses) const;
  bool same_holder(const ReportSession& other) const;
  /// Handles a heartbeat that was noted in the pulse: the node was heard.
  void take_pulse();
  NodeCopy& copy() { return agents_.copies_[node_.key]; }

  // ---- report_session_bounds.cc ----

  void send(v1::ReportReply reply);
  /// Reads the next message as soon as the agent has read enough replies.
  void read_on();
  /// Aborts the stream if the agent has read nothing for kWritePatience; otherwise looks again when that may be so.
  void watch_writes();
  /// Makes room for a part of a Full.
  /// returns: false = there is none, or a part is missing: the session has ended
  bool begin_part(const v1::Full& full);
  /// Gives the next part of a Full kPartPatience from now on.
  void await_part();
  void cancel_timers();
  /// Drops the Full that is arriving.
  void drop_full();
  /// Counts the durations of a record that are out of bounds, and logs the first one of a session.
  void note_bounds(const v1::Endpoint& record);
  /// Checks the number of the node's keys.
  /// returns: false = more than kMostKeys: the session has ended
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
  bool bounds_told_ = false;            // note_bounds() has logged a line
  std::uint64_t proofs_ = 0;            // messages so far, as signs of life
  std::optional<TimerId> proof_timer_;  // waits for the holder's sign of life
  std::optional<TimerId> end_timer_;    // waits for the agent to read its last message
  std::optional<TimerId> part_timer_;   // waits for the next part of a Full
  std::optional<TimerId> write_timer_;  // waits for the agent to read
  std::size_t unwritten_ = 0;           // replies sent since all were written
  TimePoint unwritten_since_{};
  bool waits_for_reader_ = false;         // reads the next message when the agent has read
  std::optional<std::uint32_t> part_;     // next part of the Full that is arriving; nothing = no Full is
  std::vector<model::Endpoint> arrived_;  // records of that Full so far
  std::size_t arrived_bytes_ = 0;         // text_bytes() of arrived_
  Refusals arrived_refusals_;
  rpc::Quota::Share arriving_;  // encoded bytes of that Full's records so far
};

}  // namespace meshdns::federation
