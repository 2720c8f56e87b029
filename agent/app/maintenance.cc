#include "agent/app/maintenance.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "common/base/text.h"

namespace meshdns::agent::app {
namespace {

constexpr const char* kDrainsHead =
    "# target, since, until, reason: of `meshdns-agent drain`; the agent replaces this file";
constexpr const char* kNode = "*";   // the whole node, in the file
constexpr const char* kNever = "-";  // no end, in the file
constexpr std::size_t kDrainColumns = 4;

std::int64_t seconds(Duration duration) { return std::chrono::ceil<std::chrono::seconds>(duration).count(); }

/// Bounds keep the sum of a time and a damaged number of the file from overflowing.
Duration bounded(std::int64_t difference) {
  constexpr std::int64_t kMost = std::int64_t{100} * 365 * 24 * 3600;
  return std::chrono::seconds(std::clamp(difference, -kMost, kMost));
}

bool ends_later(const Drain& a, const Drain& b) {
  if (!a.until || !b.until) return !a.until && b.until;
  return *a.until > *b.until;
}

/// Reads one line of the file.
/// returns: nothing = it is none
std::optional<Drain> drain_at(std::string_view line, Instant at) {
  const auto columns = split(line, '\t');
  if (columns.size() != kDrainColumns || columns[0].empty()) return std::nullopt;
  const auto since = parse_uint(columns[1]);
  const auto until = parse_uint(columns[2]);
  const auto fits = [](std::uint64_t value) { return value <= std::numeric_limits<std::int64_t>::max(); };
  if (!since || !fits(*since) || (columns[2] != kNever && (!until || !fits(*until)))) return std::nullopt;
  const auto time = [&](std::uint64_t unix_seconds) {
    return at.now + bounded(static_cast<std::int64_t>(unix_seconds) - at.unix_seconds);
  };
  Drain out{columns[0] == kNode ? "" : std::string(columns[0]), std::string(columns[3]), time(*since), std::nullopt};
  out.since = std::min(out.since, at.now);  // the wall clock has gone back
  if (until) out.until = time(*until);
  return out;
}

}  // namespace

bool covers(const std::string& target, const model::Endpoint& endpoint) {
  return target.empty() || target == endpoint.key || target == endpoint.namespace_ + "/" + endpoint.service;
}

Result<void> Maintenance::drain(Drain drain) {
  const auto found = drains_.find(drain.target);
  if (found != drains_.end()) {
    drain.since = found->second.since;
    found->second = std::move(drain);
    return {};
  }
  if (drains_.size() >= most_) return Error(Code::ResourceExhausted, "more than " + counted(most_, "drain"));
  std::string target = drain.target;
  drains_.emplace(std::move(target), std::move(drain));
  return {};
}

std::vector<Drain> Maintenance::expire(TimePoint now) {
  std::vector<Drain> out;
  std::erase_if(drains_, [&](const auto& entry) {
    const bool ended = entry.second.until && *entry.second.until <= now;
    if (ended) out.push_back(entry.second);
    return ended;
  });
  return out;
}

std::optional<TimePoint> Maintenance::next() const {
  std::optional<TimePoint> out;
  for (const auto& [target, drain] : drains_) {
    if (drain.until) out = std::min(out.value_or(*drain.until), *drain.until);
  }
  return out;
}

const Drain* Maintenance::drain_of(const model::Endpoint& endpoint) const {
  const Drain* out = nullptr;
  // from the most specific to the node, so that of drains with one end the more specific reason is told
  for (const std::string& target : {endpoint.key, endpoint.namespace_ + "/" + endpoint.service, std::string()}) {
    const auto found = drains_.find(target);
    if (found == drains_.end()) continue;
    if (out == nullptr || ends_later(found->second, *out)) out = &found->second;
  }
  return out;
}

model::Endpoint Maintenance::reported(model::Endpoint endpoint) const {
  if (drains_.empty() || endpoint.health.state != model::HealthState::Serving) return endpoint;
  const Drain* drain = drain_of(endpoint);
  if (drain == nullptr) return endpoint;
  model::Health& health = endpoint.health;
  health.state = model::HealthState::Draining;
  health.detail = drain->reason.empty() ? "drained at its node" : "drained at its node: " + drain->reason;
  health.since = std::max(health.since, drain->since);
  health.drain_until = drain->until;
  health.streak = health.needed =
      0;  // they count towards failing, and the reason would read "drained, 1 of 3 failures"
  return endpoint;
}

std::string Maintenance::text(Instant at) const {
  std::string out = std::string(kDrainsHead) + "\n";
  for (const auto& [target, drain] : drains_) {
    const std::string until = drain.until ? std::to_string(at.unix_seconds + seconds(*drain.until - at.now)) : kNever;
    out += fmt::format("{}\t{}\t{}\t{}\n", target.empty() ? kNode : target,
                       at.unix_seconds + seconds(drain.since - at.now), until, drain.reason);
  }
  return out;
}

Result<void> Maintenance::restore(const std::string& text, Instant at) {
  std::map<std::string, Drain> drains;
  std::size_t number = 0;
  for (const auto line : split(text, '\n')) {
    ++number;
    if (line.empty() || line.starts_with('#')) continue;
    auto drain = drain_at(line, at);
    if (!drain || drains.size() >= most_) return Error(Code::DataLoss, fmt::format("line {} is no drain", number));
    std::string target = drain->target;
    drains.emplace(std::move(target), *std::move(drain));
  }
  drains_ = std::move(drains);
  return {};
}

}  // namespace meshdns::agent::app
