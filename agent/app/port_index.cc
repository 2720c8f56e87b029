#include "agent/app/port_index.h"

#include "agent/app/instances.h"

namespace meshdns::agent::app {

std::vector<Watched*> PortIndex::behind(const SocketAddress& where) {
  std::vector<Watched*> out;
  const auto take = [&](Watched& watched) {
    if (is_behind(where, watched.found)) out.push_back(&watched);
  };
  if (where.port == 0) {
    for (const auto& [key, watched] : all_) take(*watched);
    return out;
  }
  if (!known_) make();
  const auto at_port = by_port_.find(where.port);
  if (at_port == by_port_.end()) return out;
  for (Watched* watched : at_port->second) take(*watched);
  return out;
}

void PortIndex::make() {
  by_port_.clear();
  for (const auto& [key, watched] : all_) {
    for (const std::uint16_t port : ports_of(watched->found)) by_port_[port].push_back(watched.get());
  }
  known_ = true;
}

}  // namespace meshdns::agent::app
