#include "agent/probes/none_probe.h"

#include <utility>

namespace meshdns::probes {

NoneProbe::~NoneProbe() {
  if (answer_) timers_.cancel(*answer_);
}

void NoneProbe::run(Duration /*timeout*/, Done done) {
  if (answer_) timers_.cancel(*answer_);
  answer_ = timers_.after(Duration::zero(), [this, call = std::move(done)] {
    answer_.reset();
    call({.outcome = health::Outcome::Success, .certain = true});
  });
}

}  // namespace meshdns::probes
