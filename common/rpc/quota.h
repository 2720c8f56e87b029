#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <utility>

namespace meshdns::rpc {

/// Counts what peers hold of something that is limited: all of them together, and the peers of one address. So the
/// peers of one address never hold what the others need. Peers without an address (unix sockets) are one of their own.
/// thread: one at a time
class Quota {
 public:
  struct Limits {
    std::size_t total = 0;
    std::size_t each = 0;  // of one address
  };

  explicit Quota(Limits limits) : limits_(limits) {}

  /// Takes `amount` more. Returns false, and takes nothing, if that would be too much. Whoever holds nothing yet of an
  /// address that holds nothing gets even more than the limit of an address, so that what is large at all can pass.
  bool take(const std::string& address, std::size_t amount) {
    if (amount == 0) return true;
    const std::size_t held = of(address);
    const bool fits = held + amount <= limits_.each || held == 0;
    if (!fits || (total_ + amount > limits_.total && total_ > 0)) return false;
    take_anyway(address, amount);
    return true;
  }
  /// Takes it whatever the limits say. For what is known only when it is there; open_to() is asked before.
  void take_anyway(const std::string& address, std::size_t amount) {
    if (amount == 0) return;
    held_[address] += amount;
    total_ += amount;
  }
  /// Whether neither all together nor the peers of this address hold as much as they may.
  bool open_to(const std::string& address) const { return total_ < limits_.total && of(address) < limits_.each; }
  /// requires: it was taken
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

  /// What one peer holds. It is given back when the share goes. The quota must outlive it.
  class Share {
   public:
    Share(Quota& quota, std::string address) : quota_(&quota), address_(std::move(address)) {}
    Share(const Share&) = delete;
    Share& operator=(const Share&) = delete;
    ~Share() { release(); }

    /// returns: false = nothing more was taken
    bool grow(std::size_t amount) {
      if (!quota_->take(address_, amount)) return false;
      held_ += amount;
      return true;
    }
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
  std::map<std::string, std::size_t> held_;  // by address; none holds 0
};

}  // namespace meshdns::rpc
