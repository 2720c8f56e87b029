#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/identity/authorizer.h"
#include "common/log/audit.h"
#include "common/log/ration.h"
#include "common/rpc/port.h"
#include "common/rpc/quota.h"
#include "common/time/time.h"
#include "dnsd/federation/feed.h"

namespace meshdns::federation {

using WatchPort = rpc::Port<EncodedReply>;

/// Counts for metrics.
struct WatchCounters {
  std::uint64_t sessions = 0;
  std::uint64_t deltas = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t bucket_updates = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t nacks = 0;
  std::uint64_t cut = 0;          // sessions ended because the replica did not acknowledge or read
  std::uint64_t waits = 0;        // parts that had to wait because too much was unread
  std::uint64_t clamped = 0;      // impossible values: replaced or ignored
  std::uint64_t not_allowed = 0;  // subscribers who may not watch
};

class WatchSession;

/// The state that all sessions of a federation share. Owned by Watchers, and must outlive the sessions.
struct WatchContext {
  /// Bytes of batches under way: parts that are not read yet, and lists of keys that are yet to be sent. The first
  /// limit is for all replicas together, the second for the replicas at one address.
  static constexpr rpc::Quota::Limits kUnread{std::size_t{64} << 20, std::size_t{16} << 20};
  static constexpr std::uint64_t kLines = 200;  // log lines per interval about replicas that come and go

  Feed& feed;
  const Clock& clock;
  /// Called when the session could begin another batch; may call advance().
  std::function<void(WatchSession&)> idle;
  /// Called when the session has to wait because too much is unread.
  std::function<void(WatchSession&)> starved;
  /// Called when a replica has read something.
  std::function<void()> read;
  /// Takes note of callers who may not watch; may be empty.
  std::function<void(const log::AuditEntry&)> audit{};
  WatchCounters counters{};
  rpc::Quota unread{kUnread};
  log::Ration lines{"subscribers", kLines};
  log::Ration nacks{"records that subscribers refused"};
};

/// Returns the status message: the federation's head, whether it is recovering or not settled, and its closed brakes.
EncodedReply encoded_status(const Feed& feed);

/// One replica's Watch stream: brings the replica from what it holds to the head, and keeps it there. Owned by
/// Watchers. feed.h lists which batch a replica gets.
///
/// Nothing queues up while a batch is being written or waits for its acknowledgement: the next delta begins where that
/// batch ended, so at most one version of each key is pending.
/// thread: control
class WatchSession {
 public:
  /// The number of unacknowledged batches after which the session waits, for a replica that acknowledges each batch.
  /// Otherwise batches would queue in the sockets of a slow replica instead of being merged.
  static constexpr std::size_t kMostUnacknowledged = 2;
  /// The age of the oldest unacknowledged batch after which the session waits, for a replica that acknowledges lazily
  /// (features.h).
  static constexpr Duration kLazyAckDue = 350ms;
  /// The stream ends when a batch is unacknowledged, or a message is unread, for so long.
  static constexpr Duration kAckPatience = 15s;
  static constexpr Duration kWritePatience = 30s;
  /// Like kWritePatience, while other sessions wait because too much is unread.
  static constexpr Duration kPressedPatience = 5s;
  /// The stream is aborted when the replica has not read its Goodbye for so long.
  static constexpr Duration kLongestEnd = 10s;
  static constexpr int kMostHeld = 16;              // positions in one Subscribe; further ones are ignored
  static constexpr std::size_t kLongestName = 256;  // bytes of the replica's name; the rest is cut off

  /// context: must outlive the session
  /// peer:    where the stream comes from, as gRPC names peers
  /// address: by which the stream's unread bytes are counted
  /// caller:  who watches
  WatchSession(WatchContext& context, std::shared_ptr<WatchPort> port, std::string peer, std::string address,
               identity::Caller caller);

  void received(const v1::WatchRequest& request);
  /// Sends the next part, or reports that the session is idle. Called when a write is done.
  void pump();
  /// Begins the next batch if the replica lacks something and can take a batch now.
  /// returns: whether it has sent something
  bool advance();
  /// Returns whether the replica lacks something that the feed has taken over.
  bool behind() const;
  /// Sends the status if no batch is under way. Ends the stream of a replica that has not acknowledged or read for too
  /// long.
  /// pressed: other sessions wait because too much is unread
  void heartbeat(const EncodedReply& status, bool pressed);
  /// Gives back the session's share of the unread bytes. Called when the stream has ended.
  void leave();
  /// Goes on after starved: there may be room again.
  void fed();
  void goodbye(const std::string& why, Duration retry_after, v1::Goodbye::Reason reason = v1::Goodbye::SHUTTING_DOWN);
  /// Aborts the stream at once.
  void cut() { port_->abort(); }

  const std::string& peer() const { return peer_; }
  const identity::Caller& caller() const { return caller_; }
  /// The name that the replica gives itself, like "us-1/host"; the peer if it gives none.
  const std::string& name() const { return name_.empty() ? peer_ : name_; }
  TimePoint opened() const { return opened_; }
  /// The number of revisions that the replica has not acknowledged.
  std::uint64_t revisions_behind() const;
  /// The time for which the oldest batch has waited to be acknowledged.
  Duration lag() const;

  bool subscribed() const { return subscribed_; }
  bool ended() const { return ended_; }  // goodbye was said
  std::uint64_t acked() const { return acked_; }

 private:
  struct Unacknowledged {
    std::uint64_t to = 0;
    TimePoint sent{};
  };

  void subscribe(const v1::Subscribe& subscribe);
  void acknowledged(const v1::Acknowledge& ack);
  /// Goes on from a position that the replica holds: with deltas, or with the buckets that differ.
  /// returns: false = the position is of another origin, or has neither a usable revision nor bucket hashes
  bool resume(const v1::Position& held);
  void fill(TimePoint now);
  void begin(std::shared_ptr<Transfer> transfer);
  void send_part();
  void send_now(const EncodedReply& reply);
  bool waits_for_ack() const;
  bool has_confirmed() const { return !differs_.empty() && confirmed_ < feed_.confirmations().size(); }
  void cut(const char* why);

  /// Begins a snapshot for this replica alone, because it reads so slowly that the shared one is gone.
  void fill_alone();
  void begun_fill();
  /// Waits until a replica has read something.
  void starve();

  WatchContext& context_;
  Feed& feed_;
  WatchCounters& counters_;
  const Clock& clock_;
  std::shared_ptr<WatchPort> port_;
  const TimePoint opened_;
  const std::string peer_;
  const identity::Caller caller_;
  rpc::Quota::Share source_;  // bytes that the source of the batch under way holds
  rpc::Quota::Share unread_;  // bytes of the part that is being written
  std::string name_;
  bool subscribed_ = false;
  bool ended_ = false;
  bool starved_ = false;  // waits until something was read
  bool acks_lazily_ = false;
  std::uint64_t sent_ = 0;  // the revision to which the last begun batch leads
  std::uint64_t acked_ = 0;
  bool additive_ = false;                     // the last set was additive: the replica may subscribe again to compare
  std::vector<bool> differs_;                 // buckets that may differ in the replica; empty = none
  std::size_t confirmed_ = 0;                 // how many of Feed::confirmations() were sent
  std::optional<Transfer::Reader> transfer_;  // the batch under way
  std::deque<Unacknowledged> unacknowledged_;
  TimePoint last_write_{};
};

}  // namespace meshdns::federation
