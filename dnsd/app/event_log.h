#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.h"
#include "common/time/time.h"
#include "dnsd/app/history.h"
#include "dnsd/publish/publisher.h"
#include "meshdns/v1/admin.pb.h"

namespace meshdns::dnsd::app {

/// Records how answers change, publication by publication, and answers calls that wait for such events.
///
/// How it works: as the publisher's observer it gets each publication while the compile thread makes its table. For
/// each changed host it compares the published host with the new plan, and adds an event to History if answers differ.
/// A call that waits is a timer and an entry in `waiting_`; each new event ends the calls that it concerns.
/// thread: control
class EventLog {
 public:
  /// The most time of the control thread for one publication. Hosts beyond it are only counted, except the first
  /// kAlwaysTold hosts: a small change must not be lost because the machine is busy.
  static constexpr Duration kBudget = 2ms;
  static constexpr std::size_t kAlwaysTold = 8;
  static constexpr Duration kLook = 5s;  // the longest time that a call waits for an event
  static constexpr std::size_t kMostWaiting = 64;

  using Done = std::function<void(Result<v1::EventsReply>)>;

  /// Becomes the publisher's observer for its own lifetime. All references must outlive it.
  EventLog(const catalog::Catalog& catalog, publish::Publisher& publisher, const Clock& clock, Timers& timers);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  ~EventLog();

  /// Calls `done` with the events that a request asks for: at once, or, if the request waits, as soon as there is one.
  /// errors: NotFound: the host does not exist and has no events; Unavailable: too many calls wait
  void look(const v1::EventsRequest& request, Done done);
  /// Adds an event about an operator's change: one for each host, or one of the whole mesh if `hosts` is empty.
  void note(const std::vector<std::string>& hosts, const std::string& what);
  /// Ends all calls that wait; later ones do not wait.
  void shut_down();

 private:
  struct Waiting {
    v1::EventsRequest request;
    Done done;
    TimerId timer = 0;
  };

  void published(const publish::Publication& publication);
  /// Adds an event if the change of the host matters for answers.
  void add_change(const publish::Publication& publication, const std::string& host);
  void add_summary(const publish::Publication& publication, const std::string& text);
  /// requires: `after` is set if the request continues an earlier one
  v1::EventsReply reply_to(const v1::EventsRequest& request) const;
  v1::Event event_of(const publish::Publication& publication) const;
  v1::Event event_now() const;
  void add(v1::Event event);
  void tell();
  void end_waiting(std::list<Waiting>::iterator at);

  const catalog::Catalog& catalog_;
  publish::Publisher& publisher_;
  const Clock& clock_;
  Timers& timers_;
  History history_;
  std::optional<std::vector<model::Locality>> seats_;  // places of clients to compare answers for; nothing = stale
  std::list<Waiting> waiting_;
  bool ending_ = false;
};

}  // namespace meshdns::dnsd::app
