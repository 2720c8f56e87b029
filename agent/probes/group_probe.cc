#include "agent/probes/group_probe.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"

namespace meshdns::probes {
namespace {

using health::Outcome;
using health::ProbeResult;

/// The results of a group's parts, counted.
struct Tally {
  std::size_t successes = 0;
  std::size_t certain_successes = 0;
  std::size_t failures = 0;
  std::size_t certain_failures = 0;
  std::size_t refused = 0;
  std::size_t proofs = 0;  // refused or certain
  std::size_t timeouts = 0;
  bool pending = true;  // all that is unknown is not known yet
  std::size_t missing = 0;

  void add(const ProbeResult& result) {
    if (result.outcome == Outcome::Unknown) {
      pending = pending && result.pending;
    } else if (is_success(result.outcome)) {
      ++successes;
      certain_successes += result.certain ? 1 : 0;
    } else {
      ++failures;
      certain_failures += result.certain ? 1 : 0;
      refused += result.outcome == Outcome::Refused ? 1 : 0;
      proofs += result.outcome == Outcome::Refused || result.certain ? 1 : 0;
      timeouts += result.outcome == Outcome::Timeout ? 1 : 0;
    }
  }
};

Tally tally_of(const std::vector<std::optional<ProbeResult>>& results) {
  Tally out;
  for (const auto& result : results) {
    if (result) {
      out.add(*result);
    } else {
      ++out.missing;
    }
  }
  return out;
}

/// Joins the details of the parts whose result is wanted: "tcp: connection refused; http: http 503".
template <class Wanted>
std::string details(const std::vector<std::optional<ProbeResult>>& results, const std::vector<GroupPart>& parts,
                    Wanted wanted) {
  std::string out;
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (!results[i] || !wanted(results[i]->outcome)) continue;
    if (!out.empty()) out += "; ";
    out += parts[i].kind;
    if (!results[i]->detail.empty()) out += ": " + results[i]->detail;
  }
  return out;
}

bool is_failure(Outcome outcome) { return outcome != Outcome::Unknown && !is_success(outcome); }

}  // namespace

std::optional<ProbeResult> group_result(const std::vector<std::optional<ProbeResult>>& results,
                                        const std::vector<GroupPart>& parts, std::size_t needed) {
  const Tally tally = tally_of(results);
  const std::size_t enough_failures = results.size() - needed + 1;  // this many failures leave too few successes
  if (tally.failures >= enough_failures) {
    Outcome outcome = Outcome::Timeout;
    if (tally.failures - tally.timeouts >= enough_failures) outcome = Outcome::Failure;
    if (tally.refused > 0 && tally.proofs >= enough_failures) outcome = Outcome::Refused;
    return ProbeResult{.outcome = outcome,
                       .detail = details(results, parts, is_failure),
                       .certain = tally.certain_failures >= enough_failures};
  }
  if (tally.successes >= needed) {
    const std::string warnings = details(results, parts, [](Outcome outcome) { return outcome == Outcome::Warning; });
    return ProbeResult{.outcome = warnings.empty() ? Outcome::Success : Outcome::Warning,
                       .detail = warnings,
                       .certain = tally.certain_successes >= needed};
  }
  if (tally.missing > 0) return std::nullopt;
  return ProbeResult{.outcome = Outcome::Unknown,
                     .detail = details(results, parts, [](Outcome outcome) { return outcome == Outcome::Unknown; }),
                     .pending = tally.pending};
}

GroupProbe::GroupProbe(std::vector<GroupPart> parts, std::size_t needed)
    : made_by_(std::move(parts)), needed_(needed), parts_(made_by_.size()), results_(made_by_.size()) {
  MESHDNS_CHECK(needed_ >= 1 && needed_ <= made_by_.size());
}

/// Returns a part's probe, and makes it if there is none.
Probe& GroupProbe::probe_of(std::size_t index) {
  Part& part = parts_[index];
  if (!part.probe) {
    part.probe = made_by_[index].make();
    if (news_) part.probe->watch(news_);
  }
  return *part.probe;
}

void GroupProbe::watch(std::function<void()> news) {
  news_ = std::move(news);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].probe) {
      parts_[i].probe->watch(news_);
    } else {
      probe_of(i);
    }
  }
}

void GroupProbe::reconnect() {
  for (const Part& part : parts_) {
    if (part.probe) part.probe->reconnect();
  }
}

void GroupProbe::run(Duration timeout, Done done) {
  give_up();
  done_ = std::move(done);
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    parts_[i].running = true;
    probe_of(i).run(timeout, [this, i](ProbeResult result) { on_result(i, std::move(result)); });
  }
}

void GroupProbe::on_result(std::size_t index, ProbeResult result) {
  parts_[index].running = false;
  results_[index] = std::move(result);
  auto decided = group_result(results_, made_by_, needed_);
  if (!decided) return;
  give_up();
  std::exchange(done_, nullptr)(std::move(*decided));
}

/// Ends the parts that run, and forgets the results of the others.
void GroupProbe::give_up() {
  for (Part& part : parts_) {
    if (part.running) part.probe.reset();
    part.running = false;
  }
  std::fill(results_.begin(), results_.end(), std::nullopt);
}

}  // namespace meshdns::probes
