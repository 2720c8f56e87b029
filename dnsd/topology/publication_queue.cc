#include "dnsd/topology/publication_queue.h"

#include <algorithm>

namespace meshdns::topology {

void PublicationQueue::add(const std::string& host, Urgency urgency) {
  const auto [known, added] = places_.try_emplace(host, Place{urgency, 0});
  ++newest_;
  // the host keeps its place, or it would never be first while it changes again and again
  if (!added && known->second.urgency <= urgency) return;
  if (!added) line(known->second.urgency).erase(known->second.number);
  known->second = {urgency, newest_};
  line(urgency).emplace(newest_, host);
}

bool PublicationQueue::leave_line(const std::string& host) {
  const auto known = places_.find(host);
  if (known == places_.end()) return false;
  line(known->second.urgency).erase(known->second.number);
  places_.erase(known);
  return true;
}

void PublicationQueue::set_due(const std::string& host, std::optional<TimePoint> due) {
  if (const auto known = due_of_.find(host); known != due_of_.end()) {
    if (due == known->second) return;
    due_.erase({known->second, host});
    due_of_.erase(known);
  }
  if (!due) return;
  due_.emplace(*due, host);
  due_of_.emplace(host, *due);
}

std::optional<TimePoint> PublicationQueue::next_due() const {
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first;
}

std::uint64_t PublicationQueue::oldest() const {
  std::uint64_t out = newest_ + 1;
  for (const Line& line : lines_) {
    if (!line.empty()) out = std::min(out, line.begin()->first);
  }
  return out;
}

bool PublicationQueue::pays(Duration cost, Duration& credit, Budget& budget) {
  const bool fits = budget.room && (cost <= budget.left || budget.empty);
  if (!fits && cost > credit) return false;
  if (!fits) credit -= cost;
  budget.left -= std::min(cost, budget.left);
  budget.empty = false;
  return true;
}

PublicationQueue::Taken PublicationQueue::take(TimePoint now, const SliceLimits& limits, const Cost& cost) {
  Taken out;
  Budget budget{.left = limits.most};
  take_removals(cost, budget, out);
  // beside removals the other lines pay with their credit only, so that the publication stays short
  budget.room = !out.removals || limits.most == Duration::max();
  take_additions(limits, cost, budget, out);
  take_steps(now, limits, cost, budget, out);
  return out;
}

void PublicationQueue::take_removals(const Cost& cost, Budget& budget, Taken& out) {
  Line& removals = line(Urgency::Removal);
  Duration none{};
  while (!removals.empty()) {
    const std::string host = removals.begin()->second;
    if (!pays(cost(host), none, budget)) return;
    leave_line(host);
    out.hosts.push_back(host);
    out.removals = true;
  }
}

void PublicationQueue::take_additions(const SliceLimits& limits, const Cost& cost, Budget& budget, Taken& out) {
  Line& additions = line(Urgency::Addition);
  const Duration share = limits.most / kAdditionShare;
  Duration none{};
  Duration& credit = budget.room ? none : addition_credit_;  // without removals additions may use the whole publication
  if (!budget.room) credit += std::min(share, Duration::max() - credit);
  while (!additions.empty()) {
    const std::string host = additions.begin()->second;
    const Duration price = cost(host);
    if (!pays(price, credit, budget)) {
      // saved credit is bounded, or a long wait would end in one very long publication
      credit = std::min(credit, std::max(share, price));
      return;
    }
    leave_line(host);
    out.hosts.push_back(host);
  }
  addition_credit_ = {};
}

void PublicationQueue::take_steps(TimePoint now, const SliceLimits& limits, const Cost& cost, Budget budget,
                                  Taken& out) {
  const Duration share = std::min(limits.most, limits.most_for_steps) / kStepShare;
  budget.left = std::min(budget.left, limits.most_for_steps);
  const bool some_due = !due_.empty() && due_.begin()->first <= now;
  if (some_due && !out.hosts.empty()) step_credit_ += std::min(share, Duration::max() - step_credit_);
  const std::set<std::string> others(out.hosts.begin(), out.hosts.end());  // these hosts are planned at `now` anyway
  for (auto at = due_.begin(); at != due_.end() && at->first <= now; ++at) {
    if (others.contains(at->second)) continue;
    const Duration price = cost(at->second);
    if (!pays(price, step_credit_, budget)) {
      step_credit_ = std::min(step_credit_, std::max(share, price));
      return;
    }
    // the host is planned once: a change that waits in a line is published with the step
    if (!leave_line(at->second)) out.steps.insert(at->second);
    out.hosts.push_back(at->second);
  }
  step_credit_ = {};
}

}  // namespace meshdns::topology
