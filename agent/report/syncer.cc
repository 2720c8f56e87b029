#include "agent/report/syncer.h"

#include <algorithm>
#include <utility>

#include "common/base/overloaded.h"

namespace meshdns::report {
std::string_view Syncer::state_name() const {
  switch (state_) {
    case State::Offline: return "offline";
    case State::Greeting: return "greeting";
    case State::Filling: return "filling";
    case State::InSync: return "in sync";
  }
  return "";
}

void Syncer::store(const std::string& key, std::string bytes) {
  drop(key);
  digest_ += codec_.hash(key, bytes);
  encoded_[key] = std::move(bytes);
}

bool Syncer::drop(const std::string& key) {
  const auto found = encoded_.find(key);
  if (found == encoded_.end()) return false;
  digest_ -= codec_.hash(key, found->second);
  encoded_.erase(found);
  return true;
}

void Syncer::put(const model::Endpoint& endpoint, TimePoint now) {
  const auto found = endpoints_.find(endpoint.key);
  if (found != endpoints_.end() && found->second == endpoint) return;
  endpoints_[endpoint.key] = endpoint;
  if (is_reported(endpoint)) {
    store(endpoint.key, codec_.encode(endpoint, now));
    dirty_.insert(endpoint.key);
  } else if (drop(endpoint.key)) {
    dirty_.insert(endpoint.key);  // it had a service before
  }
}

void Syncer::remove(const std::string& key) {
  if (endpoints_.erase(key) == 0) return;
  refused_.erase(key);
  if (drop(key)) dirty_.insert(key);
}

void Syncer::report_without_service(bool on, TimePoint now) {
  if (std::exchange(without_service_, on) == on) return;
  for (const auto& [key, endpoint] : endpoints_) {
    if (!endpoint.service.empty()) continue;
    if (on) {
      store(key, codec_.encode(endpoint, now));
    } else {
      drop(key);
      refused_.erase(key);
    }
    dirty_.insert(key);
  }
}

void Syncer::set_sources(std::vector<SourceState> sources) {
  if (sources == sources_) return;
  sources_ = std::move(sources);
  sources_dirty_ = true;
}

void Syncer::measured(const Measurement& found) {
  if (std::ranges::find(targets_, found.key, &MeasureTarget::key) != targets_.end()) measurements_[found.key] = found;
}

void Syncer::leave(bool withdraw) { leave_ = Leave{withdraw}; }

void Syncer::disconnected() {
  state_ = State::Offline;
  last_sent_.reset();
  pinged_ = false;
  if (!settled()) leave_sequence_ = 0;  // nobody has acknowledged the Leave: the next session sends it again
}

void Syncer::on_message(const Incoming& message, TimePoint now) {
  std::visit(Overloaded{[&](const Welcome& welcome) { on_welcome(welcome, now); },
                        [&](const ReportSettings& settings) { on_settings(settings); },
                        [&](const Ack& ack) { on_ack(ack); }, [&](const SendFull&) { want_full_ = true; },
                        [&](const Ping&) { pinged_ = true; }, [](const Goodbye&) {}},
             message);
  if (want_full_ && (state_ == State::InSync || state_ == State::Filling)) start_full(now);
}

void Syncer::on_welcome(const Welcome& welcome, TimePoint now) {
  if (state_ != State::Greeting) return;
  report_without_service(welcome.without_service, now);
  epoch_ = welcome.epoch;
  sequence_ = 0;
  acked_ = 0;
  heartbeat_ = welcome.heartbeat > Duration::zero() ? std::max<Duration>(welcome.heartbeat, 10ms) : Welcome{}.heartbeat;
  want_full_ = welcome.want_full;
  set_targets(welcome.measure);
  // This federation may be another one, which does not know yet that a source cannot be read.
  sources_dirty_ = sources_dirty_ || !std::ranges::all_of(sources_, &SourceState::listed);
  sent_.clear();
  // Unless it wants a Full, the federation has exactly the records of Hello's digest. Changes since then are in dirty_.
  state_ = State::InSync;
}

void Syncer::on_settings(const ReportSettings& settings) {
  if (state_ != State::InSync && state_ != State::Filling) return;
  if (settings.heartbeat > Duration::zero()) heartbeat_ = std::max<Duration>(settings.heartbeat, 10ms);
  set_targets(settings.measure);
}

void Syncer::set_targets(const std::vector<MeasureTarget>& targets) {
  targets_.clear();
  for (const MeasureTarget& target : targets) {
    const bool known = std::ranges::find(targets_, target.key, &MeasureTarget::key) != targets_.end();
    if (!known && targets_.size() < kMostTargets) targets_.push_back(target);
  }
  std::erase_if(measurements_, [&](const auto& entry) {
    return std::ranges::find(targets_, entry.first, &MeasureTarget::key) == targets_.end();
  });
}

void Syncer::on_ack(const Ack& ack) {
  acked_ = std::max(acked_, ack.sequence);
  for (const Refused& refusal : ack.refused) {
    const auto newer = sent_.find(refusal.key);
    // a refusal of an old version says nothing about the newer one, whose own Ack is still to come
    const bool outdated = newer != sent_.end() && newer->second > ack.sequence;
    if (!outdated && endpoints_.contains(refusal.key)) refused_[refusal.key] = refusal;
  }
  std::erase_if(sent_, [&](const auto& entry) { return entry.second <= ack.sequence; });
}

void Syncer::reencode(TimePoint now) {
  for (const auto& [key, endpoint] : endpoints_) {
    if (is_reported(endpoint)) store(key, codec_.encode(endpoint, now));
  }
}

void Syncer::start_full(TimePoint now) {
  want_full_ = false;
  state_ = State::Filling;
  reencode(now);  // encodings contain durations ("in this state for 5 s"), which have grown since put()
  full_from_.reset();
  part_ = 0;
  dirty_.clear();
  refused_.clear();
}

Outgoing Syncer::outgoing(Outgoing::Body body, TimePoint now) {
  last_sent_ = now;
  return {epoch_, ++sequence_, std::move(body)};
}

Full Syncer::next_part() {
  Full full;
  full.part = part_++;
  std::size_t bytes = 0;
  auto at = full_from_ ? encoded_.upper_bound(*full_from_) : encoded_.begin();
  for (; at != encoded_.end() && (full.endpoints.empty() || bytes + at->second.size() <= most_part_bytes_); ++at) {
    bytes += at->second.size();
    full.endpoints.push_back(at->second);
    full_from_ = at->first;
    sent_[at->first] = sequence_ + 1;
    dirty_.erase(at->first);
  }
  full.last = at == encoded_.end();
  if (full.last) {
    full.sources = sources_;
    sources_dirty_ = false;
    state_ = State::InSync;
  }
  return full;
}

std::optional<Delta> Syncer::next_delta() {
  if (dirty_.empty() && !sources_dirty_) return std::nullopt;
  Delta delta;
  std::size_t bytes = 0;
  while (!dirty_.empty()) {
    const std::string key = *dirty_.begin();
    const auto found = encoded_.find(key);
    const std::size_t size = found == encoded_.end() ? key.size() : found->second.size();
    if (bytes > 0 && bytes + size > most_part_bytes_) break;  // this key begins the next Delta
    bytes += size;
    if (found == encoded_.end()) {
      delta.removals.push_back(key);
    } else {
      delta.upserts.push_back(found->second);
      sent_[key] = sequence_ + 1;
      refused_.erase(key);
    }
    dirty_.erase(dirty_.begin());
  }
  if (std::exchange(sources_dirty_, false)) delta.sources = sources_;
  return delta;
}

/// Does not set last_sent_: measurements must not replace a heartbeat, because the heartbeat carries the digest.
std::optional<Outgoing> Syncer::next_measurements(TimePoint now) {
  const bool due = !measurements_sent_ || now - *measurements_sent_ >= heartbeat_;
  if (measurements_.empty() || !due) return std::nullopt;
  measurements_sent_ = now;
  Measurements out;
  for (auto& [key, found] : std::exchange(measurements_, {})) out.results.push_back(found);
  return Outgoing{epoch_, ++sequence_, std::move(out)};
}

std::optional<Outgoing> Syncer::next(TimePoint now, Duration loop_lag) {
  if (leave_sequence_ != 0) return std::nullopt;
  if (state_ == State::Greeting) {
    if (last_sent_) return std::nullopt;
    last_sent_ = now;
    dirty_.clear();  // the digest of Hello covers these changes
    return Outgoing{0, 0, Hello{epoch_, acked_, digest_}};
  }
  if (state_ == State::Offline) return std::nullopt;
  if (leave_) {
    Outgoing message = outgoing(*leave_, now);
    leave_sequence_ = message.sequence;
    return message;
  }
  if (state_ == State::Filling) return outgoing(next_part(), now);
  if (auto delta = next_delta()) return outgoing(std::move(*delta), now);
  const bool due = !last_sent_ || now - *last_sent_ >= heartbeat_;
  if (!due && !pinged_) return next_measurements(now);
  pinged_ = false;
  return outgoing(Heartbeat{digest_, loop_lag}, now);
}

std::optional<TimePoint> Syncer::next_due() const {
  if (leave_sequence_ != 0 || (state_ != State::InSync && state_ != State::Filling)) return std::nullopt;
  const TimePoint beat = last_sent_ ? *last_sent_ + heartbeat_ : TimePoint{};
  if (measurements_.empty() || !measurements_sent_) return beat;
  return std::min(beat, *measurements_sent_ + heartbeat_);
}

}  // namespace meshdns::report
