#include "dnsd/app/publisher.h"

#include <utility>

namespace meshdns::app {

Publisher::Publisher(catalog::Catalog& catalog, const Clock& clock, process::EventLoop& loop)
    : catalog_(catalog),
      clock_(clock),
      loop_(loop),
      planner_(catalog.records()),
      // later starts begin later: at less than one publication a second the serial never goes back (RFC 1982)
      serial_(static_cast<std::uint32_t>(clock.unix_seconds())),
      thread_(table_, clock, [this, self = self_](const CompileThread::Finished& table) {
        loop_.post([self, table] {
          if (*self != nullptr) (*self)->finished(table);
        });
      }) {
  catalog_.observe(&planner_);
}

Publisher::~Publisher() {
  *self_ = nullptr;
  catalog_.observe(nullptr);
  if (timer_) loop_.cancel(*timer_);
}

void Publisher::configure(answers::Settings settings, std::vector<answers::StaticRecord> static_records) {
  base_ = {std::move(settings), std::move(static_records)};
  configured_ = wanted_ = true;
  answers::configure(planner_, base_.settings, base_.static_records);
  changed();
}

void Publisher::set_stale(bool stale) {
  wanted_ = wanted_ || stale != stale_;
  stale_ = stale;
  changed();
}

void Publisher::set_not_ready(bool not_ready) {
  wanted_ = wanted_ || not_ready != not_ready_;
  not_ready_ = not_ready;
  changed();
}

void Publisher::changed() {
  if (timer_ || under_way() || (!wanted_ && version() == published_)) return;
  const Duration wait = pace_.wait(clock_.now());
  if (wait == Duration::zero()) return publish();
  timer_ = loop_.after(wait, [this] {
    timer_.reset();
    publish();
  });
}

void Publisher::flush() {
  if (under_way()) finished(thread_.wait());
  if (under_way()) finished(thread_.wait());  // what had changed meanwhile was submitted by the line before
  if (timer_) loop_.cancel(*std::exchange(timer_, std::nullopt));
  if (!wanted_ && version() == published_) return;
  publish();
  finished(thread_.wait());
}

void Publisher::publish() {
  begun_ = clock_.now();
  published_ = version();
  wanted_ = false;
  answers::Update update;
  topology::Planner::Changes changes = planner_.take();
  if (configured_) update.base = base_;
  if (configured_ || changes.places) update.locator = answers::locator_input(catalog_.records());
  configured_ = false;
  update.put = std::move(changes.put);
  update.erased = std::move(changes.erased);
  update.version = {catalog_.revision(), catalog_.changed()};
  update.serial = ++serial_;
  update.stale = stale_;
  update.not_ready = not_ready_;
  prepared_ = clock_.now() - begun_;
  submitted_ = thread_.submit(std::move(update));
}

void Publisher::finished(const CompileThread::Finished& table) {
  if (table.number <= finished_) return;  // flush() was told before
  finished_ = table.number;
  last_cost_ = prepared_ + table.cost;
  pace_.published(begun_, last_cost_);
  changed();
}

}  // namespace meshdns::app
