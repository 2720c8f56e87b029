#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/rpc/port.h"
#include "dnsd/federation/agent_reports.h"
#include "dnsd/federation/arriving_full.h"
#include "dnsd/federation/hello.h"
#include "dnsd/federation/pulse.h"
#include "dnsd/federation/refusals.h"
#include "dnsd/federation/report_peer.h"
#include "meshdns/v1/federation.pb.h"

namespace meshdns::federation {

using ReportPort = rpc::Port<v1::ReportReply>;

struct ClampedRecords;

/// One agent's Report stream: first Hello, then records and heartbeats. Each message renews the lease. A bad record is
/// refused by name while the others are applied. The next message is read when the present one is handled. Owned by
/// AgentSessions; AgentReports, to which the session passes the reports, must outlive its last message.
///
///   opened --Hello--> deferred: Goodbye
///            Hello--> another agent holds the node: ping it --it answers--> Goodbye
///            Hello--> admitted: Welcome (epoch), then Full, Delta, Heartbeat, ...
///                     until Leave, Goodbye or the end of the stream
/// thread: control
class ReportSession : public std::enable_shared_from_this<ReportSession> {
 public:
  static constexpr std::size_t kMostKeys = 100000;  // of one node, refused records included
  /// The time in which the agent that holds a node's session has to answer a ping, when another agent wants the node.
  /// If the other agent has another key, the holder has what is left of its lease.
  static constexpr Duration kProofOfLife = 1s;
  /// The stream is aborted when the agent has not read its Goodbye for so long.
  static constexpr Duration kLongestEnd = 10s;
  /// The session ends when the next part of a Full does not come for so long.
  static constexpr Duration kPartPatience = 60s;
  /// The stream is aborted when the agent has not read a reply for so long.
  static constexpr Duration kWritePatience = 30s;
  /// With more unread replies than this, the next message is not read before the agent has read them.
  static constexpr std::size_t kMostUnwritten = 4;

  ReportSession(AgentReports& reports, std::shared_ptr<ReportPort> port, std::shared_ptr<Pulse> pulse, ReportPeer peer);
  ~ReportSession();

  void received(const v1::AgentMessage& message);
  /// Takes note that all replies are written.
  void written();
  void closed();

  const std::string& node() const { return node_.key; }
  bool said_hello() const { return said_hello_; }
  /// Returns the node with the addresses and prefixes that its agent says, allowed or not.
  const model::Node& claimed() const { return introduction_.node; }

  // ---- called by those who know which session reports for a node ----

  void ask_for_full();
  /// Sends the settings of Welcome again: the heartbeat interval and what to measure.
  void send_settings();
  /// Sends the settings if the agent maps ports, and shall map others than it was told.
  void tell_mappings();
  /// Tells the agent which of its addresses and prefixes do not count.
  void tell_of_claims(const std::vector<catalog::Refusal>& refused);
  /// Ends the session: the agent shall come back after `retry_after`.
  void goodbye(v1::Goodbye::Reason reason, const std::string& message, Duration retry_after);
  /// Handles a heartbeat that was noted in the pulse: the node was heard.
  void take_pulse();
  /// Lets go of timers and quotas, because they end before the stream does.
  void abandon();

 private:
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
  void on_heartbeat(const v1::Heartbeat& heartbeat);
  void on_leave(const v1::Leave& leave, std::uint64_t sequence);
  /// Decodes records, see decode_report().
  std::vector<model::Endpoint> decode(const google::protobuf::RepeatedPtrField<std::string>& encoded,
                                      Refusals& refusals);
  /// Adds the catalog's refusals to `refusals` and notes them in the node's copy.
  void note_refused(const std::vector<catalog::Refusal>& more, Refusals& refusals);
  void acknowledge(std::uint64_t sequence, const Refusals& refusals);
  void send_ack(std::uint64_t sequence, const Refusals& refusals);
  /// Takes no more messages, and ends the stream when all replies are written, or after kLongestEnd.
  void end();
  void cancel_timers();
  bool same_holder(const ReportSession& other) const;
  /// Whether both agents have shown the same key; also if neither has shown one.
  bool has_key_of(const ReportSession& other) const { return peer_.caller.key() == other.peer_.caller.key(); }
  /// Removes the endpoints that the node may not list, and notes their refusals. Joins the others with their bindings.
  /// returns: the keys of the removed ones
  std::set<std::string> permit(std::vector<model::Endpoint>& endpoints, const std::set<std::string>& listed,
                               const std::vector<std::string>& removals, Refusals& refusals);
  /// Writes what the agent is to do: the settings of all agents, and which ports it maps.
  void write_settings(v1::Settings& out);
  NodeCopy& copy() { return reports_.copy(node_.key); }
  catalog::Catalog& catalog() const { return reports_.catalog(); }
  TimePoint now() const { return reports_.now(); }
  Timers& timers() const { return reports_.environment().timers; }
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
  /// Drops the Full that is arriving.
  void drop_full();
  /// Checks the number of the node's keys.
  /// returns: false = more than kMostKeys: the session has ended
  bool within_keys();

  AgentReports& reports_;
  std::shared_ptr<ReportPort> port_;
  Introduction introduction_;
  model::Node node_;         // with what it may claim
  std::uint64_t epoch_ = 0;  // 0 = not admitted
  const ReportPeer peer_;
  std::shared_ptr<Pulse> pulse_;
  bool said_hello_ = false;
  bool ended_ = false;
  bool bounds_told_ = false;            // a duration was out of bounds, and the log has said so
  std::uint64_t proofs_ = 0;            // messages so far, as signs of life
  std::optional<TimerId> proof_timer_;  // waits for the holder's sign of life
  std::optional<TimerId> end_timer_;    // waits for the agent to read its last message
  std::optional<TimerId> part_timer_;   // waits for the next part of a Full
  std::optional<TimerId> write_timer_;  // waits for the agent to read
  std::size_t unwritten_ = 0;           // replies sent since all were written
  TimePoint unwritten_since_{};
  bool waits_for_reader_ = false;  // reads the next message when the agent has read
  ArrivingFull full_;
  std::string mappings_told_;  // Settings.mappings as last sent (report_settings.cc); empty = never
};

}  // namespace meshdns::federation
