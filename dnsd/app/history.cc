#include "dnsd/app/history.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "common/convert/report_convert.h"

namespace meshdns::dnsd::app {

void History::add(v1::Event event, TimePoint at) {
  const std::uint64_t id = next_++;
  event.set_id(id);
  const std::string host = event.host();
  auto& ids = of_host_[host];
  ids.push_back(id);
  const std::size_t bytes = sizeof(Entry) + event.SpaceUsedLong();
  bytes_ += bytes;
  entries_.emplace(id, Entry{std::move(event), at, bytes});
  if (ids.size() > kMostOfHost) forget(host);
  while (entries_.size() > kMost || bytes_ > kMostBytes) drop_oldest();
}

void History::forget(const std::string& host) {
  const auto found = of_host_.find(host);
  const auto oldest = entries_.find(found->second.front());
  bytes_ -= oldest->second.bytes;
  entries_.erase(oldest);
  found->second.pop_front();
  if (found->second.empty()) of_host_.erase(found);
}

void History::drop_oldest() { forget(std::string(entries_.begin()->second.event.host())); }

std::vector<std::uint64_t> History::ids_after(std::uint64_t after, const std::string& host) const {
  std::vector<std::uint64_t> ids;
  if (host.empty()) {
    for (auto at = entries_.upper_bound(after); at != entries_.end(); ++at) ids.push_back(at->first);
    return ids;
  }
  for (const auto& about : {host, std::string()}) {
    const auto found = of_host_.find(about);
    if (found != of_host_.end()) ids.insert(ids.end(), found->second.begin(), found->second.end());
  }
  std::erase_if(ids, [after](std::uint64_t id) { return id <= after; });
  std::ranges::sort(ids);
  return ids;
}

bool History::has_later_than(std::uint64_t after, const std::string& host) const {
  if (host.empty()) return last() > after;
  return std::ranges::any_of(std::array{host, std::string()}, [&](const std::string& about) {
    const auto found = of_host_.find(about);
    return found != of_host_.end() && found->second.back() > after;
  });
}

v1::Event History::event_at(std::uint64_t id, TimePoint now) const {
  const Entry& entry = entries_.at(id);
  v1::Event event = entry.event;
  *event.mutable_age() = convert::to_wire(std::max(Duration::zero(), now - entry.at));
  return event;
}

v1::EventsReply History::later_than(const Look& look, TimePoint now) const {
  std::vector<std::uint64_t> ids = ids_after(look.after, look.host);
  if (look.keep == Keep::Newest) std::ranges::reverse(ids);  // fill the page from the newest event on
  v1::EventsReply out;
  out.set_last(std::max(look.after, last()));
  PageFill fill(look.bounds);
  for (const std::uint64_t id : ids) {
    v1::Event event = event_at(id, now);
    if (!fill.add(event.ByteSizeLong())) {
      if (look.keep == Keep::Newest) break;
      out.set_last(out.events().rbegin()->id());
      out.set_continue_(Continue{kListing, 0, std::to_string(out.last())}.text());
      break;
    }
    *out.add_events() = std::move(event);
  }
  if (look.keep == Keep::Newest) std::reverse(out.mutable_events()->begin(), out.mutable_events()->end());
  return out;
}

}  // namespace meshdns::dnsd::app
