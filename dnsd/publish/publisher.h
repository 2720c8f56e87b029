#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "common/base/post.h"
#include "common/log/reminder.h"
#include "common/published/quiescent.h"
#include "common/time/time.h"
#include "dnsd/answers/compile.h"
#include "dnsd/catalog/catalog.h"
#include "dnsd/publish/compile_thread.h"
#include "dnsd/publish/pinned_table.h"
#include "dnsd/publish/publication_cost.h"
#include "dnsd/publish/publication_pace.h"

namespace meshdns::publish {

// How it works
//
//   control thread                                        compile thread
//   catalog change -> Planner: queue of changed hosts
//   changed() -> wait for PublicationPace -> publish() -> compile a slice, exchange the table, free old ones
//       ^                                                     |
//       +------------ finished(): note cost and counts <------+
//
// * The Planner observes the catalog and queues the hosts that a change touches: removals go before additions, and
//   additions before steps of slow start. A host that changes again while it waits is compiled once.
// * publish() takes about Sizes::slice worth of hosts from the queue. PublicationCost estimates the cost of a host. So
//   the failure of an endpoint waits for one slice at most, however many additions and steps are queued.
// * At most one update is under way. Changes that arrive meanwhile wait for the next one; finished() starts it.
// * The input that all hosts depend on (settings, clusters, places of clients) goes along with a slice. The Compiler
//   marks the hosts that this input makes outdated, and compiles them again in what is left of this and later slices.
// * The first table and the table with which the process becomes ready are whole: they contain every host that waits.
//   Without some hosts they would answer NXDOMAIN for names that exist. flush() makes whole tables, too.
// * The version of a table is the newest revision of which the table contains everything (`complete_`). `mark_`
//   remembers the last number in the queue; its version is complete when every host up to that number has left.
//
// Deliberately not done: the compile thread never stops in the middle of a slice, and there is only one such thread
// (docs/adr/0020).

/// Describes a table that was just submitted to the compile thread, for the observer that keeps the history of answers.
/// Valid only during the observer's call.
struct Publication {
  static constexpr std::size_t kMostNamed = 256;

  const answers::AnswerTable* before = nullptr;  // the published table; null = nothing is published yet
  std::vector<std::string> put;                  // hosts that changed; empty if they are more than kMostNamed
  std::size_t put_count = 0;                     // all hosts that changed
  std::vector<std::string> erased;               // hosts that were removed; empty if they are more than kMostNamed
  std::size_t erased_count = 0;                  // all hosts that were removed
  bool whole = false;                            // the configuration changed, which concerns every host
  bool places = false;                           // the places of clients changed
  bool geography = false;                        // clusters, their distances or their gateways changed
  std::uint64_t revision = 0;
};

/// Compiles the records of the catalog and publishes the answer tables to the DNS workers. This is the only place where
/// serving and federation meet. The first change is published at once, later ones at PublicationPace. The publisher
/// does not change records: it only observes the catalog.
/// thread: control
class Publisher {
 public:
  /// Bounds on the cost of one publication. Tests choose their own.
  struct Sizes {
    Duration slice = 10ms;          // for planning and compiling hosts; the fixed cost of a table comes on top
    Duration places_pause = 250ms;  // the least time between two tables with new places of clients
  };

  /// Makes its planner the catalog's observer for its own lifetime. `catalog`, `clock` and `timers` must outlive it.
  Publisher(catalog::Catalog& catalog, const Clock& clock, Timers& timers, Post post, Sizes sizes);
  Publisher(catalog::Catalog& catalog, const Clock& clock, Timers& timers, Post post)
      : Publisher(catalog, clock, timers, std::move(post), Sizes()) {}
  ~Publisher();

  /// Takes over settings and static records, and publishes them soon. The first call makes the first table; it must
  /// come before any call of changed().
  void configure(answers::AnswerSettings settings, const std::vector<answers::StaticRecord>& static_records);
  /// Marks all answers as stale (EDE 3), or no longer; publishes a table if that is a change.
  void set_stale(bool stale);
  bool stale() const { return stale_; }
  /// Makes DNS answer SERVFAIL with EDE 14 while no records are known, or no longer; publishes a table if that is a
  /// change.
  void set_not_ready(bool not_ready);
  bool not_ready() const { return not_ready_; }
  /// Publishes soon if anything waits. Call it after every change of the catalog; a call without a change is cheap.
  void changed();
  /// Publishes even if the catalog's revision is unchanged: for overrides that only this process obeys.
  void changed_here() {
    wanted_ = true;
    changed();
  }
  /// Holds all publications back until release(). For the time in which the catalog is filled from a file while an
  /// adopted table answers: a table of half of the records would be worse.
  void hold() { held_ = true; }
  void release() {
    held_ = false;
    changed();
  }
  /// Publishes a table that an earlier run has compiled from the records that are about to be read.
  /// requires: no table was submitted yet
  void adopt(std::shared_ptr<const answers::AnswerTable> table);
  /// Pins the table of exactly the records that the catalog holds now, so that both can be written to disk. May block
  /// like flush() when little waits.
  /// returns: null = publications are held, DNS is not ready, an update is under way, or too much waits to block for
  std::shared_ptr<PinnedTable> pin();
  /// Blocks until all changes so far are published, except late steps of slow start. For tables of few hosts, and for
  /// tests: a million endpoints take seconds. Does nothing while publications are held.
  void flush();
  /// Like flush() if that blocks for a moment only. Otherwise the changes are published soon.
  /// returns: whether it was like flush()
  bool settle();
  /// Publishes a table of everything that is known now, and calls `done` when it is published. This thread goes on
  /// meanwhile: agents that reconnect while a restarted federation compiles its first table are heard. Ends a hold.
  void publish_all(std::function<void()> done);

