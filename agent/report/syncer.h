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

/// How records become bytes; common/convert in the agent, something readable in tests.
struct Codec {
  std::function<std::string(const model::Endpoint&, TimePoint now)> encode;
  std::function<std::uint64_t(const std::string& key, const std::string& bytes)> hash;
};

/// Keeps the federation's copy of this node's endpoints equal to the agent's own. Pure.
///
///   Offline --connected()--> Greeting --Welcome--> Filling --last part written--> InSync
///      ^                                    \--- digests are equal ---------------^  |  SendFull, Welcome.want_full
///      '---------------- disconnected() ----------------------------------'         '--> Filling
///
/// next() is asked when the write before is done, so changes that come meanwhile merge per key. What was measured waits
/// for everything else.
class Syncer {
 public:
  enum class State : std::uint8_t { Offline, Greeting, Filling, InSync };
  static constexpr std::size_t kMostTargets = 64;

  static constexpr std::size_t kPartBytes = std::size_t{1} << 20;  // of the records in one message

  explicit Syncer(Codec codec, std::size_t most_part_bytes = kPartBytes)
      : codec_(std::move(codec)), most_part_bytes_(most_part_bytes) {}

  // ---- what is true on this node ----

  void put(const model::Endpoint& endpoint, TimePoint now);
  void remove(const std::string& key);
  void set_sources(std::vector<SourceState> sources);
  /// What was found of a target; the latest of each is sent, at most once per heartbeat. Those that the federation does
  /// not ask for (any more) are dropped.
  void measured(const Measurement& found);
  /// The last word: after it nothing more is sent.
  void leave(bool withdraw);

  // ---- the link ----

  void connected() { state_ = State::Greeting; }
  void disconnected();
  void on_message(const Incoming& message, TimePoint now);
  /// What to write now; nothing = wait for a change, a message or next_due().
  std::optional<Outgoing> next(TimePoint now, Duration loop_lag);
  /// When next() must be asked at the latest; nothing while there is no session.
  std::optional<TimePoint> next_due() const;
  /// What the federation wants to be measured, kMostTargets at most; what it last said stays while there is no session.
  const std::vector<Target>& targets() const { return targets_; }

  // ---- for people ----

  State state() const { return state_; }
  std::string_view state_name() const;
  std::uint64_t epoch() const { return epoch_; }
  std::uint64_t acked() const { return acked_; }
  std::size_t unsent() const { return dirty_.size(); }
  /// Nothing is left to be said: no leave was asked for, or the federation has taken it.
  bool settled() const { return !leave_ || (leave_sequence_ != 0 && acked_ >= leave_sequence_); }
  const std::map<std::string, model::Endpoint>& endpoints() const { return endpoints_; }
  /// By key: what the federation does not take, and why. A later good version clears it.
  const std::map<std::string, Refused>& refused() const { return refused_; }

 private:
  Outgoing outgoing(Outgoing::Body body, TimePoint now);
  void on_welcome(const Welcome& welcome);
  void on_settings(const Settings& settings);
  void set_targets(const std::vector<Target>& targets);
  void on_ack(const Ack& ack);
  void start_full(TimePoint now);
  void reencode(TimePoint now);
  Full next_part();
  std::optional<Delta> next_delta();
  std::optional<Outgoing> next_measurements(TimePoint now);
  void store(const std::string& key, std::string bytes);
  void drop(const std::string& key);

  Codec codec_;
  std::size_t most_part_bytes_;
  State state_ = State::Offline;

  std::map<std::string, model::Endpoint> endpoints_;
  std::map<std::string, std::string> encoded_;
  std::uint64_t digest_ = 0;  // over encoded_
  std::vector<SourceState> sources_;
  bool sources_dirty_ = false;
  std::set<std::string> dirty_;           // keys that changed since they were last sent, or told by Hello's digest
  std::optional<std::string> full_from_;  // Filling: the next part begins behind this key
  std::uint32_t part_ = 0;

  std::uint64_t epoch_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t acked_ = 0;
  std::map<std::string, std::uint64_t> sent_;  // the sequence that each key last went with, until it is acknowledged
  Duration heartbeat_ = 1s;
  std::optional<TimePoint> last_sent_;
  bool pinged_ = false;
  bool want_full_ = false;
  std::optional<Leave> leave_;
  std::uint64_t leave_sequence_ = 0;  // 0 = not sent
  std::vector<Target> targets_;
  std::map<std::string, Measurement> measurements_;  // not sent yet, by key
  std::optional<TimePoint> measurements_sent_;
  std::map<std::string, Refused> refused_;
};

}  // namespace meshdns::report
