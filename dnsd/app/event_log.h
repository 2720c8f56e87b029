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

namespace meshdns::app {

/// Keeps what changed in answers, publication by publication, and tells those who wait for it.
/// thread: control
class EventLog {
 public:
  /// So much of the control thread's time at most goes into one publication; hosts beyond are only counted. The first
  /// kAlwaysTold are told in any case: a small change must not be lost because the machine is busy.
  static constexpr Duration kBudget = 2ms;
  static constexpr std::size_t kAlwaysTold = 8;
  static constexpr Duration kLook = 5s;  // how long somebody waits for an event
  static constexpr std::size_t kMostWaiting = 64;

  using Done = std::function<void(Result<v1::EventsReply>)>;

  EventLog(const catalog::Catalog& catalog, publish::Publisher& publisher, const Clock& clock, Timers& timers);
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;
  ~EventLog();

  /// done: told at once, or, where it may wait, as soon as there is something
  /// errors: NotFound: there is no such host, and never was; Unavailable: too many wait
  void look(const v1::EventsRequest& request, Done done);
  /// Operators have changed something: an event of these hosts, or, without any, of all.
  void note(const std::vector<std::string>& hosts, const std::string& what);
  /// Nobody waits any more.
  void shut_down();

 private:
  struct Waiting {
    v1::EventsRequest request;
    Done done;
    TimerId timer = 0;
  };

  void published(const publish::Publication& publication);
  /// If anything that matters is different.
  void add_change(const publish::Publication& publication, const std::string& host);
  void add_summary(const publish::Publication& publication, const std::string& text);
  /// request: `after` is set where it goes on
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
  std::optional<std::vector<model::Locality>> seats_;  // nothing = they are to be found anew
  std::list<Waiting> waiting_;
  bool ending_ = false;
};

}  // namespace meshdns::app