  /// Calls `observer` for every publication, right after the update was submitted, so that no publication waits for the
  /// observer. Empty = no observer.
  /// requires: `observer` does not call with_table(), which would release Publication::before
  void observe(std::function<void(const Publication&)> observer) { observer_ = std::move(observer); }

  Quiescent<answers::AnswerTable>& table() { return table_; }
  /// Calls `look` with the published table, or with null if there is none yet. `look` must not keep the table.
  template <class F>
  auto with_table(F look) {
    struct Away {
      Quiescent<answers::AnswerTable>::Reader& reader;
      ~Away() { reader.offline(); }
    } const away{reader_};
    return look(reader_.read());
  }

  const answers::Base& base() const { return base_; }
  const answers::AnswerSettings& settings() const { return base_.settings; }
  /// Returns the plan of a host from the records as they are now; nothing = the host is not defined.
  std::optional<topology::HostPlan> plan(const std::string& host) { return planner_.plan(host, clock_.now()); }
  /// Returns the plan that the host would have with `overrides` instead of the catalog's.
  std::optional<topology::HostPlan> plan(const std::string& host, const topology::Overrides& overrides) {
    return planner_.plan(host, clock_.now(), overrides);
  }
  /// Returns Planner::emptied() for the records as they are now.
  std::vector<std::string> emptied(const model::OverrideTarget& target, const topology::Overrides& overrides) {
    return planner_.emptied(target, clock_.now(), overrides);
  }
  topology::Planner& planner() { return planner_; }
  const std::vector<topology::Conflict>& conflicts() { return planner_.conflicts(); }
  std::size_t hosts() { return planner_.hosts(); }
  /// The SOA serial of the zones in the table that was submitted last.
  std::uint32_t serial() const { return serial_.value_or(catalog_.serial()); }
  std::uint64_t publications() const { return finished_; }
  /// The hosts of the published table whose load is spread over several tiers for some clients, and the hosts in panic.
  std::uint32_t spread_hosts() const { return spread_hosts_; }
  std::uint32_t panic_hosts() const { return panic_hosts_; }
  /// The number of hosts in each answers::HostState, in the published table.
  const std::array<std::uint32_t, answers::kHostStates>& host_states() const { return host_states_; }
  /// The number of client prefixes that several clusters claim, in the published table.
  std::size_t contested_prefixes() const { return contested_prefixes_; }
  /// The number of hosts whose endpoints name more ports than a host may have (HostPlan::refused_ports).
  std::size_t hosts_over_ports() const { return hosts_over_ports_.size(); }
  /// The time that the last publication took on both threads.
  Duration last_cost() const { return last_cost_; }
  /// The number of hosts that wait to be published.
  /// urgency: Removal or Addition
  std::size_t waiting(topology::Urgency urgency) { return planner_.queue().waiting(urgency); }
  /// The number of hosts that wait to be compiled again because places of clients or distances of clusters changed.
  std::size_t outdated() const { return outdated_; }
  /// A lower bound of how long the oldest waiting or outdated host has waited; steps of slow start do not count.
  Duration longest_wait() const;
  /// Whether longest_wait() exceeded a second and has not been zero since.
  bool behind() const { return behind_; }
  /// How late the most overdue step of slow start is.
  Duration step_delay() const;
  /// The age of the update under way; zero = none is under way.
  Duration busy() const { return under_way() ? clock_.now() - begun_ : Duration::zero(); }

 private:
  /// A revision, the time of its change, and its serial. The time tells equal revisions of two epochs apart: a
  /// federation that has restarted may count up to the same number again.
  using Version = std::tuple<std::uint64_t, TimePoint, std::uint32_t>;

