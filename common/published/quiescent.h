#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace meshdns {

// How it works. One owner exchanges a pointer, readers follow it without a lock, and the owner frees an old value when
// no reader can still use it (quiescent-state reclamation). An epoch counts the publications.
//
//   owner:   root_ = new value, epoch_ = 7, retired_ += {7, old value}
//   reader:  seen_ = epoch_, then value = root_           before each use (each batch of packets)
//            seen_ = offline                              before the reader blocks
//
//   retired_   since 5   since 6   since 7
//   readers    A has seen 6,  B is offline,  C has seen 7   ->  the oldest is 6: free what is retired since 5 and 6
//
// A value retired since epoch n was exchanged before the epoch became n. A reader that has seen n therefore has read
// the newer value since, and does not use the old one any more. Offline readers hold nothing.
//
// The one race is a reader that comes back from offline while the owner reclaims: the owner must not miss the reader's
// seen_ while the reader gets the old root. Both sides store first and load afterwards, with sequential consistency, so
// at least one of them sees the other's store.
//
// Not done: there is no reference count and no hazard pointer, because both are shared writes per read. The price is
// that a reader which neither reads nor goes offline keeps every later value alive.

/// Publishes an immutable value from one owner to many reading threads. A read is two loads and a store to the reader's
/// own cache line. DNS workers read the answer table through this; use Published where reads are rare.
/// thread: the owner's, except for Reader
template <class T>
class Quiescent {
 public:
  explicit Quiescent(std::shared_ptr<const T> value = nullptr) : value_(std::move(value)), root_(value_.get()) {}

  /// Exchanges the value. The old value is freed now or by a later call, when no reader uses it any more.
  /// thread: the owner's
  void publish(std::shared_ptr<const T> value) {
    value_.swap(value);
    root_.store(value_.get(), std::memory_order_seq_cst);
    const std::uint64_t now = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;
    if (value) retired_.push_back({now, std::move(value)});
    reclaim();
  }

  /// Frees the old values that no reader uses any more.
  /// returns: the number of old values that are left
  /// thread: the owner's
  std::size_t reclaim() {
    const std::uint64_t oldest = oldest_seen();
    std::erase_if(retired_, [&](const Retired& entry) { return entry.since <= oldest; });
    return retired_.size();
  }

  /// Returns the newest value.
  /// thread: the owner's
  const std::shared_ptr<const T>& get() const { return value_; }
  /// Returns whether the newest value is null.
  /// thread: any
  bool empty() const { return root_.load(std::memory_order_acquire) == nullptr; }

  /// A reading thread's access to the value. Each thread has its own. The Quiescent must outlive this.
  class Reader {
   public:
    explicit Reader(Quiescent& from) : from_(from) { from_.add(&seen_); }
    ~Reader() { from_.remove(&seen_); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// Returns the newest value, which is null if none was published. The value is valid until the next read() or
    /// offline().
    const T* read() noexcept {
      const std::uint64_t epoch = from_.epoch_.load(std::memory_order_acquire);
      // Back from offline, the store must be visible before root_ is loaded: otherwise the owner may free the old value
      // while this thread reads it. A reader that is online has an epoch in seen_ that already holds the value.
      const bool was_offline = seen_.load(std::memory_order_relaxed) == kOffline;
      seen_.store(epoch, was_offline ? std::memory_order_seq_cst : std::memory_order_release);
      return from_.root_.load(std::memory_order_seq_cst);
    }
    /// Ends the use of everything that was read. Called before the thread blocks, so that old values can be freed.
    void offline() noexcept { seen_.store(kOffline, std::memory_order_release); }

   private:
    Quiescent& from_;
    alignas(64) std::atomic<std::uint64_t> seen_{kOffline};
  };

 private:
  static constexpr std::uint64_t kOffline = 0;
  struct Retired {
    std::uint64_t since;  // the value is out of use for readers that have seen this epoch
    std::shared_ptr<const T> value;
  };

  /// Returns the oldest epoch that a reader which is not offline has seen.
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
