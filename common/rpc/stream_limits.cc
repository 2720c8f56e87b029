#include "common/rpc/stream_limits.h"

#include <utility>

#include "common/net/prefix.h"
#include "common/rpc/peer.h"

namespace meshdns::rpc {

std::string quota_address(std::string_view peer) {
  const auto address = peer_named(peer);
  if (!address) return "";
  // a host with one IPv6 address can normally use all addresses of its /64
  return address->ip.is_v4() ? address->ip.text() : Prefix::of(address->ip, 64).text();
}

StreamLimits::Ticket::Ticket(std::shared_ptr<StreamLimits> limits, std::string address)
    : limits_(std::move(limits)), address_(std::move(address)) {}

StreamLimits::Ticket::~Ticket() {
  spoke();
  const std::lock_guard lock(limits_->mutex_);
  limits_->open_.give_back(address_, 1);
}

void StreamLimits::Ticket::spoke() {
  const std::lock_guard lock(limits_->mutex_);
  if (std::exchange(silent_, false)) limits_->silent_.give_back(address_, 1);
}

std::shared_ptr<StreamLimits::Ticket> StreamLimits::admit(std::string_view peer) {
  const std::string address = quota_address(peer);
  const std::lock_guard lock(mutex_);
  if (!silent_.take(address, 1)) {
    ++counts_.refused_silent;
    return nullptr;
  }
  if (!open_.take(address, 1)) {
    silent_.give_back(address, 1);
    ++counts_.refused;
    return nullptr;
  }
  static_cast<void>(tide_.fell(open_.total()));  // may be a new maximum
  return std::shared_ptr<Ticket>(new Ticket(shared_from_this(), address));
}

StreamLimits::Counts StreamLimits::counts() const {
  const std::lock_guard lock(mutex_);
  Counts out = counts_;
  out.open = open_.total();
  out.silent = silent_.total();
  return out;
}

bool StreamLimits::ebbed() {
  const std::lock_guard lock(mutex_);
  return tide_.fell(open_.total());
}

}  // namespace meshdns::rpc
