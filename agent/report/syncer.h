#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "agent/report/messages.h"
#include "common/model/endpoint.h"
#include "common/time/time.h"

namespace meshdns::report {

/// Encodes and hashes records. The agent uses protobuf (wire_codec()), tests use readable text.
struct Codec {
  /// now: the encoding contains how long the endpoint has been in its state, as a duration
  std::function<std::string(const model::Endpoint&, TimePoint now)> encode;
  std::function<std::uint64_t(const std::string& key, const std::string& bytes)> hash;
};

/// Keeps the federation's copy of this node's endpoints equal to the agent's own. A state machine without socket, timer
/// and clock: a Session asks it for messages, GrpcReporter feeds it the federation's messages.
///
/// How it works: the syncer keeps each endpoint encoded, and a digest: the sum of the hashes of all encodings, modulo
/// 2^64. Hello carries the digest. If the federation has the same sum, nothing is sent again; otherwise it asks for a
/// Full. After that only changes are sent: `dirty_` holds the keys that changed since they were last sent.
///
///   Offline --connected()--> Greeting --Welcome--> Filling --last part written--> InSync
///      ^                                    \--- digests are equal ---------------^  |  SendFull, Welcome.want_full
///      '---------------- disconnected() ----------------------------------'         '--> Filling
///
/// A federation of an older version takes no endpoints without a service. Its Welcome says so, and such endpoints are then
/// neither in the digest nor sent, as if this node did not have them. Until the first Welcome they count as sent: Hello's
/// digest is right for all newer federations, and an older one asks for a Full.
///
/// next() is called when the write before is done, so several changes of one key during a write become one record.
/// Measurements are sent only when nothing else is waiting.
class Syncer {
 public:
  enum class State : std::uint8_t { Offline, Greeting, Filling, InSync };
  static constexpr std::size_t kMostTargets = 64;

  static constexpr std::size_t kPartBytes = std::size_t{1} << 20;  // of the records in one message

  explicit Syncer(Codec codec, std::size_t most_part_bytes = kPartBytes)
      : codec_(std::move(codec)), most_part_bytes_(most_part_bytes) {}

  // ---- what is true on this node ----

  /// Adds an endpoint or replaces the one with the same key. An equal endpoint changes nothing.

  void put(const model::Endpoint& endpoint, TimePoint now);
  void remove(const std::string& key);
  void set_sources(std::vector<SourceState> sources);
  /// Takes the outcome of one connection to a target. The latest outcome of each target is sent, at most once per
  /// heartbeat. Outcomes of targets that the federation does not ask for, or no longer asks for, are dropped.
  void measured(const Measurement& found);
  /// Makes Leave the next message; nothing is sent after it.
  /// withdraw: whether the federation removes the node's records
  void leave(bool withdraw);

  // ---- the link ----

  void connected() { state_ = State::Greeting; }
  void disconnected();
  void on_message(const Incoming& message, TimePoint now);
  /// Returns the message to write now; nothing = wait for a change, a message or next_due().
  /// loop_lag: how late the agent's timers are; sent with a heartbeat
  std::optional<Outgoing> next(TimePoint now, Duration loop_lag);
  /// Returns when next() must be called at the latest; nothing = there is no session.
  std::optional<TimePoint> next_due() const;
  /// The targets that the federation wants measured, at most kMostTargets. They stay the same while there is no
  /// session.
  const std::vector<MeasureTarget>& targets() const { return targets_; }

  // ---- for status and metrics ----

  State state() const { return state_; }
  std::string_view state_name() const;
  /// The epoch of the present session, otherwise of the last one; 0 = there was none yet.
  std::uint64_t epoch() const { return epoch_; }
  /// The last sequence that the federation has acknowledged.
  std::uint64_t acked() const { return acked_; }
  /// The number of endpoints that are not reported, because the federation takes none without a service.
  std::size_t withheld() const { return endpoints_.size() - encoded_.size(); }
  bool is_withheld(const std::string& key) const { return endpoints_.contains(key) && !encoded_.contains(key); }
  /// The number of changed endpoints that wait to be sent.
  std::size_t unsent() const { return dirty_.size(); }
  /// Whether no leave() was asked for, or the federation has acknowledged the Leave.
  bool settled() const { return !leave_ || (leave_sequence_ != 0 && acked_ >= leave_sequence_); }
  const std::map<std::string, model::Endpoint>& endpoints() const { return endpoints_; }
  /// The endpoints that the federation has refused, by key. An entry goes when a later version is sent.
  const std::map<std::string, Refused>& refused() const { return refused_; }

 private:
  Outgoing outgoing(Outgoing::Body body, TimePoint now);
  void on_welcome(const Welcome& welcome, TimePoint now);
  /// Begins to report endpoints without a service, or ends it.
  void report_without_service(bool on, TimePoint now);
  bool is_reported(const model::Endpoint& endpoint) const { return without_service_ || !endpoint.service.empty(); }
  void on_settings(const ReportSettings& settings);
  void set_targets(const std::vector<MeasureTarget>& targets);
  void on_ack(const Ack& ack);
  void start_full(TimePoint now);
  void reencode(TimePoint now);
  Full next_part();
  std::optional<Delta> next_delta();
  std::optional<Outgoing> next_measurements(TimePoint now);
  void store(const std::string& key, std::string bytes);
  /// returns: false = there was nothing to drop
  bool drop(const std::string& key);

  Codec codec_;
  std::size_t most_part_bytes_;
  State state_ = State::Offline;

  std::map<std::string, model::Endpoint> endpoints_;
  std::map<std::string, std::string> encoded_;  // those that are reported
  bool without_service_ = true;                 // endpoints without a service are reported, too
  std::uint64_t digest_ = 0;  // over encoded_
  std::vector<SourceState> sources_;
  bool sources_dirty_ = false;
  std::set<std::string> dirty_;           // keys that changed since they were last sent, or since Hello's digest
  std::optional<std::string> full_from_;  // Filling: the next part begins after this key
  std::uint32_t part_ = 0;

  std::uint64_t epoch_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t acked_ = 0;
  std::map<std::string, std::uint64_t> sent_;  // by key: the sequence that it was last sent in, until acknowledged
  Duration heartbeat_ = 1s;
  std::optional<TimePoint> last_sent_;
  bool pinged_ = false;
  bool want_full_ = false;
  std::optional<Leave> leave_;
  std::uint64_t leave_sequence_ = 0;  // 0 = not sent
  std::vector<MeasureTarget> targets_;
  std::map<std::string, Measurement> measurements_;  // not sent yet, by key
  std::optional<TimePoint> measurements_sent_;
  std::map<std::string, Refused> refused_;
};

}  // namespace meshdns::report
