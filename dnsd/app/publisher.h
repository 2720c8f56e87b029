#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "common/published/quiescent.h"
#include "common/time/time.h"
#include "dnsd/answers/compile.h"
#include "dnsd/app/compile_thread.h"
#include "dnsd/app/kept_answers.h"
#include "dnsd/app/publication_pace.h"
#include "dnsd/catalog/catalog.h"

namespace meshdns::app {

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

/// The one place where serving meets federation: has what the catalog says compiled and published to the workers, the
/// first change at once, the next ones at PublicationPace. What changes while a table is made goes into the next one.
/// thread: control
class Publisher {
 public:
  /// Hands work to the control thread; what it drops flush() makes good.
  using Post = std::function<void(std::function<void()>)>;

  Publisher(catalog::Catalog& catalog, const Clock& clock, Timers& timers, Post post);
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
  /// The table of exactly what the catalog holds now, for who writes both down; null = it is not there.
  std::shared_ptr<PinnedTable> pin();
  /// Blocks until everything so far is published: for the start, when nobody waits for this thread.
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
  Duration last_cost() const { return last_cost_; }
  /// For how long the table that is being made is being made; zero = none is.
  Duration busy() const { return under_way() ? clock_.now() - begun_ : Duration::zero(); }

 private:
  /// A revision, when it came to be (a federation that begins anew may count up to the same number again), its serial.
  using Version = std::tuple<std::uint64_t, TimePoint, std::uint32_t>;

  void publish();
  /// What the observer is going to hear.
  Publication publication_of(const topology::Planner::Changes& changes) const;
  void finished(const CompileThread::Finished& table);
  void watch_due();
  /// Tells when a panic begins and ends.
  void look_for_panic();
  bool under_way() const { return submitted_ != finished_; }
  Version version() const { return {catalog_.revision(), catalog_.changed(), catalog_.serial()}; }
  /// The catalog's serial, unless clients have seen a newer one (RFC 1982): then the next.
  std::uint32_t next_serial();

  catalog::Catalog& catalog_;
  const Clock& clock_;
  Timers& timers_;
  topology::Planner planner_;
  answers::Base base_;
  bool configured_ = false;  // base_ is not published yet
  bool wanted_ = false;      // a table is needed though the catalog stands still
  bool held_ = false;
  bool stale_ = false;
  bool not_ready_ = false;
  PublicationPace pace_;
  std::optional<TimerId> timer_;
  std::optional<TimerId> due_timer_;  // the time alone changes something then
  Version published_;
  std::optional<std::uint32_t> serial_;  // that clients may have seen
  TimePoint begun_;
  Duration prepared_{};  // what the update under way cost before it was submitted
  std::uint64_t submitted_ = 0;
  std::uint64_t finished_ = 0;
  Duration last_cost_{};
  std::uint32_t spread_hosts_ = 0;
  std::uint32_t panic_hosts_ = 0;
  std::function<void(const Publication&)> observer_;
  std::shared_ptr<Publisher*> self_ = std::make_shared<Publisher*>(this);  // for what is posted: null when it is gone
  Quiescent<answers::AnswerTable> table_;
  Quiescent<answers::AnswerTable>::Reader reader_{table_};
  CompileThread thread_;  // the last: it uses the others
};

}  // namespace meshdns::app
