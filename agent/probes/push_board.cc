#include "agent/probes/push_board.h"

#include <algorithm>
#include <utility>

#include "common/base/utf8.h"
#include "common/model/limits.h"

namespace meshdns::probes {

PushBoard::Listening::Listening(Listening&& other) noexcept
    : board_(std::exchange(other.board_, nullptr)), key_(std::move(other.key_)), id_(other.id_) {}

PushBoard::Listening& PushBoard::Listening::operator=(Listening&& other) noexcept {
  if (this == &other) return *this;
  end();
  board_ = std::exchange(other.board_, nullptr);
  key_ = std::move(other.key_);
  id_ = other.id_;
  return *this;
}

PushBoard::Listening::~Listening() { end(); }

void PushBoard::Listening::end() {
  if (board_ == nullptr) return;
  const auto found = board_->listeners_.find(key_);
  found->second.erase(id_);
  if (found->second.empty()) board_->listeners_.erase(found);
  board_ = nullptr;
}

void PushBoard::push(const std::string& key, health::Outcome outcome, std::string detail, TimePoint now) {
  detail = std::string(utf8_prefix(detail, model::kLongestDetail));
  pushes_[key] = {outcome, std::move(detail), now};
  sweep(now);
  tell(key);
}

std::optional<Push> PushBoard::last(const std::string& key) const {
  const auto found = pushes_.find(key);
  return found == pushes_.end() ? std::nullopt : std::optional(found->second);
}

PushBoard::Listening PushBoard::listen(const std::string& key, std::function<void()> news) {
  const std::uint64_t id = next_id_++;
  listeners_[key].emplace(id, std::move(news));
  return {*this, key, id};
}

std::vector<SavedPush> PushBoard::snapshot(TimePoint now, std::int64_t unix_millis) const {
  std::vector<SavedPush> out;
  for (const auto& [key, push] : pushes_) {
    const Duration age = now - push.at;
    if (age >= kLongest) continue;
    const auto millis = std::chrono::duration_cast<std::chrono::milliseconds>(age).count();
    out.push_back({key, push.outcome, push.detail, unix_millis - millis});
  }
  return out;
}

void PushBoard::restore(const std::vector<SavedPush>& saved, TimePoint now, std::int64_t unix_millis) {
  constexpr std::int64_t kLongestMillis = std::chrono::duration_cast<std::chrono::milliseconds>(kLongest).count();
  for (const SavedPush& push : saved) {
    if (unix_millis - push.at_unix_millis >= kLongestMillis) continue;
    const TimePoint at = now - std::chrono::milliseconds(std::max<std::int64_t>(unix_millis - push.at_unix_millis, 0));
    const auto known = pushes_.find(push.key);
    if (known != pushes_.end() && known->second.at >= at) continue;
    pushes_[push.key] = {push.outcome, push.detail, at};
    tell(push.key);
  }
}

/// Forgets old pushes when the board has doubled since the last look, so that a push costs no more on average.
void PushBoard::sweep(TimePoint now) {
  if (pushes_.size() < sweep_at_) return;
  std::erase_if(pushes_, [&](const auto& entry) { return now - entry.second.at >= kLongest; });
  sweep_at_ = std::max(kFirstSweep, 2 * pushes_.size());
}

/// Calls the listeners by their ids, because each call may add and remove listeners.
void PushBoard::tell(const std::string& key) {
  const auto found = listeners_.find(key);
  if (found == listeners_.end()) return;
  std::vector<std::uint64_t> ids;
  for (const auto& [id, news] : found->second) ids.push_back(id);
  for (const std::uint64_t id : ids) {
    const auto of_key = listeners_.find(key);
    if (of_key == listeners_.end()) return;
    const auto listener = of_key->second.find(id);
    if (listener == of_key->second.end()) continue;
    const auto news = listener->second;  // a copy: the call may end its own listening
    news();
  }
}

}  // namespace meshdns::probes
