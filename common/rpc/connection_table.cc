#include "common/rpc/connection_table.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace meshdns::rpc {

bool ConnectionTable::add(int descriptor, const std::optional<SocketAddress>& peer, TimePoint now) {
  const auto at = static_cast<std::size_t>(descriptor);
  if (at >= entries_.size()) entries_.resize(at + 1);
  if (entries_[at].inode != 0) forget(descriptor);
  if (peer && of(peer->ip) >= limits_.per_address) return false;
  const std::uint64_t inode = inode_of_(descriptor);
  MESHDNS_CHECK(inode != 0);
  entries_[at] = {inode, used_.size(), peer, !peer};
  used_.push_back(descriptor);
  if (peer) {
    ++of_address_[peer->ip];
    by_peer_[*peer] = descriptor;
    unproven_.push_back({{descriptor, inode}, now});
  }
  return true;
}

void ConnectionTable::forget(int descriptor) {
  Entry& entry = entries_[static_cast<std::size_t>(descriptor)];
  const int last = used_.back();
  used_[entry.place] = last;
  entries_[static_cast<std::size_t>(last)].place = entry.place;
  used_.pop_back();
  if (entry.peer) {
    const auto count = of_address_.find(entry.peer->ip);
    if (--count->second == 0) of_address_.erase(count);
    // The peer may have connected again from the same port: then the entry is the newer connection's.
    const auto known = by_peer_.find(*entry.peer);
    if (known != by_peer_.end() && known->second == descriptor) by_peer_.erase(known);
  }
  entry = {};
}

std::size_t ConnectionTable::look(std::size_t count) {
  const std::size_t before = used_.size();
  count = std::min(count, before);
  for (std::size_t i = 0; i < count && !used_.empty(); ++i) {
    if (next_ >= used_.size()) next_ = 0;
    const int descriptor = used_[next_];
    const Connection looked_at{descriptor, entries_[static_cast<std::size_t>(descriptor)].inode};
    if (look_at(looked_at)) ++next_;  // otherwise the last of used_ has moved to this index, and is looked at next
  }
  return before - used_.size();
}

ConnectionTable::Entry* ConnectionTable::find(const Connection& connection) {
  const auto at = static_cast<std::size_t>(connection.descriptor);
  return entries_[at].inode == connection.inode ? &entries_[at] : nullptr;
}

bool ConnectionTable::look_at(const Connection& connection) {
  if (find(connection) == nullptr) return false;
  if (inode_of_(connection.descriptor) == connection.inode) return true;
  forget(connection.descriptor);
  return false;
}

void ConnectionTable::proven(const SocketAddress& peer) {
  const auto known = by_peer_.find(peer);
  if (known != by_peer_.end()) entries_[static_cast<std::size_t>(known->second)].proven = true;
}

std::optional<ConnectionTable::Connection> ConnectionTable::next_unproven(TimePoint before) {
  while (!unproven_.empty() && unproven_.front().since <= before) {
    const Connection connection = unproven_.front().connection;
    unproven_.pop_front();
    const Entry* entry = find(connection);
    if (entry != nullptr && !entry->proven) return connection;
  }
  return std::nullopt;
}

std::size_t ConnectionTable::of(const IpAddress& address) const {
  const auto found = of_address_.find(address);
  return found == of_address_.end() ? 0 : found->second;
}

}  // namespace meshdns::rpc
