#include "agent/health/readiness.h"

#include <algorithm>
#include <utility>

#include "common/base/utf8.h"
#include "common/model/limits.h"

namespace meshdns::health {
namespace {

using model::HealthState;

/// Whether a container runs anew, compared with an earlier report. An empty id says nothing: the kubelet leaves it out
/// before a container is made.
bool has_newer_run(const PodReport& before, const PodReport& after) {
  return std::ranges::any_of(after.runs, [&](const auto& entry) {
    const auto& [name, run] = entry;
    const auto known = before.runs.find(name);
    if (known == before.runs.end()) return !run.id.empty();
    return run.restarts > known->second.restarts || (!run.id.empty() && run.id != known->second.id);
  });
}

bool has_run(const PodReport& report, const std::string& id) {
  return std::ranges::any_of(report.runs, [&](const auto& entry) { return entry.second.id == id; });
}

std::string shortened(const std::string& detail) {
  return std::string(utf8_prefix(detail, model::kLongestDetail));  // the kubelet's messages have no limit
}

}  // namespace

bool Readiness::on_report(const PodReport& report, TimePoint now) {
  if (report_ == report) return false;
  if (!report_) health_.since = now;
  report_ = report;
  if (contradiction_) {
    const PodReport& known = contradiction_->known;
    // The kubelet has seen a failure of its own. Its next Ready is newer than the evidence.
    const bool superseded = !report.ready || report.since > known.since || has_newer_run(known, report);
    if (superseded) contradiction_.reset();
  }
  return judge(now);
}

bool Readiness::on_evidence(Evidence kind, const std::string& detail, TimePoint now, const std::string& run) {
  const bool is_answered = report_ && report_->ready;
  if (!is_answered || (!run.empty() && !has_run(*report_, run))) return false;
  if (!contradiction_) contradiction_ = Contradiction{kind, detail, {}, now};
  contradiction_->known = *report_;
  contradiction_->streak = 0;
  return judge(now);
}

bool Readiness::on_result(const ProbeResult& result, TimePoint now) {
  if (result.outcome == Outcome::Refused) return on_evidence(Evidence::Refused, result.detail, now);
  if (!contradiction_ || result.outcome == Outcome::Unknown) return false;
  const bool too_early = contradiction_->kind == Evidence::Ended && now - contradiction_->began < kEndHolds;
  if (too_early && is_success(result.outcome)) return false;
  contradiction_->streak = is_success(result.outcome) ? contradiction_->streak + 1 : 0;
  if (contradiction_->streak >= rise_) contradiction_.reset();
  return judge(now);
}

std::optional<Evidence> Readiness::evidence() const {
  return contradiction_ ? std::optional(contradiction_->kind) : std::nullopt;
}

bool Readiness::judge(TimePoint now) {
  model::Health next = judged(now);
  if (next.state == health_.state) {
    next.since = health_.since;
    // counted from the moment at which the deletion was seen; a second deletion may only shorten it
    if (next.drain_until && health_.drain_until) next.drain_until = std::min(*next.drain_until, *health_.drain_until);
  }
  has_served_ = has_served_ || next.state == HealthState::Serving;
  if (next == health_) return false;
  health_ = std::move(next);
  return true;
}

/// requires: there was a report
model::Health Readiness::judged(TimePoint now) const {
  model::Health out{.since = now};
  if (report_->grace && report_->ready && !contradiction_) {
    out.state = HealthState::Draining;
    out.detail = "the pod is being deleted";
    out.drain_until = now + *report_->grace;
  } else if (!report_->ready) {
    out.state = has_served_ ? HealthState::Failing : HealthState::Pending;
    out.detail = report_->why.empty() ? "the pod is not ready" : shortened(report_->why);
    if (!has_served_) out.streak = out.needed = 1;
  } else if (contradiction_) {
    out.state = HealthState::Failing;
    out.detail = shortened(contradiction_->detail);
    out.streak = contradiction_->streak;
    out.needed = rise_;
    out.in_doubt = out.streak > 0;
  } else {
    out.state = HealthState::Serving;
  }
  return out;
}

model::Health with_checks(const model::Health& readiness, const model::Health& checks) {
  if (readiness.state != HealthState::Serving) return readiness;
  if (checks.state != HealthState::Pending) {
    model::Health out = checks;
    out.since = std::max(readiness.since, checks.since);
    return out;
  }
  model::Health out = readiness;
  out.detail = checks.detail;
  if (checks.needed == 0 || checks.streak < checks.needed) return out;
  out.state = HealthState::Failing;
  return out;
}

}  // namespace meshdns::health
