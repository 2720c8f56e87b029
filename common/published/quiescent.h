#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace meshdns {

/// An immutable value that one thread exchanges and others read without lock, reference count or shared write: a read
/// is two loads and a store to the reader's own cache line. Old values are freed by the owner, when every reader has
/// been seen with a newer one or offline (quiescent-state reclamation). A reader that will block goes offline before.
template <class T>
class Quiescent {
 public:
  explicit Quiescent(std::shared_ptr<const T> value = nullptr) : value_(std::move(value)), root_(value_.get()) {}

  /// Exchanges the value; frees nothing that may still be read.
  /// thread: the owner's
  void publish(std::shared_ptr<const T> value) {
    value_.swap(value);
    root_.store(value_.get(), std::memory_order_seq_cst);
    const std::uint64_t now = epoch_.fetch_add(1, std::memory_order_seq_cst) + 1;
    if (value) retired_.push_back({now, std::move(value)});
    reclaim();
  }

  /// Frees what nobody reads any more. returns: how many old values are left
  /// thread: the owner's
  std::size_t reclaim() {
    const std::uint64_t oldest = oldest_seen();
    std::erase_if(retired_, [&](const Retired& entry) { return entry.since <= oldest; });
    return retired_.size();
  }

  /// thread: the owner's
  const std::shared_ptr<const T>& get() const { return value_; }
  bool empty() const { return root_.load(std::memory_order_acquire) == nullptr; }

  /// One per reading thread. The Quiescent must outlive it.
  class Reader {
   public:
    explicit Reader(Quiescent& from) : from_(from) { from_.add(&seen_); }
    ~Reader() { from_.remove(&seen_); }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    /// The newest value; may be null if none was published. Valid until the next read() or offline().
    const T* read() noexcept {
      const std::uint64_t epoch = from_.epoch_.load(std::memory_order_acquire);
      // whoever reclaims must see that we are back before we look at the value: one total order of both
      const bool was_offline = seen_.load(std::memory_order_relaxed) == kOffline;
      seen_.store(epoch, was_offline ? std::memory_order_seq_cst : std::memory_order_release);
      return from_.root_.load(std::memory_order_seq_cst);
    }
    /// Nothing that was read is used any more.
    void offline() noexcept { seen_.store(kOffline, std::memory_order_release); }

   private:
    Quiescent& from_;
    alignas(64) std::atomic<std::uint64_t> seen_{kOffline};
  };

 private:
  static constexpr std::uint64_t kOffline = 0;
  struct Retired {
    std::uint64_t since;  // readers that have seen this epoch do not see it
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
