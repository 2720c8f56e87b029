#include "dnsd/publish/publisher.h"

#include <algorithm>
#include <utility>

#include "common/base/check.h"
#include "common/log/log.h"
#include "dnsd/topology/view.h"

namespace meshdns::publish {
namespace {

// Steps of slow start are in no hurry: the pause lets hosts that are due at about the same time share a table.
constexpr Duration kDuePause = 100ms;
// Outdated hosts always get this part (1/4) of a slice, so that they are done in the end even under constant changes.
constexpr int kRenewalShare = 4;
// Making the input of places may take at most this part (1/20) of the time.
constexpr int kPlacesShare = 20;
constexpr Duration kLongestPlacesPause = 1s;
// A longer wait is logged.
constexpr Duration kBehind = 1s;
// The most contests that are logged at a time; status has all.
constexpr std::size_t kMostTold = 10;
// The most hosts that pin() and settle() compile while they block the control thread.
constexpr std::size_t kFewHosts = 256;

}  // namespace

Publisher::Publisher(catalog::Catalog& catalog, const Clock& clock, Timers& timers, Post post, Sizes sizes)
    : catalog_(catalog),
      clock_(clock),
      timers_(timers),
      planner_(catalog.records()),
      sizes_(sizes),
      thread_(table_, clock, [self = self_, post = std::move(post)](const CompileThread::Finished& table) {
        post([self, table] {
          if (*self != nullptr) (*self)->finished(table);
        });
      }) {
  catalog_.observe(&planner_);
}

Publisher::~Publisher() {
  *self_ = nullptr;  // posted work may still run after this
  catalog_.observe(nullptr);
  for (const auto& timer : {timer_, due_timer_}) {
    if (timer) timers_.cancel(*timer);
  }
}

void Publisher::configure(answers::AnswerSettings settings, const std::vector<answers::StaticRecord>& static_records) {
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
  if (held_ || flushing_ || under_way()) return;
  if (!waits_.empty()) return publish(Extent::Whole);
  if (timer_ || !pending()) return;
  const Duration wait = pace_.wait(clock_.now());
  if (wait == Duration::zero()) return publish(Extent::Slice);
  timer_ = timers_.after(wait, [this] {
    timer_.reset();
    publish(Extent::Slice);
  });
}

bool Publisher::pending() const {
  return wanted_ || version() != published_ || mark_ || outdated_ > 0 || places_due(clock_.now());
}

void Publisher::adopt(std::shared_ptr<const answers::AnswerTable> table) {
  MESHDNS_CHECK(submitted_ == 0);  // tables belong to the compile thread as soon as it has one to make
  serial_ = table->serial;
  stale_ = table->stale;
  table_.publish(std::move(table));
}

std::shared_ptr<PinnedTable> Publisher::pin() {
  if (held_ || not_ready_ || has_much() || under_way()) return nullptr;
  flush();
  return std::make_shared<PinnedTable>(table_);
}

bool Publisher::has_much() {
  using topology::Urgency;
  if (hosts() <= kFewHosts) return false;
  return under_way() || configured_ || outdated_ > 0 || places_changed_ || planner_.moves_clients() ||
         waiting(Urgency::Removal) + waiting(Urgency::Addition) > kFewHosts;
}

bool Publisher::settle() {
  const bool much = has_much();  // then flush() would block heartbeats for as long as it compiles
  much ? changed() : flush();
  return !much;
}

void Publisher::publish_all(std::function<void()> done) {
  held_ = false;
  waits_.push_back(std::move(done));
  // a table under way may lack what has changed since it was planned
  const bool comes = under_way() && last_whole_ == submitted_ && !pending();
  whole_ = comes ? std::optional(submitted_) : std::nullopt;
  if (!flushing_ && !under_way()) publish(Extent::Whole);
}

void Publisher::tell_of_whole_table() {
  if (!whole_ || finished_ < *whole_) return;
  whole_.reset();
  for (const auto& done : std::exchange(waits_, {})) done();
}

void Publisher::flush() {
  if (held_) return;
  flushing_ = true;
  if (under_way()) finished(thread_.wait());
  if (pending() || places_changed_) {
    publish(Extent::Whole);
    finished(thread_.wait());
  }
  flushing_ = false;
  changed();  // late steps of slow start had no room, and continue
}

void Publisher::publish(Extent extent) {
  if (timer_) timers_.cancel(*std::exchange(timer_, std::nullopt));
  begun_ = clock_.now();
  // a first table without some of the hosts would say NXDOMAIN for them, and so would the one that makes us ready
  const bool whole = extent == Extent::Whole || submitted_ == 0 || (shown_not_ready_ && !not_ready_);
  published_ = version();
  wanted_ = false;
  topology::Planner::Changes changes = take(whole);
  note_complete();
  answers::Update update;
  add_common(changes, whole, update);
  Publication publication;
  if (observer_) publication = publication_of(changes, update);
  const Duration renew_for = whole ? Duration::max() : renewal_beside(changes);
  update.put = std::move(changes.put);
  update.erased = std::move(changes.erased);
  update.version = {std::get<0>(complete_), std::get<1>(complete_),
                    topology::frozen_text(catalog_.records().overrides)};
  update.serial = next_serial();
  update.stale = stale_;
  update.not_ready = shown_not_ready_ = not_ready_;
  prepared_ = clock_.now() - begun_;
  // the reader keeps the published table alive while the observer compares with it
  if (observer_) publication.before = reader_.read();
  submitted_ = thread_.submit(std::move(update), renew_for);
  if (whole) last_whole_ = submitted_;
  if (whole && !waits_.empty()) whole_ = submitted_;
  if (observer_) observer_(publication);
  reader_.offline();
  watch_due();
}

topology::Planner::Changes Publisher::take(bool whole) {
  planner_.queue();  // resolves which hosts exist, before the clock starts: only the cost of single hosts is measured
  const TimePoint planning = clock_.now();
  topology::Planner::Changes changes = planner_.take(
      begun_, {.most = whole ? Duration::max() : sizes_.slice, .most_for_steps = sizes_.slice},
      [this](const model::Policy& policy, std::size_t endpoints) { return cost_.of(weight_of(policy, endpoints)); });
  planned_ = clock_.now() - planning;
  weight_ = 0;
  for (const topology::HostPlan& plan : changes.put) {
    weight_ += weight_of(plan.policy, plan.candidates.size());
    note_ports(plan);
  }
  for (const std::string& host : changes.erased) hosts_over_ports_.erase(host);
  return changes;
}

void Publisher::note_ports(const topology::HostPlan& plan) {
  if (plan.refused_ports.empty()) {
    hosts_over_ports_.erase(plan.name);
    return;
  }
  const bool first = hosts_over_ports_.insert(plan.name).second;
  if (!first || !over_ports_told_.due(clock_.now())) return;
  log::warn("port names refused: a host has too many",
            {{"host", plan.name}, {"refused", plan.refused_ports.size()}, {"first", plan.refused_ports.front()}});
}

double Publisher::weight_of(const model::Policy& policy, std::size_t endpoints) const {
  const auto views = view_counts_.find(static_cast<std::uint8_t>(topology::view_parts(policy) | extra_parts_));
  // no host of this kind is compiled yet: assume the most, one answer set for every place
  return PublicationCost::weight(endpoints, views == view_counts_.end() ? places_ : views->second);
}

void Publisher::note_complete() {
  const topology::PublicationQueue& queue = planner_.queue();
  const bool all = queue.oldest() > queue.newest();
  if (all) {
    complete_ = published_;
  } else if (mark_ && queue.oldest() > mark_->number) {
    complete_ = mark_->version;
  } else if (mark_) {
    return;
  }
  mark_.reset();
  if (!all) mark_ = {queue.newest(), published_, begun_};
}

void Publisher::add_common(const topology::Planner::Changes& changes, bool whole, answers::Update& update) {
  places_changed_ = places_changed_ || changes.places;
  clusters_changed_ = clusters_changed_ || changes.geography;
  if (configured_) update.base = base_;
  if (configured_ || clusters_changed_) update.clusters = answers::cluster_records(catalog_.records());
  if (configured_ || places_due(begun_) || (places_changed_ && whole)) {
    const TimePoint begun = clock_.now();
    update.locator = answers::locator_input(catalog_.records());
    const Duration cost = clock_.now() - begun;
    // without the pause, each node of a rollout that brings its prefixes would make all hosts outdated again
    next_places_ = begun_ + std::clamp(cost * kPlacesShare, sizes_.places_pause, kLongestPlacesPause);
    places_changed_ = false;
  }
  clusters_changed_ = configured_ = false;
}

Duration Publisher::renewal_beside(const topology::Planner::Changes& changes) const {
  const Duration share = sizes_.slice / kRenewalShare;
  if (changes.removals) return share;
  return std::max(share, sizes_.slice - cost_.of(weight_));
}

Publication Publisher::publication_of(const topology::Planner::Changes& changes, const answers::Update& update) const {
  Publication out;
  out.whole = update.base.has_value();
  out.places = update.locator.has_value();
  out.geography = changes.geography;
  out.revision = catalog_.revision();
  for (const topology::HostPlan& host : changes.put) {
    // a step of slow start changes weights only, which are no event; with `spill` it may change which tiers have a load
    if (changes.steps.contains(host.name) && !host.policy.spill) continue;
    ++out.put_count;
    if (out.put_count <= Publication::kMostNamed) out.put.push_back(host.name);
  }
  if (out.put_count > Publication::kMostNamed) out.put.clear();
  out.erased_count = changes.erased.size();
  if (out.erased_count <= Publication::kMostNamed) out.erased = changes.erased;
  return out;
}

void Publisher::watch_due() {
  if (due_timer_) timers_.cancel(*std::exchange(due_timer_, std::nullopt));
  std::optional<TimePoint> due = planner_.next_due();
  if (due && *due <= begun_) {  // some steps had no room in this slice: the next publication takes them
    wanted_ = true;
    due.reset();
  }
  const TimePoint now = clock_.now();
  if (due) due = std::max(*due, now + kDuePause);
  if (places_changed_) due = std::min(due.value_or(next_places_), next_places_);
  if (!due) return;
  due_timer_ = timers_.after(std::max(Duration::zero(), *due - now), [this] {
    due_timer_.reset();
    wanted_ = true;
    changed();
  });
}

std::uint32_t Publisher::next_serial() {
  const std::uint32_t serial = std::get<2>(complete_);
  // clients do not see the serial of a table that is not ready, and one without records says nothing about its origin
  if (not_ready_ || catalog_.revision() == 0) return serial;
  const bool older = serial_ && serial != *serial_ && !catalog::is_newer_serial(serial, *serial_);
  serial_ = older ? *serial_ + 1 : serial;
  return *serial_;
}

void Publisher::finished(const CompileThread::Finished& table) {
  if (table.number <= finished_) return;  // flush() waited for this table, and its posted notice comes only now
  finished_ = table.number;
  last_cost_ = prepared_ + table.cost;
  cost_.measured(weight_, planned_ + table.put_cost);
  extra_parts_ = table.extra_parts;
  view_counts_ = table.view_counts;
  if (outdated_ == 0) outdated_since_ = begun_;
  outdated_ = table.outdated;
  pace_.published(begun_, last_cost_);
  look_at_table();
  look_for_delay();
  tell_of_whole_table();
  changed();
}

Duration Publisher::longest_wait() const {
  const TimePoint now = clock_.now();
  Duration out{};
  if (mark_) out = now - mark_->at;
  if (outdated_ > 0) out = std::max(out, now - outdated_since_);
  return out;
}

Duration Publisher::step_delay() const {
  const auto due = planner_.next_due();
  return due ? std::max(Duration::zero(), clock_.now() - *due) : Duration::zero();
}

void Publisher::look_for_delay() {
  const Duration wait = longest_wait();
  if (!behind_ && wait > kBehind) {
    behind_ = true;
    log::warn("publication is behind: changed answers come late", {{"removals", waiting(topology::Urgency::Removal)},
                                                                   {"additions", waiting(topology::Urgency::Addition)},
                                                                   {"outdated", outdated_}});
  }
  if (behind_ && wait == Duration::zero()) {
    behind_ = false;
    log::info("publication has caught up");
  }
}

void Publisher::look_at_table() {
  const std::uint32_t before = panic_hosts_;
  const std::size_t contested_before = contested_prefixes_;
  with_table([this](const answers::AnswerTable* table) {
    if (table == nullptr) return;
    spread_hosts_ = table->spread_hosts;
    panic_hosts_ = table->panic_hosts;
    host_states_ = table->host_states;
    places_ = table->where->places.size();
    contested_prefixes_ = table->where->locator.contested_count;
  });
  tell_of_contests(contested_before);
  if (before == 0 && panic_hosts_ > 0) {
    log::warn("panic: failing endpoints are answered too", {{"hosts", panic_hosts_}});
  }
  if (before > 0 && panic_hosts_ == 0) log::info("panic is over");
}

void Publisher::tell_of_contests(std::size_t prefixes_before) {
  const std::size_t hostless = planner_.services_without_host();
  if (std::exchange(hostless_services_, hostless) < hostless) {
    std::size_t told = 0;
    for (const topology::Conflict& conflict : planner_.conflicts()) {
      if (!conflict.object.starts_with("service ") || told++ == kMostTold) continue;
      log::warn("service has no automatic host", {{"service", conflict.object}, {"reason", conflict.message}});
    }
  }
  if (contested_prefixes_ <= prefixes_before) return;
  with_table([](const answers::AnswerTable* table) {
    const auto& contested = table->where->locator.contested;
    for (std::size_t i = 0; i < contested.size() && i < kMostTold; ++i) {
      log::warn("clusters claim the same clients", {{"problem", contested[i]}});
    }
  });
}

}  // namespace meshdns::publish
