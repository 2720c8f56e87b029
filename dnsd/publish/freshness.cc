#include "dnsd/publish/freshness.h"

#include <utility>

#include "common/log/log.h"

namespace meshdns::publish {

Freshness::Freshness(Timers& timers, Publisher& publisher, Source source)
    : timers_(timers), publisher_(publisher), source_(std::move(source)) {}

Freshness::~Freshness() {
  if (timer_) timers_.cancel(*timer_);
}

void Freshness::watch() {
  const Duration silence = source_.silence();
  const bool stale = silence > source_.stale_after();
  if (stale != publisher_.stale()) {
    log::warn(stale ? "records are stale" : "records are fresh again", {{"unheard_for", silence}});
  }
  publisher_.set_stale(stale);
  timer_ = timers_.after(kInterval, [this] { watch(); });
}

}  // namespace meshdns::publish
