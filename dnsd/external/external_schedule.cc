#include "dnsd/external/external_schedule.h"

#include <algorithm>

#include "common/model/limits.h"

namespace meshdns::external {

void ExternalSchedule::set_names(const std::set<std::string>& names, TimePoint now) {
  for (auto at = names_.begin(); at != names_.end();) {
    if (names.contains(at->first)) {
      ++at;
      continue;
    }
    due_.erase({at->second.due, at->first});
    failures_.erase(at->first);
    at = names_.erase(at);
  }
  for (const std::string& name : names) {
    const auto [at, added] = names_.try_emplace(name, Entry{now});
    // a name that was removed and comes back may still be under way: the end of that question makes it due again
    if (added && !under_way_.contains(name)) due_.emplace(now, name);
  }
}

std::vector<std::string> ExternalSchedule::take_due(TimePoint now) {
  std::vector<std::string> out;
  while (!due_.empty() && due_.begin()->first <= now && under_way_.size() < kMostAtOnce) {
    out.push_back(due_.begin()->second);
    under_way_.insert(out.back());
    due_.erase(due_.begin());
  }
  return out;
}

std::optional<TimePoint> ExternalSchedule::next() const {
  if (due_.empty() || under_way_.size() >= kMostAtOnce) return std::nullopt;
  return due_.begin()->first;
}

void ExternalSchedule::set_due(const std::string& name, Entry& entry, TimePoint due) {
  entry.due = due;
  due_.emplace(due, name);
}

std::optional<ExternalSchedule::Failure> ExternalSchedule::succeeded(const std::string& name, Duration ttl,
                                                                     TimePoint now) {
  under_way_.erase(name);
  const auto found = names_.find(name);
  if (found == names_.end()) return std::nullopt;
  set_due(name, found->second, now + std::clamp<Duration>(ttl, kShortest, kLongest));
  found->second.pause = kShortest;
  const auto failure = failures_.extract(name);
  return failure ? std::optional(failure.mapped()) : std::nullopt;
}

bool ExternalSchedule::failed(const std::string& name, const Error& error, TimePoint now) {
  under_way_.erase(name);
  const auto found = names_.find(name);
  if (found == names_.end()) return false;
  set_due(name, found->second, now + found->second.pause);
  found->second.pause = std::min<Duration>(found->second.pause * 2, kLongest);
  const auto [failure, first] = failures_.try_emplace(name, Failure{error, now});
  failure->second.error = error;
  return first;
}

Result<std::vector<IpAddress>> addresses_after(const resolve::Answer& answer, const std::vector<IpAddress>& known,
                                               Loopback loopback) {
  std::vector<IpAddress> out;
  std::ranges::copy_if(answer.addresses, std::back_inserter(out),
                       [&](const IpAddress& address) { return !not_answerable(address, loopback); });
  // A and AAAA are two questions: the family whose question failed keeps its last good addresses
  std::ranges::copy_if(known, std::back_inserter(out),
                       [&](const IpAddress& address) { return address.family() == answer.unanswered; });
  if (out.empty()) return Error(Code::NotFound, "it has no addresses that anybody could connect to");
  std::ranges::sort(out);
  if (out.size() > model::kMostResolved) out.resize(model::kMostResolved);
  return out;
}

}  // namespace meshdns::external
