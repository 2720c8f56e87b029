#include "agent/app/drains.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "common/base/hint.h"
#include "common/base/text.h"
#include "common/log/log.h"

namespace meshdns::agent::app {
namespace {

// A timer of years would overflow; the drain is looked at again in between.
constexpr Duration kLongestWait = 1h;

}  // namespace

std::string_view target_name(const std::string& target) {
  return target.empty() ? std::string_view("this node") : std::string_view(target);
}

Drains::Drains(const Clock& clock, Timers& timers, Monitor::Sink sink, std::string path)
    : clock_(clock), timers_(timers), sink_(std::move(sink)), file_(std::move(path), "drains") {}

Drains::~Drains() {
  if (timer_) timers_.cancel(*timer_);
}

void Drains::load() {
  file_.load([this](const std::string& text) { return maintenance_.restore(text, now()); });
  for (const auto& [target, drain] : drains()) {
    log::info("drained since before the restart", {{"target", target_name(target)}, {"reason", drain.reason}});
  }
  wait();
}

void Drains::put(const model::Endpoint& endpoint) {
  sink_.put(maintenance_.reported(endpoint));
  endpoints_.insert_or_assign(endpoint.key, endpoint);
}

void Drains::remove(const std::string& key) {
  endpoints_.erase(key);
  sink_.remove(key);
}

Result<std::string> Drains::drain(const std::string& target, const std::string& reason,
                                  std::optional<Duration> length) {
  if (!target.empty() && covered(target) == 0) {
    std::vector<std::string> names;
    for (const auto& [key, endpoint] : endpoints_) {
      names.push_back(key);
      names.push_back(endpoint.namespace_ + "/" + endpoint.service);
    }
    return Error(Code::NotFound, "no endpoint of this node is " + target + hint(did_you_mean(target, names)));
  }
  const TimePoint begin = clock_.now();
  Drain drain{target, reason, begin, std::nullopt};
  if (length) drain.until = begin + *length;
  if (auto done = maintenance_.drain(std::move(drain)); !done) return done.error();
  log::info("drain begins", {{"target", target_name(target)},
                             {"reason", reason},
                             {"for", length ? duration_text(*length) : "ever"},
                             {"endpoints", covered(target)}});
  return changed();
}

Result<std::string> Drains::undrain(const std::string& target) {
  if (!maintenance_.undrain(target)) {
    std::string others;
    for (const auto& [other, drain] : drains())
      others += (others.empty() ? "" : ", ") + std::string(target_name(other));
    return Error(Code::NotFound,
                 std::string(target_name(target)) + " is not drained" + (others.empty() ? "" : "; drained: " + others));
  }
  log::info("drain ends", {{"target", target_name(target)}, {"why", "undrain"}});
  return changed();
}

std::size_t Drains::covered(const std::string& target) const {
  const auto count = std::ranges::count_if(endpoints_, [&](const auto& entry) { return covers(target, entry.second); });
  return static_cast<std::size_t>(count);
}

std::string Drains::changed() {
  for (const auto& [key, endpoint] : endpoints_) sink_.put(maintenance_.reported(endpoint));
  wait();
  return file_.save(maintenance_.text(now()));
}

void Drains::expire() {
  const auto ended = maintenance_.expire(clock_.now());
  for (const Drain& drain : ended) {
    log::info("drain ends", {{"target", target_name(drain.target)}, {"why", "its time is over"}});
  }
  if (ended.empty()) return wait();
  changed();
}

void Drains::wait() {
  if (timer_) timers_.cancel(*timer_);
  timer_.reset();
  const auto next = maintenance_.next();
  if (!next) return;
  const Duration left = std::clamp<Duration>(*next - clock_.now(), Duration::zero(), kLongestWait);
  timer_ = timers_.after(left, [this] {
    timer_.reset();
    expire();
  });
}

}  // namespace meshdns::agent::app