  enum class Extent : std::uint8_t { Slice, Whole };
  /// Plans one update and submits it to the compile thread.
  /// requires: no update is under way
  void publish(Extent extent);
  /// Takes hosts from the planner's queue: a slice, or all of them.
  topology::Planner::Changes take(bool whole);
  /// Counts the host if it has more port names than a host may have; warns at most once a minute.
  void note_ports(const topology::HostPlan& plan);
  /// Moves `complete_` on to the newest version of which the next table contains everything.
  void note_complete();
  /// Adds the input that concerns all hosts to the update: settings, clusters, and places of clients if they are due.
  void add_common(const topology::Planner::Changes& changes, bool whole, answers::Update& update);
  double weight_of(const model::Policy& policy, std::size_t endpoints) const;
  /// Returns how much time outdated hosts may take in the update of these changes.
  Duration renewal_beside(const topology::Planner::Changes& changes) const;
  /// Whether something is to be published as soon as the pace allows.
  bool pending() const;
  /// Whether to publish what waits may take long, so that nobody should wait for it.
  bool has_much();
  /// Calls those who wait for a whole table that is published now.
  void tell_of_whole_table();
  bool places_due(TimePoint now) const { return places_changed_ && now >= next_places_; }
  /// Returns the description of the update for the observer, without Publication::before.
  Publication publication_of(const topology::Planner::Changes& changes, const answers::Update& update) const;
  /// Notes that a table is published, and begins the next update. A table that is noted already is ignored.
  void finished(const CompileThread::Finished& table);
  /// Plans the next publication that only the time makes necessary: a step of slow start, or places that may go again.
  void watch_due();
  /// Logs when publication falls behind, and when it has caught up.
  void look_for_delay();
  /// Copies the counts of the table that was just published; logs when a panic begins and ends.
  void look_at_table();
  /// Logs services without automatic host, and clusters that claim the same clients, when their number has grown.
  void tell_of_contests(std::size_t prefixes_before);
  bool under_way() const { return submitted_ != finished_; }
  Version version() const { return {catalog_.revision(), catalog_.changed(), catalog_.serial()}; }
  /// Returns the serial of the next table: that of the complete version, or, if clients have seen a newer one
  /// (RFC 1982), the successor of that.
  std::uint32_t next_serial();
  /// A point in the planner's queue. When every host up to `number` has left the queue, all of `version` is compiled.
  struct Mark {
    std::uint64_t number;
    Version version;
    TimePoint at;
  };

  catalog::Catalog& catalog_;
  const Clock& clock_;
  Timers& timers_;
  topology::Planner planner_;
  answers::Base base_;
  const Sizes sizes_;
  bool configured_ = false;  // base_ has changed and was not submitted yet
  bool wanted_ = false;      // a table is needed even if the catalog is unchanged
  bool held_ = false;
  bool flushing_ = false;
  std::vector<std::function<void()>> waits_;  // of publish_all()
  std::optional<std::uint64_t> whole_;        // the number of the table that they wait for; nothing = not submitted
  std::uint64_t last_whole_ = 0;              // the number of the whole table that was submitted last; 0 = none
  bool stale_ = false;
  bool not_ready_ = false;
  bool shown_not_ready_ = false;   // not_ready_ in the table that was submitted last
  bool places_changed_ = false;    // since places of clients were submitted last
  bool clusters_changed_ = false;  // since clusters were submitted last
  TimePoint next_places_;
  bool behind_ = false;
  PublicationPace pace_;
  PublicationCost cost_;
  std::optional<TimerId> timer_;
  std::optional<TimerId> due_timer_;  // of watch_due()
  Version published_;                 // the catalog's version when the last update was planned
  Version complete_;                  // the newest version of which the submitted table contains everything
  std::optional<Mark> mark_;
  std::optional<std::uint32_t> serial_;  // the newest that clients may have seen
  TimePoint begun_;                      // of the update under way, or the last one
  Duration prepared_{};                  // the control thread's cost of that update
  Duration planned_{};                   // the part of prepared_ that planning hosts took
  double weight_ = 0;                    // of the hosts of that update
  std::size_t outdated_ = 0;
  TimePoint outdated_since_;
  std::uint8_t extra_parts_ = 0;
  std::map<std::uint8_t, std::size_t> view_counts_;
  std::size_t places_ = 1;  // the number of places where clients can be, in the published table
  std::uint64_t submitted_ = 0;
  std::uint64_t finished_ = 0;
  Duration last_cost_{};
  std::uint32_t spread_hosts_ = 0;
  std::uint32_t panic_hosts_ = 0;
  std::array<std::uint32_t, answers::kHostStates> host_states_{};
  std::size_t contested_prefixes_ = 0;
  std::size_t hostless_services_ = 0;  // services without automatic host, after the last publication
  std::set<std::string> hosts_over_ports_;
  log::Reminder over_ports_told_;
  std::function<void(const Publication&)> observer_;
  std::shared_ptr<Publisher*> self_ = std::make_shared<Publisher*>(this);  // for posted work: null after destruction
  Quiescent<answers::AnswerTable> table_;
  Quiescent<answers::AnswerTable>::Reader reader_{table_};
  CompileThread thread_;  // last: it uses the members above until it is joined
};

}  // namespace meshdns::publish
