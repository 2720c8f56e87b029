#include "dnsd/app/publisher.h"

#include <utility>

namespace meshdns::app {

Publisher::Publisher(const catalog::Catalog& catalog, const Clock& clock, Timers& timers)
    : catalog_(catalog),
      clock_(clock),
      timers_(timers),
      // later starts begin later: at less than one publication a second the serial never goes back (RFC 1982)
      serial_(static_cast<std::uint32_t>(clock.unix_seconds())) {}

Publisher::~Publisher() {
  if (timer_) timers_.cancel(*timer_);
}

void Publisher::configure(answers::Settings settings, std::vector<answers::StaticRecord> static_records) {
  settings_ = std::move(settings);
  static_records_ = std::move(static_records);
  publish();
}

void Publisher::set_stale(bool stale) {
  if (std::exchange(stale_, stale) != stale) publish();
}

void Publisher::set_not_ready(bool not_ready) {
  if (std::exchange(not_ready_, not_ready) != not_ready) publish();
}

void Publisher::changed() {
  if (timer_ || version() == published_) return;
  const Duration wait = pace_.wait(clock_.now());
  if (wait == Duration::zero()) {
    publish();
    return;
  }
  timer_ = timers_.after(wait, [this] {
    timer_.reset();
    publish();
  });
}

void Publisher::publish() {
  const TimePoint begun = clock_.now();
  published_ = version();
  ++publications_;
  retired_.push_back(compiled_.table);
  compiled_ = answers::compile({.records = catalog_.records(),
                                .settings = settings_,
                                .static_records = static_records_,
                                .version = {catalog_.revision(), catalog_.changed()},
                                .serial = ++serial_,
                                .stale = stale_,
                                .not_ready = not_ready_});
  table_.publish(compiled_.table);
  std::erase_if(retired_, [](const auto& table) { return table.use_count() <= 1; });
  last_cost_ = clock_.now() - begun;
  pace_.published(begun, last_cost_);
}

}  // namespace meshdns::app
