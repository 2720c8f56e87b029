#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace meshdns::rpc {

/// Limits how much of a resource peers hold: all of them together, and the peers of each address, so that one address
/// cannot take everything. Peers without an address (unix sockets) count as one address. Streams, and bytes in memory,
/// are such resources.
/// thread: not locked; one thread at a time
class Quota {
 public:
  struct Limits {
    std::size_t total = 0;  // all peers together
    std::size_t each = 0;   // the peers of one address
  };

  explicit Quota(Limits limits) : limits_(limits) {}

  /// Takes `amount` more for an address. An address that holds nothing may go over its limit with its first amount, so
  /// that an amount larger than the limit can pass at all; likewise for the total.
  /// returns: false = `amount` would be too much; nothing is taken
  bool take(const std::string& address, std::size_t amount) {
    if (amount == 0) return true;
    const std::size_t held = of(address);
    const bool fits = held + amount <= limits_.each || held == 0;
    if (!fits || (total_ + amount > limits_.total && total_ > 0)) return false;
    take_anyway(address, amount);
    return true;
  }
  /// Takes `amount` more regardless of the limits. For amounts that are known only after the fact; the caller asks
  /// open_to() before.
  void take_anyway(const std::string& address, std::size_t amount) {
    if (amount == 0) return;
    held_[address] += amount;
    total_ += amount;
  }
  /// Whether neither all together nor the peers of this address hold as much as they may.
  bool open_to(const std::string& address) const { return total_ < limits_.total && of(address) < limits_.each; }
  /// Returns a taken amount to the quota.
  /// requires: the address holds at least `amount`
  void give_back(const std::string& address, std::size_t amount) {
    total_ -= amount;
    const auto found = held_.find(address);
    found->second -= amount;
    if (found->second == 0) held_.erase(found);
  }

  std::size_t total() const { return total_; }
  std::size_t of(const std::string& address) const {
    const auto found = held_.find(address);
    return found == held_.end() ? 0 : found->second;
  }
  const Limits& limits() const { return limits_; }

  /// The amount that one peer holds. The destructor gives it back. The quota must outlive the share.
  class Share {
   public:
    Share(Quota& quota, std::string address) : quota_(&quota), address_(std::move(address)) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { release(); }

    /// Takes `amount` more, as Quota::take().
    /// returns: false = nothing more was taken
    bool grow(std::size_t amount) {
      if (!quota_->take(address_, amount)) return false;
      held_ += amount;
      return true;
    }
    /// Takes `amount` more, as Quota::take_anyway().
    void hold(std::size_t amount) {
      quota_->take_anyway(address_, amount);
      held_ += amount;
    }
    bool is_open() const { return quota_->open_to(address_); }
    void release() {
      if (held_ > 0) quota_->give_back(address_, std::exchange(held_, 0));
    }
    std::size_t held() const { return held_; }

   private:
    Quota* quota_;
    std::string address_;
    std::size_t held_ = 0;
  };

 private:
  const Limits limits_;
  std::size_t total_ = 0;
  std::map<std::string, std::size_t> held_;  // by address; no entry is 0
};

}  // namespace meshdns::rpc
