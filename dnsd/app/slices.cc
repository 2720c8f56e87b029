#include "dnsd/app/slices.h"

#include <algorithm>

namespace meshdns::dnsd::app {

Slices::~Slices() {
  for (const Running& running : running_) timers_.cancel(running.timer);
}

bool Slices::run(Job job) {
  if (running_.size() >= bounds_.jobs) return false;
  go_on(running_.insert(running_.end(), {std::move(job), 0}));
  return true;
}

void Slices::go_on(std::list<Running>::iterator at) {
  Slice slice(clock_, bounds_.steps, bounds_.time);
  const bool done = at->job(slice);
  longest_ = std::max(longest_, slice.taken());
  if (done) {
    running_.erase(at);
    return;
  }
  at->timer = timers_.after(Duration::zero(), [this, at] { go_on(at); });
}

}  // namespace meshdns::dnsd::app
