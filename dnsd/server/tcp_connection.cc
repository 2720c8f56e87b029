#include "dnsd/server/tcp_connection.h"

#include <algorithm>
#include <cstring>

namespace meshdns::server {

namespace {

void trim(std::vector<std::uint8_t>& empty) {
  if (empty.capacity() > TcpConnection::kKept) std::vector<std::uint8_t>().swap(empty);
}

}  // namespace

Duration TcpLimits::idle_with(std::size_t used) const {
  if (used * 2 <= connections) return idle;
  const std::size_t free = connections - std::min(used, connections);
  return std::max(idle_least, idle * static_cast<std::int64_t>(free * 2) / static_cast<std::int64_t>(connections));
}

bool TcpConnection::has_frame() const {
  const std::size_t waiting = in_.size() - at_;
  return waiting >= 2 && waiting - 2 >= frame_length();
}

void TcpConnection::work(const Answerer& answerer, std::span<std::uint8_t> scratch, TimePoint now) {
  while (!broken_ && has_frame() && pending().size() < kPendingGoal) {
    const std::size_t length = frame_length();
    std::memcpy(scratch.data(), in_.data() + at_ + 2, length);
    at_ += 2 + length;
    const std::size_t answer = answerer(scratch.data(), length);
    broken_ = answer == 0;
    if (broken_) break;
    if (pending().empty()) last_progress_ = now;  // from now on the client has time to read
    out_.push_back(static_cast<std::uint8_t>(answer >> 8));
    out_.push_back(static_cast<std::uint8_t>(answer));
    out_.insert(out_.end(), scratch.begin(), scratch.begin() + static_cast<std::ptrdiff_t>(answer));
    answered_ = true;
  }
  in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  if (in_.empty()) trim(in_);
}

void TcpConnection::sent(std::size_t bytes, TimePoint now) {
  sent_ += bytes;
  if (bytes > 0) last_progress_ = now;
  if (sent_ < out_.size()) return;
  out_.clear();
  trim(out_);
  sent_ = 0;
}

TimePoint TcpConnection::deadline(const TcpLimits& limits, std::size_t used) const {
  if (!pending().empty()) return last_progress_ + limits.write_blocked;
  return last_progress_ + (answered_ ? limits.idle_with(used) : limits.first_query);
}

}  // namespace meshdns::server
