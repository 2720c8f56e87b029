#include "dnsd/server/capture.h"

#include <algorithm>
#include <iterator>

#include "dnsd/query/spread.h"
#include "dnsd/wire/byte_order.h"

namespace meshdns::server {
namespace {

/// Returns the tier whose addresses the client was answered with; nothing = the name is not a host, or the host has no
/// addresses for the client.
std::optional<std::uint8_t> tier_of(const Capture::Answered& answered, const wire::FoldedName& name) noexcept {
  const answers::Host* host = answered.table.find(name.view(), name.hash).host;
  if (host == nullptr) return std::nullopt;
  const wire::ClientSubnet none{};
  const bool read = std::ranges::equal(answered.query.name.view(), name.view());
  const auto located = answered.table.where->locator.locate(answered.client, answered.listener,
                                                            read ? answered.query.edns.subnet : none);
  const answers::Set& set = answered.table.set(*host, located.place);
  if (set.tier_count == 0) return std::nullopt;
  const query::DrawSeat seat{answered.client, read ? answered.query.edns.subnet : none, located, answered.unix_seconds};
  const std::size_t tier = set.spread ? query::drawn_tier(*host, set, seat) : 0;
  return static_cast<std::uint8_t>(host->tiers(set)[tier].number);
}

}  // namespace

bool Capture::Lane::wants(wire::NameBytes name, const IpAddress& client) const noexcept {
  if (filter_.client && !filter_.client->contains(client)) return false;
  return filter_.host.empty() || wire::is_at_or_below(name, filter_.host);
}

void Capture::Lane::note(const Answered& answered) noexcept {
  const auto message = answered.message;
  if (message.size() <= wire::kHeaderSize || wire::load16(message.data() + 4) == 0) return;
  wire::FoldedName name;
  const std::size_t end = wire::read_plain_name(message, wire::kHeaderSize, name);
  if (end == 0 || end + 2 > message.size()) return;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) {
    missed_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  if (!wants(name.view(), answered.client)) return;
  if (queries_.size() >= std::min(kMost, queries_.capacity())) {
    missed_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  CapturedQuery& out = queries_.emplace_back();
  out.at = answered.at;
  out.client = answered.client;
  out.listener = answered.listener;
  out.stream = answered.stream;
  out.truncated = (message[2] & 0x02U) != 0;
  out.type = static_cast<wire::Type>(wire::load16(message.data() + end));
  out.rcode = message[3] & 0x0FU;
  out.answers = wire::load16(message.data() + 6);
  const bool addresses = out.type == wire::Type::A || out.type == wire::Type::AAAA;
  if (addresses && out.answers > 0) out.tier = tier_of(answered, name);
  out.name_length = name.length;
  std::copy_n(name.bytes.begin(), name.length, out.name.begin());
}

void Capture::start(const Filter& filter) {
  for (Lane& lane : lanes_) {
    const std::lock_guard lock(lane.mutex_);
    lane.filter_ = filter;
    lane.queries_.clear();
    lane.queries_.reserve(kMost);
    lane.missed_ = 0;
  }
  on_.store(true, std::memory_order_relaxed);
}

void Capture::stop() {
  on_.store(false, std::memory_order_relaxed);
  for (Lane& lane : lanes_) {
    const std::lock_guard lock(lane.mutex_);
    lane.queries_ = std::vector<CapturedQuery>();
  }
}

Capture::Taken Capture::take() {
  Taken out;
  for (Lane& lane : lanes_) {
    const std::lock_guard lock(lane.mutex_);
    std::ranges::copy(lane.queries_, std::back_inserter(out.queries));
    lane.queries_.clear();
    out.missed += lane.missed_.exchange(0, std::memory_order_relaxed);
  }
  std::ranges::stable_sort(out.queries, {}, &CapturedQuery::at);
  return out;
}

}  // namespace meshdns::server
