#include "agent/probes/alias_probe.h"

#include <utility>

namespace meshdns::probes {

AliasProbe::AliasProbe(Timers& timers, ServiceBoard& board, ServiceBoard::Name asker, const AliasCheck& check)
    : timers_(timers), board_(board), asker_(std::move(asker)), target_(check.namespace_, check.service) {}

AliasProbe::~AliasProbe() {
  if (answer_) timers_.cancel(*answer_);
}

void AliasProbe::run(Duration /*timeout*/, Done done) {
  if (answer_) timers_.cancel(*answer_);
  answer_ = timers_.after(Duration::zero(), [this, call = std::move(done)] {
    answer_.reset();
    call(board_.result(target_, asker_));
  });
}

void AliasProbe::watch(std::function<void()> news) { listening_.emplace(board_, target_, std::move(news)); }

}  // namespace meshdns::probes
