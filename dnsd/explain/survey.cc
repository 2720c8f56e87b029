#include "dnsd/explain/survey.h"

#include <algorithm>
#include <utility>

#include "dnsd/explain/answer.h"
#include "dnsd/topology/lint.h"

namespace meshdns::explain {
namespace {

// A host is planned twice and decided for each place: about the time of a look at some hundred endpoints.
constexpr std::size_t kHostSteps = 8;

}  // namespace

Survey::Survey(const Scene& scene, Supposition supposition)
    : supposition_(std::move(supposition)),
      search_{.targets = supposition_.targets},
      all_(scene.planner.hosts()),
      places_(known_places(scene.catalog.records())) {}

bool Survey::look(const Scene& scene, std::size_t steps) {
  if (!hosts_) {
    if (!scene.planner.search(search_, steps)) return false;
    hosts_.emplace(search_.hosts.begin(), search_.hosts.end());
    for (const model::OverrideTarget& target : search_.targets) {
      if (search_.known.contains(target)) continue;
      if (auto note = topology::nobody_in(scene.catalog.records(), target); !note.empty()) notes_.push_back(note);
    }
    return hosts_->empty();
  }
  for (; steps > 0 && next_ < hosts_->size(); steps -= std::min(steps, kHostSteps)) {
    look_at(scene, (*hosts_)[next_++]);
  }
  return next_ == hosts_->size();
}

void Survey::look_at(const Scene& scene, const std::string& host) {
  const auto before = scene.planner.plan(host, scene.now);
  const auto after = scene.planner.plan(host, scene.now, supposition_.overrides);
  if (!before || !after) return;  // the host went meanwhile
  if (is_same_for_answers(*before, *after)) return;
  const auto differences = answer_differences(*before, *after, places_, scene.geography(), summary);
  if (differences.empty()) return;
  ++hosts_changed_;
  if (std::ranges::any_of(differences, &AnswerDifference::nothing_serves)) ++hosts_empty_;
  for (const AnswerDifference& row : differences) {
    ++(row.nothing_serves ? empty_count_ : count_);
    auto& list = row.nothing_serves ? empty_ : rows_;
    if (list.size() == kMostRows) continue;
    v1::HostChange& change = list.emplace_back();
    change.set_host(host);
    *change.mutable_answer() = row.change;
    change.set_nothing_serves(row.nothing_serves);
  }
}

v1::SimulateReply Survey::reply() const {
  v1::SimulateReply out;
  for (const auto* list : {&empty_, &rows_}) {
    for (const v1::HostChange& change : *list) {
      if (out.hosts_size() < static_cast<int>(kMostRows)) *out.add_hosts() = change;
    }
  }
  out.set_rows(static_cast<std::uint32_t>(empty_count_ + count_));
  out.set_hosts_seen(static_cast<std::uint32_t>(hosts_ ? hosts_->size() : 0));
  out.set_hosts_changed(static_cast<std::uint32_t>(hosts_changed_));
  out.set_hosts_empty(static_cast<std::uint32_t>(hosts_empty_));
  out.set_hosts_all(static_cast<std::uint32_t>(all_));
  for (const model::Locality& place : places_) out.add_from(place.text());
  for (const std::string& note : notes_) out.add_notes(note);
  return out;
}

}  // namespace meshdns::explain
