#include "dnsd/resources/status_queue.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <utility>

#include "common/time/time_text.h"

namespace meshdns::resources {
namespace {

const Condition* find(const Status& status, const std::string& type) {
  const auto found = std::ranges::find(status.conditions, type, &Condition::type);
  return found == status.conditions.end() ? nullptr : &*found;
}

boost::json::object json_of(const Condition& condition) {
  boost::json::object out{{"type", condition.type},
                          {"status", condition.status},
                          {"reason", condition.reason},
                          {"message", condition.message},
                          {"lastTransitionTime", condition.since}};
  if (condition.observed_generation > 0) out["observedGeneration"] = condition.observed_generation;
  return out;
}

/// Returns the merge patch that makes `written` of `has`.
std::string patch_text(const Status& has, const Status& written) {
  boost::json::array conditions;
  for (const Condition& condition : written.conditions) conditions.push_back(json_of(condition));
  boost::json::object status{{"conditions", conditions}};
  if (has.distances != written.distances) {
    boost::json::object distances;
    for (const auto& [to, far] : has.distances) distances[to] = nullptr;  // removes what is not written below
    for (const auto& [to, far] : written.distances) distances[to] = far;
    status["distances"] = distances;
  }
  if (has.gateways_down != written.gateways_down) {
    status["gatewaysDown"] = boost::json::array(written.gateways_down.begin(), written.gateways_down.end());
  }
  return boost::json::serialize(boost::json::object{{"status", status}});
}

}  // namespace

StatusQueue::Difference StatusQueue::difference(const Item& item) const {
  const Status& has = item.resource.status;
  const Status& wanted = item.wanted;
  bool texts = has.distances != wanted.distances || has.gateways_down != wanted.gateways_down;
  for (const Condition& condition : wanted.conditions) {
    const Condition* before = find(has, condition.type);
    if (before == nullptr || before->status != condition.status || before->reason != condition.reason ||
        before->observed_generation != item.generation) {
      return Difference::States;
    }
    texts = texts || before->message != condition.message;
  }
  const bool left = std::ranges::any_of(has.conditions, [&](const Condition& condition) {
    return is_ours(condition) && find(wanted, condition.type) == nullptr;
  });
  if (left) return Difference::States;
  return texts ? Difference::Texts : Difference::None;
}

void StatusQueue::has(const Resource& resource, TimePoint now) {
  Item& item = items_[resource.key];
  if (item.resource.uid != resource.uid) {
    item.generation = 0;  // another object: what was wanted was not about it
    item.failures = 0;
    item.retry_at = item.calm_until = TimePoint(Duration::min());
  }
  item.resource = resource;
  item.resource.written.clear();  // not needed here
  plan(resource.key, item, now);
}

void StatusQueue::forget(const std::string& key) {
  const auto found = items_.find(key);
  if (found == items_.end()) return;
  if (found->second.due) due_.erase({*found->second.due, key});
  items_.erase(found);
}

void StatusQueue::want(const std::string& key, Status status, std::int64_t generation, TimePoint now) {
  const auto found = items_.find(key);
  if (found == items_.end()) return;
  found->second.wanted = std::move(status);
  found->second.generation = generation;
  plan(key, found->second, now);
}

void StatusQueue::plan(const std::string& key, Item& item, TimePoint now) {
  if (item.due) due_.erase({*item.due, key});
  item.due.reset();
  if (item.generation == 0 || under_way_ == key) return;
  const Difference much = difference(item);
  if (much == Difference::None) {
    item.failures = 0;
    item.retry_at = TimePoint(Duration::min());
    return;
  }
  item.due = std::max({now, item.retry_at, much == Difference::Texts ? item.calm_until : now});
  due_.insert({*item.due, key});
}

std::optional<TimePoint> StatusQueue::due() const {
  if (due_.empty() || under_way_) return std::nullopt;
  return std::max(due_.begin()->first, next_at_);
}

std::optional<StatusQueue::Patch> StatusQueue::next(TimePoint now, std::int64_t unix_seconds) {
  const auto at = due();
  if (!at || *at > now) return std::nullopt;
  const std::string key = due_.begin()->second;
  due_.erase(due_.begin());
  Item& item = items_.at(key);
  item.due.reset();
  item.calm_until = now + limits_.calm;
  under_way_ = key;
  next_at_ = now + limits_.spacing;
  written_ = status_to_write(item, unix_seconds);
  return Patch{key, item.resource.path + "/status", patch_text(item.resource.status, written_)};
}

void StatusQueue::done(bool written, TimePoint now) {
  const auto key = std::exchange(under_way_, std::nullopt);
  const auto found = key ? items_.find(*key) : items_.end();
  if (found == items_.end()) return;
  Item& item = found->second;
  if (written) {
    item.resource.status = written_;  // the event that says so may be late
    item.failures = 0;
    item.retry_at = TimePoint(Duration::min());
  } else {
    const Duration longest = limits_.longest_backoff;
    Duration pause = limits_.shortest_backoff;
    for (unsigned i = 0; i < item.failures && pause < longest; ++i) pause *= 2;
    item.retry_at = now + std::min(pause, longest);
    ++item.failures;
  }
  plan(*key, item, now);
}

Status StatusQueue::status_to_write(const Item& item, std::int64_t unix_seconds) const {
  Status out = item.wanted;
  for (Condition& condition : out.conditions) {
    const Condition* before = find(item.resource.status, condition.type);
    const bool lasts = before != nullptr && before->status == condition.status && !before->since.empty();
    condition.since = lasts ? before->since : time_text(unix_seconds);
    condition.observed_generation = item.generation;
  }
  for (const Condition& condition : item.resource.status.conditions) {
    if (!is_ours(condition)) out.conditions.push_back(condition);
  }
  return out;
}

}  // namespace meshdns::resources
