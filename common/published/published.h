#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>

namespace meshdns {

/// An immutable value that one thread exchanges and many read. Readers keep a Reader each and touch the mutex
/// only after an exchange; while the value stands still a read is one relaxed load.
/// (atomic<shared_ptr> in g++ 12 is not lock-free and races under TSan.)
template <class T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> value = nullptr) : value_(std::move(value)) {}

  /// thread: any
  void publish(std::shared_ptr<const T> value) {
    {
      const std::lock_guard lock(mutex_);
      value_.swap(value);
      generation_.fetch_add(1, std::memory_order_release);
    }
    // the old value is destroyed here, outside the lock, unless a reader still holds it
  }

  std::shared_ptr<const T> get() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  /// One per reading thread; holds the value it last saw alive. The Published must outlive it.
  class Reader {
   public:
    explicit Reader(const Published& published) : published_(published) { refresh(); }

    /// The newest value; may be null if none was published. Valid until the next call.
    const T* read() {
      if (published_.generation_.load(std::memory_order_acquire) != generation_) refresh();
      return value_.get();
    }

   private:
    void refresh() {
      const std::lock_guard lock(published_.mutex_);
      generation_ = published_.generation_.load(std::memory_order_relaxed);
      value_ = published_.value_;
    }

    const Published& published_;
    std::uint64_t generation_ = 0;
    std::shared_ptr<const T> value_;
  };

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const T> value_;
  std::atomic<std::uint64_t> generation_{1};
};

}  // namespace meshdns
