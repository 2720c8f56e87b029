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

/// What was just handed over to be published, for who keeps a history. Refers to its parts.
struct Publication {
  static constexpr std::size_t kMostNamed = 256;

  const answers::AnswerTable* before = nullptr;  // what is answered until then; null = nothing
  std::vector<std::string> put;                  // hosts; none if there are more than kMostNamed
  std::size_t put_count = 0;
  std::vector<std::string> erased;  // the same
  bool whole = false;               // every host was made anew
  bool places = false;              // nodes or clusters are others
  bool geography = false;           // clusters, or what is measured of them
  std::uint64_t revision = 0;
};

// How it works. The planner holds the hosts that something has changed, in the order of their urgency. One publication
// takes about kSlice worth of them (PublicationCost estimates), has them compiled on the compile thread, and when its
// table is published the next one goes on at PublicationPace. What all hosts depend on (places of clients, clusters)
// is compiled in slices too, by the Compiler. Whatever came since goes before what waits if it is more urgent: the
// answer that an endpoint's failure changes is delayed by one slice at most. The first table, the one with which an
// instance becomes ready, and those that flush() makes are whole.

/// The one place where serving meets federation: has what the catalog says compiled and published to the workers, the
/// first change at once, the next ones at PublicationPace. What changes while a table is made goes into the next one.
/// thread: control
class Publisher {
 public:
  /// Hands work to the control thread; what it drops flush() makes good.
  using Post = std::function<void(std::function<void()>)>;
  /// What one publication may cost, except for what it costs however little it changes; sizes that tests choose.
  struct Sizes {
    Duration slice = 10ms;
    Duration places_pause = 250ms;  // the least time between two looks at where clients are
  };

  Publisher(catalog::Catalog& catalog, const Clock& clock, Timers& timers, Post post, Sizes sizes);
  Publisher(catalog::Catalog& catalog, const Clock& clock, Timers& timers, Post post)
      : Publisher(catalog, clock, timers, std::move(post), Sizes()) {}
  ~Publisher();

  /// Published soon; the first call makes the first table.
  void configure(answers::Settings settings, const std::vector<answers::StaticRecord>& static_records);
  /// Whether the records are older than they should be; published if it changed.
  void set_stale(bool stale);
  bool stale() const { return stale_; }
  /// Whether it is not known yet what there is; published if it changed.
  void set_not_ready(bool not_ready);
  bool not_ready() const { return not_ready_; }
  /// The catalog may have a new revision.
  void changed();
  /// So have the records without it: by what only this process obeys.
  void changed_here() {
    wanted_ = true;
    changed();
  }
  /// Nothing is published until release(): the catalog is being filled, and what was adopted is better.
  void hold() { held_ = true; }
  void release() {
    held_ = false;
    changed();
  }
  /// Publishes a table that an earlier run has made of the records that are about to come. Before anything else is
  /// published.
  void adopt(std::shared_ptr<const answers::AnswerTable> table);
  /// The table of exactly what the catalog holds now, for who writes both down; null = it is not there: much waits.
  std::shared_ptr<PinnedTable> pin();
  /// Blocks until everything so far is published, late slow-start steps excepted: for the start, when nobody waits for
  /// this thread.
  void flush();

  /// Who hears of every publication, as soon as it is under way: it delays none. Empty = nobody. with_table() is not
  /// to be called meanwhile.
  void observe(std::function<void(const Publication&)> observer) { observer_ = std::move(observer); }

  Quiescent<answers::AnswerTable>& table() { return table_; }
  /// Calls `look` with the table that is published; null = there is none yet. The table is not kept.
  template <class F>
  auto with_table(F look) {
    struct Away {
      Quiescent<answers::AnswerTable>::Reader& reader;
      ~Away() { reader.offline(); }
    } const away{reader_};
    return look(reader_.read());
  }

  const answers::Base& base() const { return base_; }
  const answers::Settings& settings() const { return base_.settings; }
  /// A host as the catalog has it now; nothing = it is not defined.
  std::optional<topology::HostPlan> plan(const std::string& host) { return planner_.plan(host, clock_.now()); }
  /// As it would be with these overrides.
  std::optional<topology::HostPlan> plan(const std::string& host, const topology::Overrides& overrides) {
    return planner_.plan(host, clock_.now(), overrides);
  }
  /// See Planner::emptied.
  std::vector<std::string> emptied(const model::Target& target, const topology::Overrides& overrides) {
    return planner_.emptied(target, clock_.now(), overrides);
  }
  topology::Planner& planner() { return planner_; }
  const std::vector<topology::Conflict>& conflicts() { return planner_.conflicts(); }
  std::size_t hosts() { return planner_.hosts(); }
  /// Of the zones, in the table that was made last.
  std::uint32_t serial() const { return serial_.value_or(catalog_.serial()); }
  std::uint64_t publications() const { return finished_; }
  /// Hosts of the published table of which some clients' load is spread over tiers; of those that are in panic.
  std::uint32_t spread_hosts() const { return spread_hosts_; }
  std::uint32_t panic_hosts() const { return panic_hosts_; }
  /// Hosts, by answers::HostState.
  const std::array<std::uint32_t, answers::kHostStates>& host_states() const { return host_states_; }
  /// Prefixes of clients that several clusters claim, in the published table.
  std::size_t contested_prefixes() const { return contested_prefixes_; }
  /// Hosts whose endpoints name more ports than a host may have (HostPlan::refused_ports).
  std::size_t hosts_over_ports() const { return hosts_over_ports_.size(); }
  Duration last_cost() const { return last_cost_; }
  /// Hosts that wait for their publication. urgency: Removal or Addition
  std::size_t waiting(topology::Urgency urgency) { return planner_.queue().waiting(urgency); }
  /// Hosts that wait for being compiled anew, because clients or clusters are elsewhere.
  std::size_t outdated() const { return outdated_; }
  /// At least so long something of that waits; slow-start steps excepted.
  Duration longest_wait() const;
  /// That is longer than a second.
  bool behind() const { return behind_; }
  /// How late the most overdue slow-start step is.
  Duration step_delay() const;
  /// For how long the table that is being made is being made; zero = none is.
  Duration busy() const { return under_way() ? clock_.now() - begun_ : Duration::zero(); }

