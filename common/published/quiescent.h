#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace meshdns {

/// An immutable value that one thread, the owner, replaces, and that other threads read without a lock, a reference
/// count or a write to shared memory. The answer table is one: DNS workers read it for each batch of packets.
///
/// How it works (quiescent-state reclamation): each publish() advances an epoch and puts the old value on a list with
/// the new epoch. Each reader notes in a cache line of its own the epoch at which it last fetched the value:
///
///   root_ ------> value 7                           Reader A  seen 7
///   retired_      value 6 (since 7), 5 (since 6)    Reader B  seen 6: may still use value 6, so only 5 is freed
///   epoch_  7                                       Reader C  offline: uses nothing
///
/// The owner frees an old value when every reader is offline or has seen the value's epoch. A reader never waits; but a
/// reader that blocks without going offline keeps old values from being freed. A read is two loads and one store.
template <class T>
class Quiescent {
 public:
  explicit Quiescent(std::shared_ptr<const T> value = nullptr) : value_(std::move(value)), root_(value_.get()) {}

  /// Replaces the value, and frees the old values that no reader can use any more.
  /// thread: the owner's
  void publish(std::shared_ptr<const T> value) {
    value_.swap(value);
    root_.store(value_.get(), std::memory_order_seq_cst);
    const std::uint64_t now = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;
    if (value) retired_.push_back({now, std::move(value)});
    reclaim();
  }

  /// Frees the old values that no reader can use any more.
  /// returns: how many old values are left
  /// thread: the owner's
  std::size_t reclaim() {
    const std::uint64_t oldest = oldest_seen();
    std::erase_if(retired_, [&](const Retired& entry) { return entry.since <= oldest; });
    return retired_.size();
  }

  /// Returns the newest value.
  /// thread: the owner's
  const std::shared_ptr<const T>& get() const { return value_; }
  /// Whether no value was published yet.
  /// thread: any
  bool empty() const { return root_.load(std::memory_order_acquire) == nullptr; }

  /// The reading end of one thread, offline at first. The Quiescent must outlive the reader.
  class Reader {
   public:
    explicit Reader(Quiescent& from) : from_(from) { from_.add(&seen_); }
    ~Reader() { from_.remove(&seen_); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// Returns the newest value; null = none was published. Valid until the next read() or offline().
    const T* read() noexcept {
      const std::uint64_t epoch = from_.epoch_.load(std::memory_order_acquire);
      // Coming back online, the store of seen_ must be visible to the owner before root_ is loaded: otherwise the owner
      // takes this reader for offline and frees the value it is about to load. Hence seq_cst for both.
      const bool was_offline = seen_.load(std::memory_order_relaxed) == kOffline;
      seen_.store(epoch, was_offline ? std::memory_order_seq_cst : std::memory_order_release);
      return from_.root_.load(std::memory_order_seq_cst);
    }
    /// Notes that this thread uses no value now. Call it before a blocking wait.
    void offline() noexcept { seen_.store(kOffline, std::memory_order_release); }

   private:
    Quiescent& from_;
    alignas(64) std::atomic<std::uint64_t> seen_{kOffline};
  };

 private:
  static constexpr std::uint64_t kOffline = 0;
  struct Retired {
    std::uint64_t since;  // readers that have seen this epoch cannot use the value
    std::shared_ptr<const T> value;
  };

  std::uint64_t oldest_seen() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t oldest = epoch_.load(std::memory_order_relaxed);
    for (const auto* seen : readers_) {
      const std::uint64_t epoch = seen->load(std::memory_order_seq_cst);
      if (epoch != kOffline) oldest = std::min(oldest, epoch);
    }
    return oldest;
  }
  void add(const std::atomic<std::uint64_t>* seen) {
    const std::lock_guard lock(mutex_);
    readers_.push_back(seen);
  }
  void remove(const std::atomic<std::uint64_t>* seen) {
    const std::lock_guard lock(mutex_);
    std::erase(readers_, seen);
  }

  std::shared_ptr<const T> value_;
  std::atomic<const T*> root_;
  std::atomic<std::uint64_t> epoch_{1};
  std::vector<Retired> retired_;
  mutable std::mutex mutex_;
  std::vector<const std::atomic<std::uint64_t>*> readers_;
};

}  // namespace meshdns
