#include "dnsd/explain/difference.h"

#include <algorithm>
#include <map>
#include <utility>

#include "dnsd/answers/explain.h"
#include "dnsd/topology/view.h"

namespace meshdns::explain {
namespace {

using Found = std::map<std::string, std::vector<const topology::Candidate*>>;

Found by_address(const topology::HostPlan& host) {
  Found out;
  for (const topology::Candidate& candidate : host.candidates) out[candidate.address_text()].push_back(&candidate);
  for (auto& [address, list] : out) {
    std::ranges::sort(list, {}, [](const topology::Candidate* candidate) { return candidate->standing; });
  }
  return out;
}

std::string state_of(const topology::Candidate* candidate, bool weighed) {
  if (candidate == nullptr) return "";
  const std::string state = answers::state_word(candidate->standing);
  return weighed ? state + " weight " + std::to_string(candidate->weight) : state;
}

bool differ(const topology::Candidate* a, const topology::Candidate* b) {
  if (a == nullptr || b == nullptr) return a != b;
  return a->standing != b->standing || a->weight != b->weight || a->locality != b->locality;
}

/// Returns the change of an endpoint.
/// before and after: one of them may be null
v1::EndpointChange change_of(const topology::Candidate* before, const topology::Candidate* after) {
  const topology::Candidate& one = after != nullptr ? *after : *before;
  const bool weighed = before != nullptr && after != nullptr && before->weight != after->weight;
  v1::EndpointChange out;
  out.set_endpoint(one.address_text());
  out.set_where(one.locality.text());
  out.set_before(state_of(before, weighed));
  out.set_after(state_of(after, weighed));
  if (after != nullptr) out.set_why(answers::why_text(*after));
  return out;
}

/// Decides for both plans of a host, once for each class of clients that the policies tell apart.
class Comparison {
 public:
  Comparison(const topology::HostPlan& before, const topology::HostPlan& after, topology::Geography geography)
      : before_(before), after_(after), geography_(geography) {
    parts_ = static_cast<std::uint8_t>(topology::view_parts(before.policy) | topology::view_parts(after.policy) |
                                       topology::gateway_parts());
  }

  const std::pair<Answer, Answer>& of(const model::Locality& place) {
    const model::Locality view = topology::projected(place, parts_);
    const auto known = answers_.find(view);
    if (known != answers_.end()) return known->second;
    const auto decided = [&](const topology::HostPlan& host) {
      return answer_of(host, topology::decide(host, {view}, geography_));
    };
    return answers_.emplace(view, std::make_pair(decided(before_), decided(after_))).first->second;
  }

 private:
  const topology::HostPlan& before_;
  const topology::HostPlan& after_;
  topology::Geography geography_;
  std::uint8_t parts_;
  std::map<model::Locality, std::pair<Answer, Answer>> answers_;
};

}  // namespace

std::vector<v1::EndpointChange> endpoint_changes(const topology::HostPlan& before, const topology::HostPlan& after) {
  const Found old = by_address(before);
  const Found now = by_address(after);
  static const std::vector<const topology::Candidate*> kNone;
  std::vector<v1::EndpointChange> out;
  const auto compare = [&](const auto& was, const auto& is) {
    for (std::size_t i = 0; i < std::max(was.size(), is.size()); ++i) {
      const topology::Candidate* a = i < was.size() ? was[i] : nullptr;
      const topology::Candidate* b = i < is.size() ? is[i] : nullptr;
      if (differ(a, b)) out.push_back(change_of(a, b));
    }
  };
  for (const auto& [address, list] : old) {
    const auto found = now.find(address);
    compare(list, found == now.end() ? kNone : found->second);
  }
  for (const auto& [address, list] : now) {
    if (!old.contains(address)) compare(kNone, list);
  }
  return out;
}

bool is_same_for_answers(const topology::HostPlan& before, const topology::HostPlan& after) {
  const auto same = [](const topology::Candidate& a, const topology::Candidate& b) {
    return a.v4 == b.v4 && a.v6 == b.v6 && a.out == b.out && a.port == b.port && a.standing == b.standing &&
           a.weight == b.weight && a.known == b.known && a.group == b.group && a.locality == b.locality &&
           a.exported == b.exported;
  };
  return std::ranges::equal(before.candidates, after.candidates, same) && before.policy == after.policy;
}

std::vector<AnswerDifference> answer_differences(const topology::HostPlan& before, const topology::HostPlan& after,
                                                 const std::vector<model::Locality>& places,
                                                 topology::Geography geography, std::string (*text)(const Answer&)) {
  std::vector<AnswerDifference> out;
  Comparison comparison(before, after, geography);
  for (const model::Locality& place : places) {
    const auto& [was, is] = comparison.of(place);
    if (was == is) continue;
    const std::string from = text(was);
    const std::string to = text(is);
    const auto same = std::ranges::find_if(
        out, [&](const auto& entry) { return entry.change.before() == from && entry.change.after() == to; });
    AnswerDifference& entry = same != out.end() ? *same : out.emplace_back();
    entry.change.add_from(place.text());
    entry.change.set_before(from);
    entry.change.set_after(to);
    entry.nothing_serves = !is.serves;
  }
  return out;
}

}  // namespace meshdns::explain
