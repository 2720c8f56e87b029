#include "dnsd/app/publisher.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/log/log.h"

namespace meshdns::app {
namespace {

// What the time alone changes (slow start) is in no hurry: hosts that are due about then go into one table.
constexpr Duration kDuePause = 100ms;

}  // namespace

Publisher::Publisher(catalog::Catalog& catalog, const Clock& clock, Timers& timers, Post post)
    : catalog_(catalog),
      clock_(clock),
      timers_(timers),
      planner_(catalog.records()),
      thread_(table_, clock, [self = self_, post = std::move(post)](const CompileThread::Finished& table) {
        post([self, table] {
          if (*self != nullptr) (*self)->finished(table);
        });
      }) {
  catalog_.observe(&planner_);
}

Publisher::~Publisher() {
  *self_ = nullptr;
  catalog_.observe(nullptr);
  for (const auto& timer : {timer_, due_timer_}) {
    if (timer) timers_.cancel(*timer);
  }
}

void Publisher::configure(answers::Settings settings, const std::vector<answers::StaticRecord>& static_records) {
  base_ = answers::make_base(std::move(settings), static_records);
  configured_ = wanted_ = true;
  answers::configure(planner_, base_);
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
  if (held_ || timer_ || under_way() || (!wanted_ && version() == published_)) return;
  const Duration wait = pace_.wait(clock_.now());
  if (wait == Duration::zero()) return publish();
  timer_ = timers_.after(wait, [this] {
    timer_.reset();
    publish();
  });
}

void Publisher::adopt(std::shared_ptr<const answers::AnswerTable> table) {
  MESHDNS_CHECK(submitted_ == 0);  // the compile thread, whose the tables are, has not begun
  serial_ = table->serial;
  stale_ = table->stale;
  table_.publish(std::move(table));
}

std::shared_ptr<PinnedTable> Publisher::pin() {
  if (held_ || not_ready_ || under_way()) return nullptr;
  flush();
  return std::make_shared<PinnedTable>(table_);
}

void Publisher::flush() {
  if (held_) return;
  if (under_way()) finished(thread_.wait());
  if (under_way()) finished(thread_.wait());  // what had changed meanwhile was submitted by the line before
  if (timer_) timers_.cancel(*std::exchange(timer_, std::nullopt));
  if (!wanted_ && version() == published_) return;
  publish();
  finished(thread_.wait());
}

void Publisher::publish() {
  begun_ = clock_.now();
  published_ = version();
  wanted_ = false;
  answers::Update update;
  topology::Planner::Changes changes = planner_.take(begun_);
  Publication publication;
  if (observer_) publication = publication_of(changes);
  if (configured_) update.base = base_;
  if (configured_ || changes.places) update.locator = answers::locator_input(catalog_.records());
  if (configured_ || changes.geography) update.clusters = answers::cluster_records(catalog_.records());
  configured_ = false;
  update.put = std::move(changes.put);
  update.erased = std::move(changes.erased);
  update.version = {catalog_.revision(), catalog_.changed(), topology::frozen_text(catalog_.records().overrides)};
  update.serial = next_serial();
  update.stale = stale_;
  update.not_ready = not_ready_;
  prepared_ = clock_.now() - begun_;
  // the reader keeps what is answered now, while the observer looks at it
  if (observer_) publication.before = reader_.read();
  submitted_ = thread_.submit(std::move(update));
  if (observer_) observer_(publication);
  reader_.offline();
  watch_due();
}

Publication Publisher::publication_of(const topology::Planner::Changes& changes) const {
  Publication out{.put_count = changes.put.size(),
                  .whole = configured_,
                  .places = changes.places || configured_,
                  .geography = changes.geography,
                  .revision = catalog_.revision()};
  if (changes.put.size() <= Publication::kMostNamed) {
    for (const topology::HostPlan& host : changes.put) out.put.push_back(host.name);
  }
  if (changes.erased.size() <= Publication::kMostNamed) out.erased = changes.erased;
  return out;
}

void Publisher::watch_due() {
  if (due_timer_) timers_.cancel(*std::exchange(due_timer_, std::nullopt));
  const auto due = planner_.next_due();
  if (!due) return;
  due_timer_ = timers_.after(std::max<Duration>(kDuePause, *due - clock_.now()), [this] {
    due_timer_.reset();
    wanted_ = true;
    changed();
  });
}

std::uint32_t Publisher::next_serial() {
  const std::uint32_t serial = catalog_.serial();
  if (not_ready_ || catalog_.revision() == 0) return serial;  // nobody sees it, or nothing of its origin is known
  const bool older = serial_ && serial != *serial_ && !catalog::is_newer_serial(serial, *serial_);
  serial_ = older ? *serial_ + 1 : serial;
  return *serial_;
}

void Publisher::finished(const CompileThread::Finished& table) {
  if (table.number <= finished_) return;  // flush() was told before
  finished_ = table.number;
  last_cost_ = prepared_ + table.cost;
  pace_.published(begun_, last_cost_);
  look_for_panic();
  changed();
}

void Publisher::look_for_panic() {
  const std::uint32_t before = panic_hosts_;
  with_table([this](const answers::AnswerTable* table) {
    if (table == nullptr) return;
    spread_hosts_ = table->spread_hosts;
    panic_hosts_ = table->panic_hosts;
  });
  if (before == 0 && panic_hosts_ > 0) {
    log::warn("panic: failing endpoints are answered too", {{"hosts", panic_hosts_}});
  }
  if (before > 0 && panic_hosts_ == 0) log::info("panic is over");
}

}  // namespace meshdns::app
