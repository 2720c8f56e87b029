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

StreamLimits::Ticket::Ticket(std::shared_ptr<StreamLimits> limits, std::string address, std::string connection)
    : limits_(std::move(limits)), address_(std::move(address)), connection_(std::move(connection)) {}

StreamLimits::Ticket::~Ticket() {
  spoke();
  const std::lock_guard lock(limits_->mutex_);
  limits_->open_.give_back(address_, 1);
  if (!connection_.empty()) limits_->connections_.give_back(connection_, 1);
}

void StreamLimits::Ticket::spoke() {
  const std::lock_guard lock(limits_->mutex_);
  if (std::exchange(silent_, false)) limits_->silent_.give_back(address_, 1);
}

std::shared_ptr<StreamLimits::Ticket> StreamLimits::admit(std::string_view peer) {
  const std::string address = quota_address(peer);
  // the name of a peer with an address contains its port, and so names the connection
  const std::string connection(address.empty() ? std::string_view() : peer);
  const std::lock_guard lock(mutex_);
  if (!silent_.open_to(address)) {
    ++counts_.refused_silent;
    return nullptr;
  }
  if (!open_.open_to(address)) {
    ++counts_.refused;
    return nullptr;
  }
  if (!connection.empty() && !connections_.take(connection, 1)) {
    ++counts_.refused_connection;
    return nullptr;
  }
  silent_.take_anyway(address, 1);
  open_.take_anyway(address, 1);
  static_cast<void>(tide_.fell(open_.total()));  // may be a new maximum
  return std::shared_ptr<Ticket>(new Ticket(shared_from_this(), address, connection));
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
