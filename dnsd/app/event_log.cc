#include "dnsd/app/event_log.h"

#include <algorithm>
#include <utility>

#include "common/base/text.h"
#include "common/model/host_name.h"
#include "dnsd/explain/difference.h"
#include "dnsd/explain/scene.h"

namespace meshdns::dnsd::app {
namespace {

// Ids of a run begin at the start's unix time times this number. A run has fewer events than a million a second, so the
// ids of a later run are greater.
constexpr std::uint64_t kIdsPerSecond = 1000000;
constexpr const char* kNoHost = "no such host";
constexpr std::size_t kMostLines = 16;  // endpoint changes in one event, and as many answer changes

const answers::Host* host_in(const answers::AnswerTable& table, const std::string& host) {
  const auto name = wire::parse_name(host);
  return name ? table.find(*name, wire::hash_name(*name)).host : nullptr;
}

std::string more(std::size_t count, const char* what) { return "and " + std::to_string(count) + " more " + what; }

void add_line(std::string& text, const std::string& line) { text += (text.empty() ? "" : "; ") + line; }

}  // namespace

EventLog::EventLog(const catalog::Catalog& catalog, publish::Publisher& publisher, const Clock& clock, Timers& timers)
    : catalog_(catalog),
      publisher_(publisher),
      clock_(clock),
      timers_(timers),
      history_(static_cast<std::uint64_t>(clock.unix_seconds()) * kIdsPerSecond) {
  publisher_.observe([this](const publish::Publication& publication) { published(publication); });
}

EventLog::~EventLog() {
  publisher_.observe({});
  for (const Waiting& waiting : waiting_) timers_.cancel(waiting.timer);
}

v1::Event EventLog::event_now() const {
  v1::Event event;
  const std::int64_t now = clock_.unix_millis();
  event.set_at(now / 1000);
  event.set_at_millis(static_cast<std::uint32_t>(now % 1000));
  return event;
}

v1::Event EventLog::event_of(const publish::Publication& publication) const {
  v1::Event event = event_now();
  event.set_revision(publication.revision);
  return event;
}

void EventLog::note(const std::vector<std::string>& hosts, const std::string& what) {
  v1::Event event = event_now();
  event.set_revision(catalog_.revision());
  event.set_summary(what);
  if (hosts.empty()) add(event);
  for (const std::string& host : hosts) {
    event.set_host(model::host_key(host));
    add(event);
  }
  tell();
}

void EventLog::add(v1::Event event) { history_.add(std::move(event), clock_.now()); }

void EventLog::add_summary(const publish::Publication& publication, const std::string& text) {
  v1::Event event = event_of(publication);
  event.set_summary(text);
  add(std::move(event));
}

void EventLog::published(const publish::Publication& publication) {
  if (publication.places) seats_.reset();
  const std::uint64_t last = history_.last();
  if (publication.before == nullptr || publication.before->not_ready) {
    add_summary(publication, counted(publication.put_count, "host") + " at the start");
    return tell();
  }
  if (publication.geography && !publication.whole) {
    add_summary(publication, "clusters, their distances or their gateways changed");
  }
  // comparing two hosts decides for many places: without a bound, a large publication would delay heartbeats
  const TimePoint end = clock_.now() + kBudget;
  std::size_t untold = publication.put_count - publication.put.size();
  std::size_t seen = 0;
  for (const std::string& host : publication.put) {
    if (++seen > kAlwaysTold && clock_.now() > end) {
      ++untold;
    } else {
      add_change(publication, host);
    }
  }
  for (const std::string& host : publication.erased) add_change(publication, host);
  if (publication.erased_count > publication.erased.size()) {
    add_summary(publication, counted(publication.erased_count, "host") + " were removed");
  }
  if (untold > 0) add_summary(publication, counted(untold, "host") + " more may have changed");
  if (history_.last() != last) tell();
}

void EventLog::add_change(const publish::Publication& publication, const std::string& host) {
  const answers::Host* old = host_in(*publication.before, host);
  const auto now = publisher_.plan(host);
  const topology::HostPlan before = old == nullptr ? topology::HostPlan() : answers::plan_of(*old, "");
  const topology::HostPlan after = now.value_or(topology::HostPlan());
  const bool is_new = old == nullptr && now;
  const bool is_gone = old != nullptr && !now;
  if (!is_new && !is_gone && explain::is_same_for_answers(before, after)) return;
  // collected only once places have changed: they are a walk over all nodes
  if (!seats_) seats_ = explain::known_places(catalog_.records());
  v1::Event event = event_of(publication);
  event.set_host(host);
  std::string summary = is_new ? "the host is new" : is_gone ? "the host is gone" : "";
  const auto endpoints = explain::endpoint_changes(before, after);
  for (const auto& change : endpoints) {
    if (event.endpoints_size() < static_cast<int>(kMostLines)) *event.add_endpoints() = change;
  }
  if (endpoints.size() > kMostLines) add_line(summary, more(endpoints.size() - kMostLines, "endpoints"));
  if (!is_new && !is_gone && !(before.policy == after.policy)) add_line(summary, "another policy");
  const auto answers =
      explain::answer_differences(before, after, *seats_, topology::geography_of(catalog_.records()), explain::text);
  for (const auto& difference : answers) {
    if (event.answers_size() == static_cast<int>(kMostLines)) break;
    v1::AnswerChange& change = *event.add_answers();
    change = difference.change;
    if (is_new) change.set_before(kNoHost);
    if (is_gone) change.set_after(kNoHost);
  }
  if (answers.size() > kMostLines) add_line(summary, more(answers.size() - kMostLines, "answers"));
  event.set_summary(summary);
  add(std::move(event));
}

v1::EventsReply EventLog::reply_to(const v1::EventsRequest& request) const {
  const bool goes_on = request.wait() || request.limit() > 0 || request.after() > 0 || !request.continue_().empty();
  History::Look look{request.after(), request.host(), goes_on ? History::Keep::Oldest : History::Keep::Newest};
  if (request.limit() > 0) look.bounds.rows = std::min<std::size_t>(request.limit(), History::kMostInReply);
  return history_.later_than(look, clock_.now());
}

void EventLog::look(const v1::EventsRequest& request, Done done) {
  v1::EventsRequest asked = request;
  asked.set_host(model::host_key(request.host()));
  if (!asked.host().empty() && !history_.knows(asked.host()) && !publisher_.plan(asked.host())) {
    return done(Error(Code::NotFound, "no host " + asked.host() + " is defined, nor was one lately"));
  }
  if (!request.continue_().empty()) {
    const auto token = Continue::parse(request.continue_(), History::kListing);
    if (!token) return done(token.error());
    asked.set_after(parse_uint(token->after).value_or(0));
  }
  // a call that waits and names no event wants the next one, not the history
  if (asked.wait() && asked.after() == 0) asked.set_after(std::max<std::uint64_t>(1, history_.last()));
  v1::EventsReply reply = reply_to(asked);
  if (!asked.wait() || !reply.events().empty() || ending_) return done(std::move(reply));
  if (waiting_.size() == kMostWaiting) return done(Error(Code::Unavailable, "too many wait for events"));
  const auto at = waiting_.insert(waiting_.end(), {std::move(asked), std::move(done), 0});
  at->timer = timers_.after(kLook, [this, at] { end_waiting(at); });
}

void EventLog::shut_down() {
  ending_ = true;
  while (!waiting_.empty()) {
    timers_.cancel(waiting_.front().timer);
    end_waiting(waiting_.begin());
  }
}

void EventLog::end_waiting(std::list<Waiting>::iterator at) {
  const Waiting waiting = std::move(*at);
  waiting_.erase(at);
  waiting.done(reply_to(waiting.request));
}

void EventLog::tell() {
  for (auto at = waiting_.begin(); at != waiting_.end();) {
    const auto here = at++;
    if (!history_.has_later_than(here->request.after(), here->request.host())) continue;
    timers_.cancel(here->timer);
    end_waiting(here);
  }
}

}  // namespace meshdns::dnsd::app