 private:
  /// A revision, when it came to be (a federation that begins anew may count up to the same number again), its serial.
  using Version = std::tuple<std::uint64_t, TimePoint, std::uint32_t>;

  enum class Extent : std::uint8_t { Slice, Whole };
  void publish(Extent extent);
  topology::Planner::Changes take(bool whole);
  /// Notes, and tells at most once a minute, which host has more port names than a host may have.
  void note_ports(const topology::HostPlan& plan);
  /// Notes which version the table has all of.
  void note_complete();
  /// Adds what concerns all hosts, if it is due.
  void add_common(const topology::Planner::Changes& changes, bool whole, answers::Update& update);
  double weight_of(const model::Policy& policy, std::size_t endpoints) const;
  /// For how long outdated hosts may be compiled beside these.
  Duration renewal_beside(const topology::Planner::Changes& changes) const;
  /// Something is to be published as soon as the pace allows.
  bool pending() const;
  bool places_due(TimePoint now) const { return places_changed_ && now >= next_places_; }
  /// What the observer is going to hear.
  Publication publication_of(const topology::Planner::Changes& changes, const answers::Update& update) const;
  void finished(const CompileThread::Finished& table);
  void watch_due();
  /// Tells when publication falls behind, and when it has caught up.
  void look_for_delay();
  /// Counts in the table that was just published; tells when a panic begins and ends.
  void look_at_table();
  /// Tells who has lost an automatic host, and which clusters claim the same clients, when there are more than before.
  void tell_of_contests(std::size_t prefixes_before);
  bool under_way() const { return submitted_ != finished_; }
  Version version() const { return {catalog_.revision(), catalog_.changed(), catalog_.serial()}; }
  /// The catalog's serial, unless clients have seen a newer one (RFC 1982): then the next.
  std::uint32_t next_serial();
  /// The first host that waits came at or before this number; everything of this version is published when it has left.
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
  bool configured_ = false;  // base_ is not published yet
  bool wanted_ = false;      // a table is needed though the catalog stands still
  bool held_ = false;
  bool flushing_ = false;
  bool stale_ = false;
  bool not_ready_ = false;
  bool shown_not_ready_ = false;   // by the table that was submitted last
  bool places_changed_ = false;    // since the last look at them
  bool clusters_changed_ = false;  // the same
  TimePoint next_places_;
  bool behind_ = false;
  PublicationPace pace_;
  PublicationCost cost_;
  std::optional<TimerId> timer_;
  std::optional<TimerId> due_timer_;  // the time alone changes something then
  Version published_;                 // what is new in it was in the planner at the last publication
  Version complete_;                  // all of it is in the table
  std::optional<Mark> mark_;
  std::optional<std::uint32_t> serial_;  // that clients may have seen
  TimePoint begun_;
  Duration prepared_{};  // what the update under way cost before it was submitted
  Duration planned_{};   // what of it planning cost
  double weight_ = 0;    // of the hosts of that update
  std::size_t outdated_ = 0;
  TimePoint outdated_since_;
  std::uint8_t extra_parts_ = 0;
  std::map<std::uint8_t, std::size_t> view_counts_;
  std::size_t places_ = 1;  // where clients can be, in the published table
  std::uint64_t submitted_ = 0;
  std::uint64_t finished_ = 0;
  Duration last_cost_{};
  std::uint32_t spread_hosts_ = 0;
  std::uint32_t panic_hosts_ = 0;
  std::array<std::uint32_t, answers::kHostStates> host_states_{};
  std::size_t contested_prefixes_ = 0;
  std::size_t hostless_services_ = 0;  // at the last look
  std::set<std::string> hosts_over_ports_;
  log::Reminder over_ports_told_;
  std::function<void(const Publication&)> observer_;
  std::shared_ptr<Publisher*> self_ = std::make_shared<Publisher*>(this);  // for what is posted: null when it is gone
  Quiescent<answers::AnswerTable> table_;
  Quiescent<answers::AnswerTable>::Reader reader_{table_};
  CompileThread thread_;  // the last: it uses the others
};

}  // namespace meshdns::publish
