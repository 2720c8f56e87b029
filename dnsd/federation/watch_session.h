#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  std::uint64_t cut = 0;      // sessions that did not acknowledge, or did not read
  std::uint64_t waits = 0;    // parts that had to wait, because too much was unread
  std::uint64_t clamped = 0;  // values that no subscriber can mean: they count as another, or as none
};

class WatchSession;

/// What all sessions of a federation share.
struct WatchContext {
  /// Batches that are under way, in bytes: parts that are not read yet, and lists of what is to be told. Of all
  /// subscribers, and of those at one address.
  static constexpr rpc::Quota::Limits kUnread{std::size_t{64} << 20, std::size_t{16} << 20};
  static constexpr std::uint64_t kLines = 200;  // of the log in each interval: subscribers that come and go

  Feed& feed;
  const Clock& clock;
  /// The session could begin another batch; it may call advance().
  std::function<void(WatchSession&)> idle;
  /// The session has to wait, because too much is unread.
  std::function<void(WatchSession&)> starved;
  /// Something was read.
  std::function<void()> read;
  WatchCounters counters{};
  rpc::Quota unread{kUnread};
  log::Ration lines{"subscribers", kLines};
  log::Ration nacks{"records that subscribers refused"};
};

/// Returns the message that tells subscribers where the federation's head is, and what it holds back.
EncodedReply encoded_status(const Feed& feed);

/// One subscriber's stream: brings it from what it holds to the head, and on from there. While a batch is being
/// written, or waits to be acknowledged, nothing piles up: the next delta begins where that one ended, so there is one
/// pending version of each key. thread: control
class WatchSession {
 public:
  /// A subscriber that acknowledges each batch is sent so many before it has acknowledged the first of them: else they
  /// would queue in the sockets of a slow one instead of being merged.
  static constexpr std::size_t kMostUnacknowledged = 2;
  /// One that acknowledges now and then is waited for when a batch is unacknowledged for so long.
  static constexpr Duration kLazyAckDue = 350ms;
  /// After so long without acknowledgement, or without reading, the stream is ended.
  static constexpr Duration kAckPatience = 15s;
  static constexpr Duration kWritePatience = 30s;
  /// The same while others have to wait because too much is unread.
  static constexpr Duration kPressedPatience = 5s;
  /// A subscriber that does not read its last message is cut off.
  static constexpr Duration kLongestEnd = 10s;
  static constexpr int kMostHeld = 16;              // positions in one Subscribe; the others are not looked at
  static constexpr std::size_t kLongestName = 256;  // bytes; the rest is cut off

  /// peer: where the stream comes from, as gRPC names peers; address: by which it is counted
  WatchSession(WatchContext& context, std::shared_ptr<WatchPort> port, std::string peer, std::string address);

  void received(const v1::WatchRequest& request);
  /// A write is done: sends the next part, or is idle.
  void pump();
  /// Begins the next batch if the subscriber lacks something and can take it.
  /// returns: whether it has sent something
  bool advance();
  /// Whether the subscriber lacks something, as far as the feed knows.
  bool behind() const;
  /// Tells that nothing has changed, if the line is free. Ends the stream of a subscriber that is gone for too long.
  /// pressed: others have to wait because too much is unread
  void heartbeat(const EncodedReply& status, bool pressed);
  /// Gives back what it has of the shared room: the stream has ended.
  void leave();
  /// There may be room again: goes on.
  void fed();
  void goodbye(const std::string& why, Duration retry_after, v1::Goodbye::Reason reason = v1::Goodbye::SHUTTING_DOWN);
  /// Ends the stream at once.
  void cut() { port_->abort(); }

  const std::string& peer() const { return peer_; }
  /// What the subscriber calls itself: "us-1/host"; the peer, if it says nothing.
  const std::string& name() const { return name_.empty() ? peer_ : name_; }
  TimePoint opened() const { return opened_; }
  /// The number of revisions that the subscriber has not acknowledged.
  std::uint64_t revisions_behind() const;
  /// For how long the oldest batch waits to be acknowledged.
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
  /// The subscriber holds something: a delta or the buckets that differ. False = not of this origin
  bool resume(const v1::Position& held);
  void fill(TimePoint now);
  void begin(std::shared_ptr<Transfer> transfer);
  void send_part();
  void send_now(const EncodedReply& reply);
  bool waits_for_ack() const;
  bool has_confirmed() const { return !differs_.empty() && confirmed_ < feed_.confirmations().size(); }
  void cut(const char* why);

  /// It reads so slowly that the others' batch is gone: it gets one of its own.
  void fill_alone();
  void begun_fill();
  /// Waits until something was read.
  void starve();

  WatchContext& context_;
  Feed& feed_;
  WatchCounters& counters_;
  const Clock& clock_;
  std::shared_ptr<WatchPort> port_;
  const TimePoint opened_;
  const std::string peer_;
  rpc::Quota::Share source_;  // what the batch under way holds
  rpc::Quota::Share unread_;  // the part that is being written
  std::string name_;
  bool subscribed_ = false;
  bool ended_ = false;
  bool starved_ = false;  // waits for room
  bool acks_lazily_ = false;
  std::uint64_t sent_ = 0;  // the revision that the subscriber has when the batch under way is written
  std::uint64_t acked_ = 0;
  bool additive_ = false;                     // the last set was: the subscriber may compare anew
  std::vector<bool> differs_;                 // the buckets that it may hold otherwise; empty = none
  std::size_t confirmed_ = 0;                 // of Feed::confirmations(), how many it has heard of
  std::optional<Transfer::Reader> transfer_;  // the batch that is on its way
  std::deque<Unacknowledged> unacknowledged_;
  TimePoint last_write_{};
};

}  // namespace meshdns::federation
